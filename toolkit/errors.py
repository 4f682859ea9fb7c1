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


class NoPortError(LinkError):
    """Raised when no board is at a serial port: nothing plugged in, no driver, or no port of that name."""

    exit_code = 6


class PortDeniedError(LinkError):
    """Raised when this user may not open a serial port."""

    exit_code = 7


class PortBusyError(LinkError):
    """Raised when another program holds a serial port."""

    exit_code = 8


class WrongChipError(ToolkitError):
    """Raised when the chip at a port is not the one that was asked for."""

    exit_code = 9


class BadHashError(ToolkitError):
    """Raised when content differs from what was expected of it: a download, a flash read back."""

    exit_code = 10


class PortLostError(LinkError):
    """Raised when a serial port goes away while it is used: the cable, the board's own USB."""

    exit_code = 11
