"""The one error of security: apart, so that who needs no ciphering does not load it."""


class SecurityError(ValueError):
    """Raised for what a stranger may have said, and for a key that must not be used any more."""
