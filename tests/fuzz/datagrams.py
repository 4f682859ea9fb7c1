"""What the codecs of discovery make of bytes: the rows of outcomes.py, and run like it, on both interpreters."""
import sys

sys.path.insert(0, ".")
from micrOS.source.pure import beacon, dns  # noqa: E402
from tests.fuzz import outcomes  # noqa: E402


def refused(call):
    """A function that gives "refused" for an error that the codecs declare."""
    def told(given):
        try:
            return call(bytes.fromhex(given))
        except (beacon.BeaconError, dns.DnsError):
            return "refused"
    return told


def message(data):
    """Head and questions; the records that are whole; whether the end is cut off."""
    ident, is_answer, asked, place = dns.questions(data)
    found = []
    try:
        for record in dns.records(data, place):
            found.append(record)
    except dns.DnsError:
        return [ident, is_answer, asked, place, found, "cut off"]
    return [ident, is_answer, asked, place, found]


TOKEN = "3f9a01c2"
outcomes.KINDS.update({
    "asked": refused(beacon.asked),
    "told": refused(lambda data: beacon.told(data, TOKEN)),
    "message": refused(message),
})

if __name__ == "__main__":
    outcomes.main(sys.argv[1])
