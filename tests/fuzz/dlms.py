"""What the DLMS codecs make of octets, as one line each that both interpreters write alike; see datagrams.py."""
import json
import sys

sys.path.insert(0, ".")
from micrOS.source.pure import acse, axdr, axdr_rows, axdr_write, cosem, cosem_text, hdlc, wrapper  # noqa: E402
from micrOS.source.pure.ciphering import Ciphering  # noqa: E402
from micrOS.source.pure.ciphering_errors import SecurityError  # noqa: E402
from micrOS.source.pure.cosem_open import Opening  # noqa: E402
from micrOS.source.pure.cosem_write import Writer  # noqa: E402
from micrOS.source.pure.gcm import Gcm  # noqa: E402
from micrOS.source.pure.hdlc_link import Link  # noqa: E402
from micrOS.source.pure.hdlc_setup import address, agreed  # noqa: E402
from tests.pure.aes import blocks  # noqa: E402

DOCUMENTED = (axdr.AxdrError, acse.AcseError, cosem.CosemError, SecurityError, hdlc.HdlcError, wrapper.WrapperError,
              cosem_text.TimeError)
KEY, TITLE, METER = bytes(range(16)), b"OURSIDE1", b"METERS01"
GCM = Gcm(blocks(KEY))
WHAT = cosem.target(3, cosem.obis("1.0.1.8.0"), 2)


def value(octets):
    """A value, which reads back as it was written."""
    typed = axdr.decode(octets, axdr.pair)
    again = axdr.decode(axdr_write.encode(typed), axdr.pair)
    if repr(again) != repr(typed):
        raise RuntimeError(f"read {again} after {typed}")
    return cosem_text.show(axdr.decode(octets))


def rows(octets):
    reader, found = axdr_rows.Rows(300), []
    for at in range(0, len(octets), 7):
        found += reader.feed(octets[at:at + 7])
    reader.finish()
    return len(found)


def opened(octets):
    opening = Opening()
    opening.associate()
    opening.take(octets)
    return opening.state, opening.meter_takes


def answered(octets):
    """Answers with their length in front, given one after the other to a client that asks for one value."""
    client, at, told = Writer(None, 0xFFFF, 500), 0, []
    client.get(WHAT)
    while at < len(octets) and client.state == "asked":
        size = octets[at]
        client.take(octets[at + 1:at + 1 + size])
        at += 1 + size
        told.append(client.state)
    return told, cosem_text.show(client.result)


def side(title, other, counter):
    """One of a ciphered conversation; its next counter."""
    ciphering = Ciphering(GCM, KEY, title, lambda: counter)
    ciphering.meet(other)
    return ciphering


def ciphered(octets):
    """What a client makes of an answer that should be ciphered."""
    client = Writer(side(TITLE, METER, 1))
    client.get(WHAT)
    client.take(octets)
    return client.state, cosem_text.show(client.result)


def acted(octets):
    client = Writer()
    client.action(WHAT)
    client.take(octets)
    return client.state, cosem_text.show(client.result)


def listed(octets):
    client = Writer()
    client.get_list([WHAT, WHAT])
    client.take(octets)
    return [each.code if isinstance(each, cosem.AccessError) else cosem_text.show(each)
            for each in client.result or ()]


def framed(octets):
    """Frames found in octets, and what a link says to each; its errors are part of it."""
    frames, told = hdlc.Frames(), []
    link = Link(address(16), address(1), 128, 3, 600)
    link.connect()
    for frame in frames.feed(octets):
        try:
            said, answer = link.take(frame)
            if link.state == "up":
                said += link.send(b"\xc0")
            told.append([link.state, said.hex(), answer.hex() if answer is not None else None])
        except hdlc.HdlcError:
            told.append("refused")
    return told


def wrapped(octets):
    return [[source, destination, apdu.hex()] for source, destination, apdu in wrapper.Wrapped(300).feed(octets)]


KINDS = {"value": value, "rows": rows, "opened": opened, "answered": answered, "acted": acted, "listed": listed,
         "ciphered": ciphered, "framed": framed, "wrapped": wrapped,
         "agreed": lambda octets: sorted(agreed(octets).items())}


def outcome(kind, octets):
    try:
        return ["value", repr(KINDS[kind](octets))]
    except DOCUMENTED as error:
        return ["refused", error.code if isinstance(error, cosem.AccessError) else 0]
    except Exception as error:       # outer wall: a foreign error is what the fuzz looks for
        return ["broken", type(error).__name__ + ": " + str(error)]


def main(path):
    with open(path) as file:
        for line in file:
            kind, octets = json.loads(line)
            print(json.dumps(outcome(kind, bytes.fromhex(octets))))


if __name__ == "__main__":
    main(sys.argv[1])
