"""esptool, as it is, and the virtual board's ROM loader; what is in the flash decides what the board does."""
import hashlib
import re
import struct
import zlib

import pytest
from serial_peers import Terminal, ampy, flash, mpremote, output, run_tool, wait_for_state

from toolkit.simulator import VirtualBoard
from toolkit.simulator.boards import BOARDS
from toolkit.simulator.errors import SimulatorError
from toolkit.simulator.espressif import CHIPS
from toolkit.simulator.firmware import checksum, esp_complaint, image
from toolkit.simulator.flashchip import FileSystem, FlashChip
from toolkit.simulator.loader import SYNC, Frames, Loader, framed

MAIN = "print('main ran')\nwhile True: pass\n"
MAC = bytes.fromhex("240ac4123456")
FLASH_BYTES, FILES_AT = 1 << 20, 0x80000
SYNC_OP, READ_REG, FLASH_BEGIN, FLASH_DATA, DEFL_BEGIN, DEFL_DATA, MD5, READ = 8, 10, 2, 3, 16, 17, 0x13, 0xD2
MEM_BEGIN, MEM_DATA, MEM_END, ERASE_FLASH = 5, 7, 6, 0xD0

# -- the flash chip


@pytest.fixture
def chip(tmp_path):
    directory = tmp_path / "files"
    directory.mkdir()
    return FlashChip(FLASH_BYTES, FileSystem(FILES_AT, directory, True), tmp_path / "kept")


def test_what_is_not_erased_before_is_spoilt(chip):
    chip.program(0, b"\x0f\xff")
    chip.program(0, b"\xf0\x55")
    assert chip.read(0, 3) == b"\x00\x55\xff"


def test_whole_sectors_are_erased(chip):
    chip.program(0, bytes(3 * 4096))
    chip.erase(5000, 10)
    assert chip.read(0, 3 * 4096) == bytes(4096) + b"\xff" * 4096 + bytes(4096)


def test_the_flash_has_an_end(chip):
    for action in (lambda: chip.read(FLASH_BYTES - 1, 2), lambda: chip.erase(FLASH_BYTES, 1),
                   lambda: chip.program(FLASH_BYTES - 1, b"ab")):
        with pytest.raises(ValueError, match="not within"):
            action()


def test_erasing_the_file_system_empties_the_directory_and_nothing_else_does(chip, tmp_path):
    chip.format_if_blank()
    (tmp_path / "files/sub").mkdir()
    (tmp_path / "files/sub/a.py").write_text("a")
    chip.erase(0, FILES_AT)
    chip.format_if_blank()
    assert sorted(path.name for path in (tmp_path / "files").iterdir()) == ["boot.py", "sub"]
    chip.erase(0, FLASH_BYTES)
    assert list((tmp_path / "files").iterdir()) == []
    chip.format_if_blank()
    assert [path.name for path in (tmp_path / "files").iterdir()] == ["boot.py"]


def test_the_flash_is_kept_once_it_was_written(chip, tmp_path):
    chip.deliver(0, b"as delivered")
    chip.save()
    assert not chip.is_kept()
    chip.program(100, b"x")
    chip.save()
    again = FlashChip(FLASH_BYTES, FileSystem(FILES_AT, tmp_path / "files", True), tmp_path / "kept")
    again.load()
    assert again.is_kept() and again.read(0, FLASH_BYTES) == chip.read(0, FLASH_BYTES)


# -- images


@pytest.mark.parametrize("board", sorted(name for name, kind in BOARDS.items() if kind.chip in CHIPS))
def test_esptool_knows_our_image_and_the_chip_would_start_it(board, tmp_path, chip):
    row = CHIPS[BOARDS[board].chip]
    chip.deliver(row.boot_at, image(board))
    assert esp_complaint(row, chip.read) == ""
    (tmp_path / "image").write_bytes(image(board))
    said = output("esptool", "image-info", tmp_path / "image")
    assert re.search(r"Checksum: 0x\w+ \(valid\)", said) and re.search(r"hash: \w+ \(valid\)", said)
    assert f"Chip ID: {row.image_id} " in said


COMPLAINTS = (
    (lambda data: b"\xff" * len(data), "invalid header: 0xffffffff"),
    (lambda data: b"\x7fELF" + data[4:], "invalid header: 0x464c457f"),
    (lambda data: data[:4096] + b"\xff" * (len(data) - 4096), "csum err"),
    (lambda data: data[:100] + bytes((data[101], data[100])) + data[102:], "Image hash failed"),
    (lambda data: data[:28] + b"\xff\xff\xff\x7f" + data[32:], "invalid segment"),
)


@pytest.mark.parametrize(("spoil", "complaint"), COMPLAINTS)
def test_a_spoilt_image_is_not_started(spoil, complaint, chip):
    chip.deliver(0x1000, spoil(image("esp32")))
    assert complaint in esp_complaint(CHIPS["esp32"], chip.read)


# -- the protocol, frame by frame


def test_frames_are_taken_out_of_any_stream():
    frames = Frames()
    stream = b"x" + framed(b"\xc0\xdb\xdc") + b"yz" + framed(b"two") + b"\xc0thr"
    found = [frame for at in range(len(stream)) for frame in frames.take(stream[at:at + 1])]
    assert (found, frames.stray) == ([b"\xc0\xdb\xdc", b"two"], b"xyz")
    assert [*frames.take(b"ee\xc0")] == [b"three"]


class Client:
    """The other end of the loader, one request at a time."""

    def __init__(self, loader):
        self.loader = loader

    def ask(self, command, data=b"", told=0):
        """(value, data, reason of the failure or 0)"""
        return self.parse(self.loader.feed(framed(struct.pack("<BBHI", 0, command, len(data), told) + data)))

    def parse(self, stream):
        answer = next(Frames().take(stream))
        assert answer[0] == 1 and len(answer) == 8 + int.from_bytes(answer[2:4], "little")
        tail = 2 if self.loader.is_stub else 4
        return int.from_bytes(answer[4:8], "little"), answer[8:-tail], answer[-tail + 1]

    def send(self, command, number, content):
        return self.ask(command, struct.pack("<4I", len(content), number, 0, 0) + content, checksum(content))

    def load_stub(self):
        self.ask(MEM_BEGIN, struct.pack("<4I", 4, 1, 4, 0x40080000))
        self.send(MEM_DATA, 0, b"stub")
        data = struct.pack("<II", 0, 0x40080000)
        return [*Frames().take(self.loader.feed(framed(struct.pack("<BBHI", 0, MEM_END, 8, 0) + data)))]


@pytest.fixture
def client(chip):
    return Client(Loader(CHIPS["esp32"], chip, MAC))


def test_a_sync_is_answered_eight_times_and_tells_rom_from_stub(client):
    assert len([*Frames().take(client.loader.feed(SYNC))]) == 8
    assert client.ask(SYNC_OP)[0] != 0
    assert client.load_stub()[1] == b"OHAI"
    assert len([*Frames().take(client.loader.feed(SYNC))]) == 8 and client.ask(SYNC_OP)[0] == 0


def test_the_mac_is_in_the_fuses(client):
    low = client.ask(READ_REG, struct.pack("<I", 0x3FF5A004))[0]
    high = client.ask(READ_REG, struct.pack("<I", 0x3FF5A008))[0]
    assert high.to_bytes(2) + low.to_bytes(4) == MAC


def begin(size, at, block=1024):
    return struct.pack("<4I", size, -(-size // block), block, at)


REFUSED = (                        # what is sent, the reason: "Serial Protocol", table of error codes
    (lambda c: c.ask(0x55), 5),
    (lambda c: c.ask(ERASE_FLASH), 5),                                     # of the stub only
    (lambda c: c.ask(READ_REG, b"\0"), 5),
    (lambda c: c.send(FLASH_DATA, 0, b"data"), 6),                         # before any begin
    (lambda c: c.ask(FLASH_BEGIN, begin(4096, FLASH_BYTES - 1024)), 8),
    (lambda c: [c.ask(FLASH_BEGIN, begin(4096, 0)), c.send(FLASH_DATA, 1, b"data")][1], 6),
    (lambda c: [c.ask(FLASH_BEGIN, begin(4096, 0)),
                c.ask(FLASH_DATA, struct.pack("<4I", 4, 0, 0, 0) + b"data", 1)][1], 7),
    (lambda c: [c.ask(FLASH_BEGIN, begin(4096, 0)),
                c.ask(FLASH_DATA, struct.pack("<4I", 9, 0, 0, 0) + b"data")][1], 5),
    (lambda c: [c.ask(DEFL_BEGIN, begin(4096, 0)), c.send(DEFL_DATA, 0, b"not deflated")][1], 0x0B),
    (lambda c: [c.ask(DEFL_BEGIN, begin(100, 0)), c.send(DEFL_DATA, 0, zlib.compress(bytes(200)))][1], 0x0B),
    (lambda c: c.ask(MD5, struct.pack("<4I", 0, FLASH_BYTES + 1, 0, 0)), 8),
)


@pytest.mark.parametrize(("talk", "reason"), REFUSED)
def test_what_cannot_be_done_is_answered_with_the_reason(client, talk, reason):
    assert talk(client)[2] == reason


def test_a_request_cut_short_is_refused(client):
    stream = client.loader.feed(framed(struct.pack("<BBHI", 0, READ_REG, 4, 0) + b"\0"))
    assert client.parse(stream)[2] == 5


def test_the_rom_erases_before_and_the_stub_as_it_writes(client, chip):
    for is_stub in (False, True):
        chip.program(0, bytes(16384))
        if is_stub:
            client.load_stub()
        client.ask(DEFL_BEGIN, begin(16384, 0))
        client.send(DEFL_DATA, 0, zlib.compress(b"a" * 100, 0)[:60])
        rest = chip.read(4096, 12288)
        assert rest == (bytes(12288) if is_stub else b"\xff" * 12288)
        assert chip.read(0, 10) == b"a" * 10


def test_the_digest_is_text_from_the_rom_and_bytes_from_the_stub(client, chip):
    chip.program(0, b"abc")
    request = struct.pack("<4I", 0, 3, 0, 0)
    assert client.ask(MD5, request)[1] == hashlib.md5(b"abc").hexdigest().encode()
    client.load_stub()
    assert client.ask(MD5, request)[1] == hashlib.md5(b"abc").digest()


def test_reading_waits_for_acknowledgements_and_ends_with_the_digest(client, chip):
    chip.program(0, bytes(range(256)) * 16)
    client.load_stub()
    request = struct.pack("<4I", 0, 4096, 256, 64)
    answer, *blocks = Frames().take(client.loader.feed(framed(struct.pack("<BBHI", 0, READ, 16, 0) + request)))
    assert len(blocks) == 8        # not all that a client may have asked for
    count = digest = 0
    while not digest:
        count += len(blocks[count // 256])
        said = [*Frames().take(client.loader.feed(framed(struct.pack("<I", count))))]
        if count == 4096:
            digest, = said
        else:
            blocks += said
    assert b"".join(blocks) == chip.read(0, 4096) and digest == hashlib.md5(chip.read(0, 4096)).digest()
    assert client.ask(SYNC_OP)[2] == 0


# -- esptool on the pty

SLOW = pytest.mark.slow


@pytest.fixture
def board():
    with VirtualBoard(main=MAIN) as board:
        yield board


@pytest.fixture
def firmware(tmp_path):
    file = tmp_path / "firmware.bin"
    file.write_bytes(image("esp32"))
    return file


NAMES = {"esp32": "ESP32-D0WD-V3", "tinypico": "ESP32-PICO-D4", "esp32s2": "ESP32-S2", "esp32s3": "ESP32-S3",
         "esp32c3": "ESP32-C3", "esp32c6": "ESP32-C6"}


@SLOW
@pytest.mark.parametrize("name", sorted(NAMES))
def test_esptool_finds_the_chip_its_mac_and_its_flash(name):
    with VirtualBoard(main=MAIN, board=name) as board:
        mac = board.run("import machine, binascii\nprint(binascii.hexlify(machine.unique_id(), ':').decode())").strip()
        for stub in ((), ("--no-stub",)):
            said = flash(board, *stub, "flash-id")
            assert f"Chip type:          {NAMES[name]} (" in said and mac in said and "Detected flash size: 4MB" in said
        flash(board, "chip-id")


@SLOW
@pytest.mark.parametrize("name", ["esp32c3", "esp32s2"])
def test_a_newer_chip_is_erased_written_and_started(name, tmp_path):
    (tmp_path / "image").write_bytes(image(name))
    with VirtualBoard(erased=True, board=name) as board:
        at = hex(CHIPS[name].boot_at)
        flash(board, "write-flash", at, tmp_path / "image")
        assert mpremote(board, "eval", "6 * 7") == "42\n"


@SLOW
def test_the_wrong_chip_is_named(board):
    done = run_tool("esptool", "-p", board.serial, "--before", "no-reset", "--chip", "esp32c3", "chip-id")
    assert done.returncode == 2 and "This chip is ESP32, not ESP32-C3" in done.stdout + done.stderr


@SLOW
@pytest.mark.parametrize("stub", [(), ("--no-stub",)], ids=["stub", "rom"])
def test_esptool_writes_verifies_and_reads_back(board, firmware, tmp_path, stub):
    flash(board, *stub, "erase-region", "0x1000", "0x7000")
    assert board.flash_bytes(0x1000, 0x7000) == b"\xff" * 0x7000
    assert "Hash of data verified" in flash(board, *stub, "-b", "460800", "write-flash", "0x1000", firmware)
    assert board.flash_bytes(0x1000, firmware.stat().st_size) == firmware.read_bytes()
    flash(board, *stub, "write-flash", "--no-compress", "0x9000", firmware)
    assert "digest matched" in flash(board, *stub, "verify-flash", "0x9000", firmware)
    flash(board, *stub, "read-flash", "0x1000", "0x2010", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == firmware.read_bytes()[:0x2010]


@SLOW
def test_an_erased_board_says_so_and_becomes_fresh_micropython(firmware):
    with VirtualBoard(erased=True) as board:
        assert "invalid header: 0xffffffff\r\n" in board.console() and board.info()["pid"] is None
        flash(board, "erase-flash")
        flash(board, "write-flash", "0x1000", firmware)
        assert board.info()["state"] == "download"
        assert "/boot.py" in ampy(board, "ls").split()         # its first Return, or Ctrl-C, is EN pressed
        assert [path.name for path in board.dir.iterdir()] == ["boot.py"]
        assert 'Type "help()" for more information.\r\n>>> ' in board.console()


@SLOW
def test_erasing_takes_the_files_and_the_firmware(board):
    flash(board, "erase-flash")
    assert list(board.dir.iterdir()) == []
    board.reset()
    assert board.info()["state"] == "empty"


@SLOW
def test_files_survive_new_firmware_without_erasing(board, firmware):
    flash(board, "write-flash", "0x1000", firmware)
    assert mpremote(board, "exec", "print(open('main.py').read())").strip() == MAIN.strip()


@SLOW
def test_half_an_image_does_not_start_and_a_second_try_mends_it(board, firmware):
    board.unplug_after(20_000)
    done = run_tool("esptool", "-p", board.serial, "--before", "no-reset", "--no-stub", "write-flash", "0x1000",
                    firmware)
    assert done.returncode != 0
    board.plug()
    assert board.info()["state"] == "empty" and "csum err" in board.console()
    flash(board, "write-flash", "0x1000", firmware)
    board.reset()
    wait_for_state(board, "main")


@SLOW
def test_with_its_usual_lines_esptool_warns_and_works_all_the_same(board):
    said = run_tool("esptool", "-p", board.serial, "chip-id")
    assert said.returncode == 0 and "Chip was NOT reset" in said.stdout + said.stderr


@SLOW
def test_the_roms_run_command_starts_the_firmware(board):
    flash(board, "--no-stub", "run")
    wait_for_state(board, "main")


@SLOW
def test_a_chip_whose_watchdog_esptool_knows_is_reset_by_it():
    with VirtualBoard(main=MAIN, board="esp32c3") as board:
        output("esptool", "-p", board.serial, "--before", "no-reset", "--after", "watchdog-reset", "chip-id")
        wait_for_state(board, "main")
        assert board.info()["cause"] == "wdt"


# -- into the loader and out of it


def test_a_sync_on_the_pty_is_the_boot_button_and_a_byte_outside_of_frames_is_en(board):
    with Terminal(board.serial) as terminal:
        for piece in (SYNC[:5], SYNC[5:-1], SYNC[-1:]):
            terminal.type(piece)
        terminal.until(b"boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\nwaiting for download\r\n")
        assert board.info()["state"] == "download"
        terminal.type(SYNC)
        terminal.until(b"\xc0\x01\x08")
        terminal.type(b"\r")
        terminal.until(b"boot:0x13 (SPI_FAST_FLASH_BOOT)")
        terminal.until(b"main ran")


def test_what_only_begins_like_a_sync_reaches_the_program(board):
    board.run_blind("import sys\nprint('reading')\nprint(sys.stdin.buffer.read(12))")
    with Terminal(board.serial) as terminal:
        terminal.until(b"reading\r\n")
        terminal.type(SYNC[:4])
        terminal.type(b"\xc0" + SYNC[:6] + b"!")
        assert terminal.until(b"\r\n") == repr(SYNC[:4] + b"\xc0" + SYNC[:6] + b"!").encode()


def test_the_board_can_be_put_into_its_loader_by_hand(board):
    board.download()
    with Terminal(board.serial) as terminal:
        terminal.type(SYNC)
        terminal.until(b"\xc0\x01\x08")
    board.reset()
    wait_for_state(board, "main")


def test_a_new_board_has_firmware_in_its_flash(board):
    assert board.flash_bytes(0x1000, 64) == image("esp32")[:64]
    with pytest.raises(SimulatorError, match="not within the flash"):
        board.flash_bytes(8 << 20, 1)


def test_firmware_and_files_are_kept_over_the_boards_process(tmp_path):
    with VirtualBoard(dir=tmp_path / "node", erased=True):
        pass
    with VirtualBoard(dir=tmp_path / "node") as board:
        assert board.info()["state"] == "empty" and list(board.dir.iterdir()) == []


def test_a_board_with_files_is_not_erased_by_an_option(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(SimulatorError, match="--erased is for a new board"), VirtualBoard(dir=tmp_path, erased=True):
        pass
    assert (tmp_path / "mine.txt").exists()
