"""Log lines of Helios: on the console, and where set_output() sends them."""


def _service():
    import usr               # noqa: F401 - opens the door to QuecPython's world
    from usr.bin.log_service import LogService
    service = LogService()
    if not service.status():
        service.start()
    return service


def load():
    return "log is {}".format("up" if _service().status() else "down")


def write(text, level="INFO", tag="shell"):
    """level: DEBUG INFO WARNING ERROR CRITICAL"""
    _service().log_send(str(tag), str(level), str(text))
    return "logged"


def level(name):
    """Lines below it are dropped; an unknown one is DEBUG."""
    _service().set_level(name)
    return name


def to_file():
    """Lines go to /usr/log/log.txt too."""
    from usr.bin.components.log_outputs import FileLogOutputUtil
    _service().set_output(FileLogOutputUtil())
    return "/usr/log/log.txt"


def follow(topic):
    """Log each message of a topic of the bus."""
    import sys_bus
    _service()
    sys_bus.subscribe(topic, _line)
    return "follows {}".format(topic)


def _line(topic, message):
    _service().log_send(str(topic), "INFO", str(message))


def help():
    return 'write "text" level="INFO" tag="shell"', "level <name>", "to_file", "follow <topic>"
