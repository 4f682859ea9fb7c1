"""The MicroPython modules and attributes that load modules of 1.20 import: there, and as strict as a board."""
import pytest

from toolkit.simulator import VirtualBoard

IDLE = "import time\nwhile True: time.sleep(9)\n"

# module: names that are imported from it, or asked of it
NAMES = {
    "binascii": "hexlify", "dht": "DHT11 DHT22", "dotstar": "DotStar", "ds18x20": "DS18X20",
    "esp32": "hall_sensor raw_temperature", "framebuf": "FrameBuffer MONO_HMSB MONO_VLSB",
    "gc": "collect mem_alloc mem_free", "hashlib": "sha1",
    "machine": "ADC I2C PWM Pin SoftI2C SoftSPI Timer TouchPad freq time_pulse_us",
    "math": "pow", "micropython": "const schedule", "neopixel": "NeoPixel", "network": "STA_IF WLAN",
    "onewire": "OneWire", "os": "getcwd listdir remove statvfs uname", "random": "randint", "sys": "modules platform",
    "time": "sleep sleep_ms", "uasyncio": "sleep sleep_ms create_task Event get_event_loop run",
    "ustruct": "calcsize pack unpack", "utime": "localtime sleep sleep_ms sleep_us ticks_ms ticks_diff time",
    # other names of that time
    "ubinascii": "hexlify", "ujson": "loads dumps", "uos": "listdir", "urandom": "randint", "usocket": "socket",
    "ure": "compile", "uhashlib": "sha1", "ucollections": "namedtuple", "uerrno": "ENOENT", "uio": "StringIO",
}
MEMBERS = (
    ("machine", "ADC", "atten read width read_u16 ATTN_11DB WIDTH_10BIT WIDTH_12BIT"),
    ("machine", "I2C", "readfrom readfrom_mem scan writeto writeto_mem"),
    ("machine", "PWM", "deinit duty freq"),
    ("machine", "Pin", "IN OUT IRQ_FALLING IRQ_RISING PULL_DOWN PULL_UP init irq value deinit on off"),
    ("machine", "SoftI2C", "writeto writevto"), ("machine", "TouchPad", "read"),
    ("machine", "Timer", "init deinit ONE_SHOT PERIODIC"), ("network", "WLAN", "status ifconfig isconnected"),
    ("dht", "DHT22", "humidity measure temperature"), ("neopixel", "NeoPixel", "write fill"),
)
TINYPICO = ("DOTSTAR_CLK DOTSTAR_DATA SPI_MISO dotstar_color_wheel set_dotstar_power get_battery_charging "
            "get_battery_voltage")

# (what it does, code, what it prints or the last line of its traceback)
FACTS = (
    ("PWM takes no float", "from machine import PWM, Pin\nPWM(Pin(4), freq=20480).duty(1.5)",
     "TypeError: can't convert float to int"),
    ("PWM takes no float as frequency", "from machine import PWM, Pin\nPWM(Pin(4), freq=20480.0)",
     "TypeError: can't convert float to int"),
    ("PWM counts to 1023", "from machine import PWM, Pin\nPWM(Pin(4), freq=20480).duty(1024)",
     "ValueError: duty must be between 0 and 1023"),
    ("PWM by position", "from machine import PWM, Pin\np = PWM(Pin(4), 20480)\np.duty(7)\nprint(p.duty(), p.freq())",
     "7 20480"),
    ("an input drives nothing", "from machine import Pin\nPin(34, Pin.OUT)", "ValueError: pin can only be input"),
    ("ADC counts as wide as asked", "from machine import ADC, Pin\na = ADC(Pin(34))\na.atten(ADC.ATTN_11DB)\n"
     "a.width(ADC.WIDTH_10BIT)\nprint(0 <= a.read() < 1024)", "True"),
    ("ADC knows its widths", "from machine import ADC, Pin\nADC(Pin(34)).width(3)", "ValueError: invalid bits"),
    ("ADC knows its attenuations", "from machine import ADC, Pin\nADC(Pin(34)).atten(9)", "ValueError: invalid atten"),
    ("ADC wants an ADC pin", "from machine import ADC, Pin\nADC(Pin(4))\nADC(Pin(5))", "ValueError: invalid pin"),
    ("SoftI2C finds nobody", "from machine import SoftI2C, Pin\nprint(SoftI2C(Pin(22), Pin(21)).scan())", "[]"),
    ("nobody answers an address", "from machine import SoftI2C, Pin\ni = SoftI2C(scl=Pin(22), sda=Pin(21))\n"
     "i.writeto(60, b'x')", "OSError: [Errno 19] ENODEV"),
    ("framebuf draws", "import framebuf\nb = bytearray(8)\nframebuf.FrameBuffer(b, 8, 8, framebuf.MONO_VLSB).fill(1)\n"
     "print(b[0])", "255"),
    ("ustruct packs", "import ustruct\nprint(ustruct.pack('<H', 258), ustruct.unpack('>H', b'\\x01\\x02'))",
     "b'\\x02\\x01' (258,)"),
    ("utime is the board's clock", "import utime, time\nprint(len(utime.localtime()), utime is time)", "8 True"),
    ("uasyncio runs", "import uasyncio\nasync def f():\n    await uasyncio.sleep_ms(1)\n    return 3\n"
     "print(uasyncio.run(f()))", "3"),
    ("a timer calls", "from machine import Timer\nimport time\nhits = []\nt = Timer(0)\n"
     "t.init(period=1, mode=Timer.ONE_SHOT, callback=hits.append)\n"
     "for _ in range(500):\n    time.sleep_ms(1)\n    if hits: break\nprint(hits[0] is t)", "True"),
    ("micropython.schedule calls", "import micropython, time\nhits = []\nmicropython.schedule(hits.append, 5)\n"
     "time.sleep_ms(1)\nprint(hits)", "[5]"),
    # the ways in which they make things
    ("a pin is set and read by calling it", "from machine import Pin\np = Pin(4, Pin.OUT)\np(1)\nprint(p(), p.value())",
     "1 1"),
    ("a pin by position", "from machine import Pin\nprint(Pin(4, Pin.IN, Pin.PULL_UP).value() in (0, 1))", "True"),
    ("a pin by keyword", "from machine import Pin\nprint(Pin(4, mode=Pin.IN, pull=None).value() in (0, 1))", "True"),
    ("I2C without a number", "from machine import I2C, Pin\nprint(I2C(-1, Pin(22), Pin(21)).scan())", "[]"),
    ("I2C by keyword", "from machine import I2C, Pin\nprint(I2C(scl=Pin(22), sda=Pin(21), freq=10000).scan())", "[]"),
    ("SoftSPI writes", "from machine import Pin, SoftSPI\n"
     "print(SoftSPI(sck=Pin(4), mosi=Pin(5), miso=Pin(18)).write(b'x'))", "None"),
    ("a strip by item", "from machine import Pin\nfrom neopixel import NeoPixel\nn = NeoPixel(Pin(4), 3)\n"
     "n[2] = (1, 2, 3)\nn.write()\nprint(n.n, n[2])", "3 (1, 2, 3)"),
    ("framebuf may be a base class", "import framebuf\nclass D(framebuf.FrameBuffer):\n    def __init__(self):\n"
     "        self.b = bytearray(8)\n        super().__init__(self.b, 8, 8, framebuf.MONO_HMSB)\n"
     "d = D()\nd.pixel(0, 0, 1)\nprint(d.b[0])", "1"),
    ("DS18X20 on OneWire on a pin", "from ds18x20 import DS18X20\nfrom machine import Pin\n"
     "from onewire import OneWire\nprint(DS18X20(OneWire(Pin(19))).scan())", "[]"),
    ("an echo that does not come", "from machine import Pin, time_pulse_us\nprint(time_pulse_us(Pin(35), 1, 1000) < 0)",
     "True"),
)


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(main=IDLE) as running:
        yield running


@pytest.mark.parametrize("module", NAMES)
def test_a_module_has_the_names_that_guests_import(board, module):
    for name in NAMES[module].split():
        board.run(f"from {module} import {name}")


@pytest.mark.parametrize(("module", "owner", "names"), MEMBERS, ids=[f"{row[0]}.{row[1]}" for row in MEMBERS])
def test_a_class_has_the_names_that_guests_use(board, module, owner, names):
    told = board.run(f"from {module} import {owner}\nprint([n for n in {names.split()} if not hasattr({owner}, n)])")
    assert told == "[]\n"


def test_a_tinypico_has_its_own_module():
    with VirtualBoard(main=IDLE, board="tinypico") as board:
        for name in TINYPICO.split():
            board.run(f"from tinypico import {name}")


@pytest.mark.parametrize(("code", "told"), [row[1:] for row in FACTS], ids=[row[0] for row in FACTS])
def test_a_board_is_strict(board, code, told):
    wrapped = f"try:\n    exec({code!r})\nexcept Exception as error:\n    print(type(error).__name__ + ':', error)"
    assert board.run(wrapped).strip().splitlines()[-1] == told
