"""Any datagram at all as the answer of a time server: a time of this century or an SntpError."""
from hypothesis import example, given
from hypothesis import strategies as st

from micrOS.source.pure.sntp import SntpError, answer
from tests.fuzz.effort import hard

TOKEN = b"12345678"
LIKELY = st.builds(lambda head, body, tail: head + body + TOKEN + tail, st.binary(min_size=2, max_size=2),
                   st.binary(min_size=22, max_size=22), st.binary(min_size=14, max_size=600))


@hard
@given(st.binary(max_size=600) | LIKELY)
@example(b"\x24\x01" + bytes(22) + TOKEN + b"\xff" * 16)
def test_any_datagram_tells_a_time_or_why_not(data):
    try:
        seconds, ms = answer(data, TOKEN)
    except SntpError as error:
        assert str(error)
        return
    assert 0 <= seconds < 1 << 32 and 0 <= ms < 1000
