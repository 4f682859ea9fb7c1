"""A Pico without firmware is a USB drive that takes a UF2 file."""
import os

import pytest
from serial_peers import wait_for_state

from toolkit.simulator import VirtualBoard
from toolkit.simulator.firmware import RP2040, RP2350, image, rp2_image, rp2_starts, uf2, uf2_blocks


def test_a_uf2_file_holds_the_image_and_says_for_whom():
    data = bytes(range(256)) * 3 + b"end"
    blocks = list(uf2_blocks(uf2(data, RP2040), RP2040))
    assert [(count, offset) for count, offset, _ in blocks] == [(4, 0), (4, 256), (4, 512), (4, 768)]
    assert b"".join(content for _, _, content in blocks).rstrip(b"\0") == data
    assert list(uf2_blocks(uf2(data, RP2350), RP2040)) == []


def test_the_boot_rom_starts_what_has_a_good_second_stage():
    good = rp2_image(b"program")
    assert rp2_starts(lambda at, size: good[at:at + size])
    assert not rp2_starts(lambda at, size: b"\xff" * size)
    bad = good.replace(b"second", b"fecond")
    assert not rp2_starts(lambda at, size: bad[at:at + size])


@pytest.fixture
def pico():
    with VirtualBoard(board="rp2", erased=True) as board:
        yield board


def test_an_empty_pico_is_a_drive_and_no_serial_port(pico):
    assert pico.info()["state"] == "bootsel"
    assert sorted(path.name for path in pico.drive.iterdir()) == ["INDEX.HTM", "INFO_UF2.TXT"]
    assert "Board-ID: RPI-RP2" in (pico.drive / "INFO_UF2.TXT").read_text()
    assert not os.path.lexists(pico.serial)


def test_a_whole_file_unmounts_the_drive_and_starts_the_board(pico):
    (pico.drive / "firmware.uf2").write_bytes(image("rp2"))
    wait_for_state(pico, "repl")
    assert not pico.drive.exists()
    assert os.path.lexists(pico.serial)
    assert pico.run("import sys, os\nprint(sys.platform, os.listdir('/'))") == "rp2 ['rom']\n"


def test_a_file_may_come_in_pieces_and_backwards(pico):
    whole = image("rp2")
    blocks = [whole[at:at + 512] for at in range(0, len(whole), 512)]
    with open(pico.drive / "firmware.uf2", "wb") as file:
        for block in reversed(blocks[1:]):
            file.write(block)
        file.flush()
        assert pico.info()["state"] == "bootsel"
        file.write(blocks[0])
    wait_for_state(pico, "repl")


def test_a_file_for_another_chip_changes_nothing(pico):
    (pico.drive / "wrong.uf2").write_bytes(uf2(rp2_image(b"program"), RP2350))
    (pico.drive / "text.uf2").write_bytes(b"not at all " * 100)
    (pico.drive / "right.uf2").write_bytes(image("rp2"))
    wait_for_state(pico, "repl")
    assert pico.flash_bytes(256, 7) == image("rp2")[512 + 32:512 + 39]


def test_the_boot_button_makes_a_running_pico_a_drive_until_the_next_reset():
    with VirtualBoard(board="rp2", main="while True: pass") as board:
        assert board.drive and not board.drive.exists()
        board.download()
        assert board.drive.exists() and not os.path.lexists(board.serial)
        board.reset()
        wait_for_state(board, "main")
        assert not board.drive.exists() and os.path.lexists(board.serial)
