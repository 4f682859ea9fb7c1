"""Everything that can go wrong on the host, each with the exit code that a script sees."""


class ToolkitError(Exception):
    """Root: a command prints it as one line and ends with `exit_code`."""

    exit_code = 1


class UsageError(ToolkitError):
    """Raised when the command line asks for something that cannot be."""

    exit_code = 2


class UnknownDeviceError(ToolkitError):
    """Raised when no node answers to a name, address or uid."""

    exit_code = 3


class LinkError(ToolkitError):
    """Raised when a node cannot be reached, or the link breaks off."""

    exit_code = 4


class RefusedError(ToolkitError):
    """Raised when a node answers and says no: password, file, busy."""

    exit_code = 5
