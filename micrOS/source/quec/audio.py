"""QuecPython's audio: WAV files over I2S, or PWM where the board has no such pins; texts by a chip or out of clips.

Pins by their names in the pin map: i2s_sck, i2s_ws, i2s_sd; else `audio`, else `buzzer`, as PWM. tts_tx and tts_rx are
those of a speech chip. The pin of set_pa() is high while there is sound.
"""
import asyncio

from quec.door import machine
from micropython import const

from Debug import errlog_add
from Files import names
from LogicalPins import physical_pin, physical_pins, pinmap_dump
from pure.lazy import once
from pure.playlist import FULL, HIGHEST, PLAYING, Playlist
from pure.wav import WavError, duty, head, spoken
from TaskManager import manager

_CLIPS = const("/usr/media")
_HEAD_BYTES = const(512)
_CHUNK_BYTES = const(512)
_IBUF_BYTES = const(2048)         # of I2S: what is behind the samples, for they are out when it has taken as much
_CARRIER_HZ = const(40000)
_I2S_PINS = ("i2s_sck", "i2s_ws", "i2s_sd")
_STARTED, _ENDED = 0, 7           # events of QuecPython's callback


class Player:
    """What is heard on this board, one thing at a time."""

    def __init__(self):
        self._list = Playlist()
        self._task = None
        self._begun = 0
        self.pa = None                # Pin of the amplifier
        self.told = None              # function(event)

    def play(self, priority, breakin, files):
        """0 when it is played or queued, -1 when it cannot be, -2 when the queue of its priority is full."""
        if not 0 <= priority <= HIGHEST:
            return -1
        placed = self._list.add(priority, breakin, files)
        if placed == PLAYING:
            self._begin()
        return FULL if placed == FULL else 0

    def stop(self, all_of_them=False):
        if all_of_them:
            self._list.clear()
        else:
            self._list.next()
        self._begin()
        return 0

    def _begin(self):
        """Play the current one, from its start; it may have cut another short."""
        if self._task:
            try:
                self._task.cancel()
            except RuntimeError:         # its own callback stops it: it goes on with what is current then
                return
        self._begun += 1
        self._task = manager().start("audio{}".format(self._begun), self._run(), protected=True)

    async def _run(self):
        while self._list.current:
            mine = self._list.current
            self._tell(_STARTED)
            try:
                for file in mine[2]:
                    await (self._sound(file) if isinstance(file, str) else self._speak(file))
            except (OSError, ValueError) as error:
                errlog_add("[ERR] audio {}: {}".format(mine[2], error))
            if self._list.current is mine:
                self._list.next()
            self._tell(_ENDED)

    async def _sound(self, path):
        with open(path, "rb") as file:
            rate_hz, channels, bits, offset, left = head(file.read(_HEAD_BYTES))
            file.seek(offset)
            speaker = _speaker(rate_hz, channels, bits)
            try:
                self._amplify(1)
                while left > 0:
                    data = file.read(min(left, _CHUNK_BYTES))
                    if not data:
                        break
                    left -= len(data)
                    await speaker.write(data)
                await speaker.end()
            finally:
                self._amplify(0)
                speaker.close()

    async def _speak(self, speech):
        self._amplify(1)
        try:
            await speech.say()
        finally:
            self._amplify(0)

    def _amplify(self, level):
        if self.pa:
            self.pa.value(level)

    def _tell(self, event):
        if self.told:
            self.told(event)


class _I2s:
    def __init__(self, rate_hz, channels, bits):
        pins = [machine.Pin(number) for number in physical_pins(_I2S_PINS)]
        self._i2s = machine.I2S(0, sck=pins[0], ws=pins[1], sd=pins[2], mode=machine.I2S.TX, bits=16,
                                format=machine.I2S.STEREO if channels == 2 else machine.I2S.MONO, rate=rate_hz,
                                ibuf=_IBUF_BYTES)
        self._is_wide = bits == 16
        self._writer = asyncio.StreamWriter(self._i2s)

    async def write(self, data):
        self._writer.write(data if self._is_wide else _widened(data))
        await self._writer.drain()

    async def end(self):
        """What waits in the buffer would be lost with it."""
        self._writer.write(bytes(_IBUF_BYTES))
        await self._writer.drain()

    def close(self):
        self._i2s.deinit()


def _widened(data):
    """8 bit samples as I2S wants them: 16 bit with a sign."""
    wide = bytearray(2 * len(data))
    for at, value in enumerate(data):
        wide[2 * at + 1] = value ^ 0x80
    return wide


class _Pwm:
    """Each sample is a duty, set by a timer; of two channels the left one is heard."""

    def __init__(self, rate_hz, channels, bits):
        name = "audio" if pinmap_dump("audio")["audio"] is not None else "buzzer"
        self._pwm = machine.PWM(machine.Pin(physical_pin(name)), freq=_CARRIER_HZ, duty_u16=32768)
        self._step = channels * bits // 8
        self._bits = bits
        self._rate_hz = rate_hz
        self._timer = _timer()
        self._data, self._at = b"", 0
        self._is_out = asyncio.ThreadSafeFlag()

    async def write(self, data):
        self._data, self._at = data, 0
        self._timer.init(freq=self._rate_hz, callback=self._tick)
        await self._is_out.wait()

    async def end(self):
        pass

    def close(self):
        self._timer.deinit()
        self._pwm.deinit()

    def _tick(self, timer):
        if self._at + self._step <= len(self._data):
            self._pwm.duty_u16(duty(self._data, self._at, self._bits))
            self._at += self._step
        else:
            timer.deinit()
            self._is_out.set()


def _timer():
    try:
        return machine.Timer(-1)
    except ValueError:
        return machine.Timer(2)


def _speaker(rate_hz, channels, bits):
    pins = pinmap_dump(_I2S_PINS)
    return (_Pwm if None in pins.values() else _I2s)(rate_hz, channels, bits)


@once
def player():
    return Player()


class Audio:
    def __init__(self, device=0):
        self._volume = 8

    def play(self, priority, breakin, file):
        """0, -1 when it cannot be played, -2 when the queue is full. breakin: 1 when it may be cut short"""
        return player().play(priority, breakin, (file,)) if _is_wav(file) else -1

    def stop(self):
        return player().stop()

    def stopAll(self):
        return player().stop(True)

    def set_pa(self, gpio, mode=None):
        """1. Raises PinError when the pin is taken."""
        player().pa = machine.Pin(physical_pin(gpio), machine.Pin.OUT, value=0)
        return 1

    def setCallback(self, callback):
        player().told = callback
        return 0

    def getVolume(self):
        return self._volume

    def setVolume(self, volume):
        """Kept, but the samples go out as they are. 0-11"""
        self._volume = volume
        return 0


class TTS(Audio):
    """A text is said by a speech chip, else out of clips, /usr/media/<word or more>.wav."""

    def play(self, priority, breakin, mode, data):
        """0, -2 when the queue is full, -1 (and an alarm) when there is no chip and no clips make up the text."""
        import speech
        if speech.is_there():
            return player().play(priority, breakin, (speech.Speech(data),))
        clips = {name[:-4] for name in names(_CLIPS) if name.endswith(".wav")}
        words = spoken(data, clips)
        if not words:
            errlog_add("[ERR] tts: no clips for {}; put <word>.wav into {}, or map a chip's tts_tx, tts_rx".format(
                data, _CLIPS))
            return -1
        return player().play(priority, breakin, ["{}/{}.wav".format(_CLIPS, word) for word in words])

    def close(self):
        return 0


def _is_wav(path):
    try:
        with open(path, "rb") as file:
            head(file.read(_HEAD_BYTES))
        return True
    except (OSError, WavError) as error:
        errlog_add("[ERR] audio {}: {}".format(path, error))
        return False
