"""Names for a thing that has none yet."""
from . import ground
from .config import uuid4


class Identity:
    """A new one each time; what is kept is the file device_id, see Client."""

    def get_device_id(self):
        return uuid4()


ground.forget("config")
