"""I2S outputs: samples leave at their rate, and shutting one loses what waits."""
import pytest

from toolkit.simulator.errors import BoardFault
from toolkit.simulator.i2s import I2s


class Now:
    seconds = 10.0

    def __call__(self):
        return self.seconds


def test_the_buffer_takes_what_fits_and_empties_at_the_rate():
    now = Now()
    output = I2s(now)
    output.open(0, 14, 27, 26, 16, 2, 1000, 400)              # 4 bytes a sample: 100 samples wait at most
    assert output.write(0, bytes(1000)) == 400 and output.room(0) == 0
    now.seconds += 0.05
    assert output.room(0) == 200
    assert output.write(0, b"\1" * 203) == 200                # whole samples
    now.seconds += 1
    assert output.room(0) == 400 and output.facts(0)["heard"] == (bytes(400) + b"\1" * 200).hex()


def test_what_waits_when_it_is_shut_is_not_heard():
    now = Now()
    output = I2s(now)
    output.open(1, 14, 27, 26, 16, 1, 1000, 400)
    output.write(1, bytes(range(200)))
    now.seconds += 0.0301
    output.close(1)
    now.seconds += 1
    assert output.facts(1)["heard"] == bytes(range(60)).hex() and not output.facts(1)["is_open"]
    assert output.facts(0) is None


@pytest.mark.parametrize("words", [(2, 14, 27, 26, 16, 1, 8000, 400), (0, 14, 27, 26, 8, 1, 8000, 400),
                                   (0, 14, 27, 26, 16, 1, 0, 400)])
def test_what_the_port_refuses_is_refused(words):
    with pytest.raises(BoardFault):
        I2s(Now()).open(*words)
