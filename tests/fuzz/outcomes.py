"""What the pure functions make of an input, as JSON that both interpreters write alike.

micropython tests/fuzz/outcomes.py <file>: each line of it is [kind, input], each line printed is its outcome:
["value", tree], ["refused"] for an error that the function declares, ["broken", text] for any other.
"""
import sys

sys.path.insert(0, ".")
import json  # noqa: E402

from micrOS.source.pure import values, webrepl, words  # noqa: E402
from micrOS.source.pure.lines import LineError, Lines  # noqa: E402
from micrOS.source.pure.suffixes import suffixes as with_suffixes  # noqa: E402
from micrOS.source.pure.unframed import flush, pending  # noqa: E402


def call(line):
    return words.arguments(words.split(line)[2:])


def suffixes(line):
    return with_suffixes(words.split(line))


def lines(pieces):
    """Commands, what is pending and what a flush gives, of the pieces fed one by one. pieces: [limit, hex ...]"""
    reader, out = Lines(pieces[0]), []
    for piece in pieces[1:]:
        out += reader.feed(bytes.fromhex(piece))
    return [out, reader.framed, pending(reader), flush(reader), flush(reader)]


def frames(pieces):
    """[opcode, payload] of the frames; pieces of one frame are not joined. pieces: [hex ...]"""
    reader, out = webrepl.Frames(), []
    for piece in pieces:
        out += [[opcode, bytes(part)] for opcode, part in reader.feed(bytes.fromhex(piece))]
    return out


def request(payload):
    return webrepl.parse_request(bytes.fromhex(payload))


KINDS = {"literal": words.literal, "call": call, "split": words.split, "suffixes": suffixes, "pipe": values.pipe,
         "lines": lines, "frames": frames, "request": request}


def outcome(kind, given):
    try:
        return ["value", tree(KINDS[kind](given))]
    except (words.WordError, webrepl.FrameError):
        return ["refused"]
    except Exception as error:       # outer wall: a foreign error is what the fuzz looks for
        return ["broken", f"{type(error).__name__}: {error}"]


def tree(value):
    """A value with its types written out; lists in it start with the name of their type."""
    if isinstance(value, dict):
        return ["dict", [[tree(key), tree(item)] for key, item in value.items()]]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [tree(item) for item in value]]
    if isinstance(value, float):
        return ["float", repr(value)]
    if isinstance(value, bytes):
        return ["bytes", "".join([f"{byte:02x}" for byte in value])]
    return ["LineError"] if isinstance(value, LineError) else value


def main(path):
    with open(path) as file:
        for row in file:
            print(json.dumps(outcome(*json.loads(row))))


if __name__ == "__main__":
    main(sys.argv[1])
