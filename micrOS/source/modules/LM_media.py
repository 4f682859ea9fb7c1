"""Sounds: WAV files over I2S or PWM, and texts out of clips in /usr/media."""


def _service():
    import usr               # noqa: F401 - opens the door to QuecPython's world
    from usr.bin.media_service import MediaService
    return MediaService()


def play(file, priority=4, interruptible=0):
    """Play a WAV file. Returns 0, -1 when it cannot be (see alarms), -2 when the queue is full. priority: 0-4"""
    return _service().audio.play(priority, interruptible, file)


def say(text, priority=4, interruptible=0):
    """Say a text out of clips. Returns as play."""
    return _service().tts.play(priority, interruptible, 2, str(text))


def stop():
    """Silence; what waits is forgotten."""
    return _service().audio.stopAll()


def help():
    return "play file=<wav> priority=<0-4> interruptible=0", 'say "text" priority=<0-4> interruptible=0', "stop"
