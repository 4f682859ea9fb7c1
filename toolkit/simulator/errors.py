"""What can go wrong on the virtual board, seen from the host and from the interpreter."""
from toolkit.errors import ToolkitError


class SimulatorError(ToolkitError):
    """Raised when a board cannot be set up or does not answer: one line for the user."""


class BoardFault(Exception):
    """Raised by the silicon model; becomes the exception that the port raises on a real board.

    kind    "ValueError" | "RuntimeError" | "OSError"
    reason  text of the exception; an errno for OSError
    """

    def __init__(self, kind: str, reason: str | int) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason
