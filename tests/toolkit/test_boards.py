"""The table of boards: what esptool is told, and that it fits the chips, the pin maps and the virtual boards."""
import pytest
from esptool.targets import CHIP_DEFS

from toolkit import drive
from toolkit.boards import BOARDS, board_named, boards_with
from toolkit.compile import shipped_source
from toolkit.errors import NoPortError, PortLostError, UsageError, WrongChipError

ESP = [board for board in BOARDS if not board.is_uf2]


@pytest.mark.parametrize("board", ESP, ids=lambda board: board.name)
def test_esptool_knows_the_chip_by_this_name_and_starts_it_at_this_offset(board):
    chip = CHIP_DEFS[board.erase("P")[1]]
    assert (board.chip, board.offset) == (chip.CHIP_NAME, chip.BOOTLOADER_FLASH_OFFSET)
    assert (chip.IMAGE_CHIP_ID or 0) == board.image_chip


@pytest.mark.parametrize("name, line", (
    ("esp32", "--chip esp32 --port P --baud 460800 --after hard-reset write-flash 0x1000 F"),
    ("tinypico", "--chip esp32 --port P --baud 460800 --after hard-reset write-flash 0x1000 F"),
    ("esp32s2", "--chip esp32s2 --port P --baud 460800 --after no-reset write-flash 0x1000 F"),
    ("esp32s3_spiram_oct", "--chip esp32s3 --port P --baud 460800 --after hard-reset write-flash 0x0 F"),
    ("esp32c6", "--chip esp32c6 --port P --baud 460800 --after hard-reset write-flash 0x0 F"),
))
def test_how_a_board_is_written(name, line):
    assert " ".join(board_named(name).write("P", "F")) == line


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_a_board_has_its_pin_map(board):
    assert (shipped_source() / "boards" / f"{board.pin_map}.py").is_file()


@pytest.mark.parametrize("spelling, name", (
    ("esp32", "esp32"), ("esp32s2", "esp32s2"), ("tinypico", "tinypico"), ("rp2-pico-w", "rp2"),
    ("esp32s3_spiram_oct", "esp32s3_spiram_oct"), ("ESP32C3", "esp32c3"),
))
def test_the_names_of_1_20_still_work(spelling, name):
    assert board_named(spelling).name == name


def test_an_unknown_board_names_those_there_are():
    with pytest.raises(UsageError, match="no board 'esp8266'; there are: esp32, tinypico, .*, rp2"):
        board_named("esp8266")


def test_of_several_boards_with_a_chip_the_plain_one_comes_first():
    assert [board.name for board in boards_with("ESP32")] == ["esp32", "tinypico"]
    assert boards_with("ESP32-S3")[0].name == "esp32s3"
    assert not boards_with("ESP32-H2")


def test_the_image_of_a_board_is_named_as_at_micropython_org():
    assert board_named("esp32c3").image_name == "ESP32_GENERIC_C3-20260824-v1.29.0.bin"
    assert board_named("rp2").image_name == "RPI_PICO_W-20260824-v1.29.0.uf2"


# -- the drive of an rp2


RP2 = board_named("rp2")


def mount(folder, board_id="RPI-RP2"):
    folder.mkdir(parents=True)
    (folder / drive.INFO).write_text(f"UF2 Bootloader v3.0\r\nModel: x\r\nBoard-ID: {board_id}\r\n")
    return folder


@pytest.mark.parametrize("place", ("media/RPI-RP2", "media/me/RPI-RP2", "run/media/me/RPI-RP2", "Volumes/RPI-RP2"))
def test_a_drive_is_found_where_the_system_mounts_it(tmp_path, place):
    found = mount(tmp_path / place)
    mount(tmp_path / "media" / "me" / "OTHER", "RP2350")
    (tmp_path / "media" / "me" / "STICK").mkdir()
    assert drive.mounted(RP2, tmp_path) == [found]


def test_the_drive_of_another_board_is_refused(tmp_path):
    with pytest.raises(WrongChipError, match="wrong chip: found RP2350, expected RPI-RP2"):
        drive.find(RP2, mount(tmp_path / "d", "RP2350"))


def test_a_folder_that_is_no_boot_loader_is_refused(tmp_path):
    with pytest.raises(UsageError, match="holds no INFO_UF2.TXT"):
        drive.find(RP2, tmp_path)


def test_without_a_drive_the_button_is_named(monkeypatch):
    monkeypatch.setattr(drive, "MOUNT_POINTS", ())
    with pytest.raises(NoPortError, match="hold the BOOTSEL button"):
        drive.find(RP2)


def test_a_drive_that_is_not_there_any_more_is_a_cable_out(tmp_path):
    (tmp_path / "image.uf2").write_bytes(bytes(512))
    with pytest.raises(PortLostError, match="took 0 of 512 bytes: .*BOOTSEL"):
        drive.copy(tmp_path / "image.uf2", tmp_path / "gone", lambda done, total: None)
