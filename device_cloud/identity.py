"""Names for a thing that has none yet."""
from __future__ import annotations

import uuid


class Identity:
    """A new one each time; what is kept is the file device_id, see Client."""

    def get_device_id(self) -> str:
        return str(uuid.uuid4())
