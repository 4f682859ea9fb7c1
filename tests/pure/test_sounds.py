"""Which sound is heard, what a WAV says of itself, which clips make up a text."""
import struct

from micrOS.source.pure.playlist import FULL, PLAYING, QUEUED, Playlist
from micrOS.source.pure.wav import WavError, duty, head, spoken


def order(playlist):
    """What is heard from now on."""
    heard = []
    while playlist.current:
        heard.append(playlist.current[2])
        playlist.next()
    return heard


def test_the_first_sound_plays_and_lower_ones_wait():
    playlist = Playlist()
    assert [playlist.add(2, 0, "a"), playlist.add(1, 0, "b"), playlist.add(4, 0, "c")] == [PLAYING, QUEUED, QUEUED]
    assert order(playlist) == ["a", "c", "b"]


def test_an_interruptible_sound_gives_way_to_an_equal_or_higher_one():
    for priority, placed in ((1, QUEUED), (2, PLAYING), (3, PLAYING)):
        playlist = Playlist()
        playlist.add(2, 1, "a")
        assert playlist.add(priority, 0, "b") == placed


def test_only_the_last_of_a_group_is_replaced():
    playlist = Playlist()
    playlist.add(4, 0, "now")
    for item, may_be_cut in (("a", 0), ("b", 1), ("c", 1), ("d", 0), ("e", 0)):
        assert playlist.add(2, may_be_cut, item) == QUEUED
    assert order(playlist) == ["now", "a", "d", "e"]


def test_ten_wait_and_the_next_is_refused():
    playlist = Playlist()
    playlist.add(4, 0, "now")
    assert [playlist.add(2, 0, str(number)) for number in range(11)] == [QUEUED] * 10 + [FULL]
    assert playlist.add(3, 0, "other group") == QUEUED
    playlist.clear()
    assert order(playlist) == []


def wav(kind=1, channels=1, bits=8, before=b""):
    form = struct.pack("<HHIIHH", kind, channels, 8000, 8000 * channels * bits // 8, channels * bits // 8, bits)
    return (b"RIFF\x00\x00\x00\x00WAVE" + before + b"fmt " + struct.pack("<I", 16) + form
            + b"data" + struct.pack("<I", 4) + b"\x00\x01\x02\x03")


def test_the_head_of_a_wav_tells_rate_channels_bits_and_where_the_samples_are():
    assert head(wav()) == (8000, 1, 8, 44, 4)
    assert head(wav(channels=2, bits=16)) == (8000, 2, 16, 44, 4)
    assert head(wav(before=b"LIST" + struct.pack("<I", 3) + b"abc\x00")) == (8000, 1, 8, 56, 4)


def test_other_files_are_refused():
    for data in (b"", b"RIFF", b"MThd" + bytes(40), wav(kind=85), wav(bits=24), wav(channels=6), wav()[:40]):
        try:
            head(data)
        except WavError:
            continue
        raise AssertionError(data)


def test_samples_become_duties():
    assert [duty(bytes([value]), 0, 8) for value in (0, 128, 255)] == [0, 32896, 65535]
    assert [duty(struct.pack("<h", value), 0, 16) for value in (-32768, 0, 32767)] == [0, 32768, 65535]


def test_a_text_is_made_of_the_longest_clips():
    clips = {"net", "net ok", "ok", "1", "12"}
    assert spoken("net ok, 121", clips) == ["net ok", "12", "1"]
    assert spoken("net down", clips) is None
    assert spoken("", clips) == []
