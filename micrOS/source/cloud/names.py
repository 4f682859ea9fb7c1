"""The public names of `device_cloud` that a program on a board seldom asks for; on a host its package has them."""
from pure.tr50_status import NAMES

_VALUES = {
    "DEFAULT_CONFIG_DIR": ".", "DEFAULT_CONFIG_FILE": "{}-connect.cfg",
    "DEFAULT_KEEP_ALIVE": 0, "DEFAULT_LOOP_TIME": 1, "DEFAULT_THREAD_COUNT": 2,      # s, s, actions at a time
    "LOGCRITICAL": 50, "LOGERROR": 40, "LOGWARNING": 30, "LOGINFO": 20, "LOGDEBUG": 10, "LOGNOTSET": 0,
}
_FILES = {"identity": "identity", "osal": "osal", "ota_handler": "board_update", "relay": "relays"}


def found(name):
    """Value or module of that name. Raises AttributeError."""
    if name in _VALUES:
        return _VALUES[name]
    if name in _FILES:
        return __import__("cloud." + _FILES[name], None, None, ("x",))
    if name[:7] != "STATUS_" or name[7:] not in NAMES:
        raise AttributeError(name)
    return NAMES.index(name[7:])
