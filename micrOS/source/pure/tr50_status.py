"""The twenty outcomes of an action or a call: their numbers go over the wire, their texts to people."""
from .tr50 import is_status

TEXTS = ("Success", "Invoked", "Bad Parameter", "Bad Request", "Execution Error", "Already Exists", "File Open Failed",
         "Full", "I/O Error", "Out of Memory", "No Permission", "Not Executable", "Not Found", "Not Initialized",
         "Out of Range", "Parsing Error", "Timed Out", "Try Again", "Not Supported", "Failure")
# as programs spell them, behind STATUS_
NAMES = ("SUCCESS", "INVOKED", "BAD_PARAMETER", "BAD_REQUEST", "EXECUTION_ERROR", "EXISTS", "FILE_OPEN_FAILED", "FULL",
         "IO_ERROR", "NO_MEMORY", "NO_PERMISSION", "NOT_EXECUTABLE", "NOT_FOUND", "NOT_INITIALIZED", "OUT_OF_RANGE",
         "PARSE_ERROR", "TIMED_OUT", "TRY_AGAIN", "NOT_SUPPORTED", "FAILURE")


def text(code):
    """Text of a status 0-19; of anything else a word that says so."""
    return TEXTS[code] if is_status(code) else "Unknown Status"
