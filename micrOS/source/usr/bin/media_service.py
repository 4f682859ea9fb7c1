"""Sounds and spoken texts as a service: what is published is played."""
import asyncio

from console import say

from usr.bin.components.abstract_service import AbstractService
from usr.bin.components.monitor import ServiceMonitor
from usr.utils.service_utils import Singleton

_AUDIO, _TTS = 0, 1
_MODES = (0, 1, 2)            # receiver, earphone, speaker
_FULL = -2
_RETRY_S = 1


class _MediaService(AbstractService):
    """enable: False, and it plays nothing by itself."""

    def __init__(self, device=0):
        super().__init__("MEDIA")
        self.enable = True
        self.out_mode = 2
        self._device = device
        self._tts = self._audio = None       # made when there is something to play

    @property
    def tts(self):
        if self._tts is None:
            self.set_tts(self._device)
        return self._tts

    @property
    def audio(self):
        if self._audio is None:
            self.set_audio(self._device)
        return self._audio

    def set_mode(self, mode):
        """Where sound goes, 0-2; its two other meanings, of sending, are upstream's own confusion. Raises Exception."""
        if mode not in _MODES:
            raise Exception("mode {} must in mid of [0,1,2]".format(mode))
        self.out_mode = mode

    def set_tts(self, mode):
        import audio
        self._tts = audio.TTS(mode)

    def set_audio(self, mode):
        import audio
        self._audio = audio.Audio(mode)

    def set_pa(self, gpio):
        """1, or 0 when that pin cannot be had."""
        try:
            return self.audio.set_pa(gpio)
        except ValueError:
            return 0

    def tts_play(self, priority=4, breakin=0, mode=2, play_data="", sender=None):
        return self.send_msg_async(_TTS, {"priority": priority, "breakin": breakin, "mode": mode,
                                          "play_data": play_data}, sender=sender)

    def audio_play(self, priority=4, breakin=0, play_data="", sender=None):
        return self.send_msg_async(_AUDIO, {"priority": priority, "breakin": breakin, "play_data": play_data},
                                   sender=sender)

    def register_event(self):
        self.event.add_handler(self._play)

    async def _play(self, event_message):
        """Whoever sent it. A full queue holds up those behind, as upstream."""
        while self.enable and self._start(event_message.msg) == _FULL:
            say("media: the queue is full, trying again")
            await asyncio.sleep(_RETRY_S)

    def _start(self, model):
        wanted = model.message
        if not isinstance(wanted, dict) or "play_data" not in wanted:
            return -1
        if model.msg_type == _TTS:
            return self.tts.play(wanted["priority"], wanted["breakin"], wanted["mode"], wanted["play_data"])
        return self.audio.play(wanted["priority"], wanted["breakin"], wanted["play_data"])


MediaService = Singleton(_MediaService)


class MediaServiceMonitor(ServiceMonitor):
    @staticmethod
    def create_monitor(config=None):
        config = config or {}
        media = MediaService()
        media.enable = config.get("enable", True)
        if "mode" in config.get("params", {}):
            media.set_mode(config["params"]["mode"])
        monitor = MediaServiceMonitor(media)
        monitor.set_exception_handlers(config.get("exceptionHandlers"))
        return monitor
