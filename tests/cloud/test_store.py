"""The queue of what could not be sent: order, bounds, reboots, torn flash; runs on CPython and on MicroPython."""
import os
import sys

from micrOS.source.cloud.store import Store

FOLDER = "/tmp/micros-store-{}".format(os.getpid() if hasattr(os, "getpid") else id(sys))


def emptied():
    """The folder, with nothing in it."""
    for name in names():
        os.remove(FOLDER + "/" + name)
    return FOLDER


def names():
    try:
        return sorted(os.listdir(FOLDER))
    except OSError:
        return []


def filled(count, **limits):
    store = Store(emptied(), **limits)
    for at in range(count):
        store.put(["property", at])
    return store


def drained(store, most=1000):
    """[values] of all rows, taken in pieces, each said to be delivered."""
    values = []
    while True:
        rows = store.take(most, 1 << 20)
        if not rows:
            return values
        values += [row[1] for _, row in rows]
        store.done(rows[-1][0])


def test_with_a_link_nothing_touches_the_flash():
    store = filled(10)
    assert drained(store, 3) == list(range(10)) and names() == [] and store.waiting() == 0


def test_what_memory_does_not_hold_goes_to_flash_and_comes_first():
    store = filled(150, most_rows=64)
    assert names() and store.waiting() == 150
    store.put(["property", 150])
    assert drained(store, 7) == list(range(151)) and names() == [] and store.drops == []


def test_it_outlives_a_reboot_in_order_and_goes_on_counting():
    store = filled(100, most_rows=16)
    store.spill()
    rows = store.take(30, 1 << 20)
    store.done(rows[-1][0])
    again = Store(FOLDER, 16)
    again.put(["property", 100])
    values = drained(again)
    assert values[-71:] == list(range(30, 101)) and values == sorted(values)     # of the file amid which it was: twice
    assert names() == []


def test_a_power_cut_amid_a_write_costs_the_torn_row_only():
    store = filled(20, most_rows=64)
    store.spill()
    path = FOLDER + "/" + names()[-1]
    with open(path, "rb") as file:
        whole = file.read()
    for cut in (len(whole) - 1, len(whole) - 7, len(whole) - 20, 5):
        with open(path, "wb") as file:
            file.write(whole[:cut])
        kept = whole[:cut].count(b"\n")
        again = Store(FOLDER, 64)
        again.put(["property", "after"])
        assert again.spill()
        last = Store(FOLDER, 64)
        found = drained(last)
        assert found[:kept] == list(range(kept)) and found[-1] == "after" and len(found) <= kept + 2
        emptied()


def test_garbage_on_flash_is_passed_over():
    store = filled(3)
    store.spill()
    with open(FOLDER + "/" + names()[0], "ab") as file:
        file.write(b"\xff\x00garbage\n[1]\n[4,5]\n{}\n\n")
    again = Store(FOLDER)
    again.put(["property", 3])
    assert drained(again) == [0, 1, 2, 3] and again.is_empty() and names() == []


def test_the_flash_is_bounded_and_losses_are_told_as_ranges():
    store = filled(2000, most_rows=16, most_bytes=20000)
    lost = store.dropped
    assert 0 < lost < 2000 and len(store.drops) == 1 and store.drops[0] == [1, lost]
    assert sum([os.stat(FOLDER + "/" + name)[6] for name in names()]) <= 20000
    assert store.reported() == [[1, lost]] and store.reported() == []
    assert drained(store) == list(range(lost, 2000))


def test_without_flash_memory_is_the_bound():
    store = Store(None, 10)
    for at in range(25):
        store.put(["property", at])
    assert store.drops == [[1, 15]] and drained(store) == list(range(15, 25))


def test_a_flash_that_refuses_costs_the_oldest():
    store = filled(8, most_rows=8)
    store._folder = "/nowhere/at/all"
    assert not store.spill()
    store.put(["property", 8])
    assert store.drops == [[1, 1]] and drained(store) == list(range(1, 9))


def test_what_is_under_way_is_kept_until_it_is_delivered():
    store = filled(10)
    first, second = store.take(4, 1 << 20), store.take(4, 1 << 20)
    assert [row[0] for row in first + second] == list(range(1, 9))
    assert store.spill()                 # the link is gone
    store.done(4)
    assert [row[0] for row in store.take(9, 1 << 20)] == [9, 10]
    assert drained(Store(FOLDER))[-6:] == [4, 5, 6, 7, 8, 9]     # as after a reboot


def test_what_could_not_be_sent_is_taken_again():
    store = filled(100, most_rows=16)
    store.take(30, 1 << 20)
    store.done(10)
    store.rewind(20)
    assert [row[0] for row in store.take(3, 1 << 20)] == [21, 22, 23]
    store.rewind(10)
    assert drained(store) == list(range(10, 100))


def test_a_take_is_bounded_by_bytes_but_gives_one():
    store = Store(None)
    for _ in range(3):
        store.put(["event", "x" * 1000])
    assert len(store.take(10, 100)) == 1 and len(store.take(10, 3000)) == 2
