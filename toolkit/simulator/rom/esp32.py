"""What only the ESP32 has; the readings are those that the host has set."""
from _vboard import ask

WAKEUP_ALL_LOW, WAKEUP_ANY_HIGH = 0, 1
HEAP_DATA, HEAP_EXEC = 4, 1


def raw_temperature():
    return ask("sensor raw_temperature\n")


def mcu_temperature():
    return (raw_temperature() - 32) * 5 // 9


def hall_sensor():
    return ask("sensor hall\n")


def idf_heap_info(capabilities):
    return [(131072, 65536, 61440, 59392)]
