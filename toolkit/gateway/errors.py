"""What can go wrong between a gateway and its nodes; problems.py has the HTTP status of each."""
from toolkit.errors import LinkError, RefusedError, UnknownDeviceError, UsageError

__all__ = ["AmbiguousNameError", "NodeBusyError", "NodeLockedError", "NodeOfflineError", "NodeSilentError",
           "NotAllowedError", "QueueFullError", "StrangeAnswerError", "UnavailableError", "UnknownDeviceError",
           "UnknownThingError"]


class UnknownThingError(UnknownDeviceError):
    """Raised when a node is known, and what was asked of it is not: a key, a task, a module."""


class AmbiguousNameError(UsageError):
    """Raised when two nodes go by one name: the uid tells them apart."""


class NotAllowedError(RefusedError):
    """Raised when a caller's role does not reach so far."""


class NodeOfflineError(LinkError):
    """Raised when a node cannot be reached. The command was not sent."""


class StrangeAnswerError(NodeOfflineError):
    """Raised when something else than the node answers at its address. The command was not sent."""


class NodeSilentError(LinkError):
    """Raised when a command was sent and no answer came: the node may have done it, or not."""


class NodeBusyError(RefusedError):
    """Raised when all sessions of a node are in use by others. The command was not sent."""


class NodeLockedError(RefusedError):
    """Raised when a node asks for a password that is not in the archive. The command was not sent."""


class QueueFullError(RefusedError):
    """Raised when too many commands wait for a node, or for longer than the caller would. None of it was sent."""


class UnavailableError(RefusedError):
    """Raised when a part of the gateway is not there: the engine is down, a library is missing."""
