"""Questions and answers of the beacon; runs on CPython and on MicroPython."""
from micrOS.source.pure.beacon import LEAST_BYTES, MOST_BYTES, BeaconError, answer, asked, question, told

LAMP = ("lamp", "micr240ac40102c3OS", "192.168.1.7", 9008, 8266, "2.0.0-0", True, "ESP32S3")
LINE = (b"micros!1 id=3f9a01c2 name=lamp uid=micr240ac40102c3OS ip=192.168.1.7 shell=9008 files=8266 "
        b"version=2.0.0-0 locked=yes board=ESP32S3")


def refusal(function, *args):
    try:
        function(*args)
    except BeaconError as error:
        return str(error)
    raise AssertionError(f"{args} was taken")


def padded(text):
    return text + b" " * (LEAST_BYTES - len(text))


def test_a_question_is_one_line_that_reads_back():
    assert question("3f9a01c2") == padded(b"micros?1 id=3f9a01c2")
    assert question("3f9a01c2", "lamp") == padded(b"micros?1 id=3f9a01c2 name=lamp")
    assert asked(question("3f9a01c2")) == ("3f9a01c2", "")
    assert asked(question("1", "micr240ac40102c3OS")) == ("1", "micr240ac40102c3OS")


def test_an_answer_is_one_line_that_reads_back():
    assert answer("3f9a01c2", LAMP) == LINE
    assert told(LINE, "3f9a01c2") == LAMP


def test_what_a_later_version_adds_is_passed_over():
    assert asked(padded(b"micros?2 colour=red id=7 name=lamp")) == ("7", "lamp")
    assert told(LINE.replace(b"!1", b"!12") + b" colour=red light", "3f9a01c2") == LAMP


def test_the_order_of_fields_does_not_matter():
    words = LINE.split()
    assert told(b" ".join(words[:1] + words[:0:-1]), "3f9a01c2") == LAMP


def test_an_answer_needs_a_name_a_uid_and_a_shell_port():
    for word in (b" name=lamp", b" uid=micr240ac40102c3OS", b" shell=9008"):
        assert "0 characters" in refusal(told, LINE.replace(word, b""), "3f9a01c2")
    rest = told(b"micros!1 id=1 name=n uid=u shell=1", "1")
    assert rest == ("n", "u", "", 1, 0, "", False, "")


NO_QUESTIONS = (
    b"", b"micros?1 id=1", padded(b""), padded(b"micros?"), padded(b"micros? id=1"), padded(b"micros?x id=1"),
    padded(b"micros?1"), padded(b"micros?1 id="), padded(b"micros?1 id=12345678901234567"),
    padded(b"micros?1 id=1 name=" + b"n" * 41), padded(b" micros?1 id=1"), padded(b"Micros?1 id=1"),
    padded(b"micros?1 id=1\n"), padded(b"micros?1 id=\xc3\xa9"), padded(b"micros?1 id=1\0"),
    b"micros?1 id=1" + b" " * MOST_BYTES,
)


def test_a_malformed_question_is_none():
    for data in NO_QUESTIONS:
        refusal(asked, data)


def test_an_answer_is_no_question_and_a_question_no_answer():
    refusal(asked, padded(LINE))
    refusal(told, question("1"), "1")


def test_the_answer_to_another_question_is_refused():
    assert refusal(told, LINE, "3f9a01c3") == "the answer to another question"


def test_a_port_is_a_number_up_to_65535():
    for port in (b"65536", b"-1", b"1e3", b"1_0", b"x", b"99999", b"999999"):
        refusal(told, LINE.replace(b"9008", port), "3f9a01c2")
        refusal(told, LINE.replace(b"8266", port), "3f9a01c2")
    assert told(LINE.replace(b"9008", b"65535"), "3f9a01c2")[3] == 65535


def test_the_longest_answer_is_less_than_twice_the_shortest_question():
    longest = answer("t" * 16, ("n" * 99, "u" * 99, "255.255.255.255", 65535, 65535, "v" * 99, True, "b" * 99))
    assert len(longest) <= MOST_BYTES <= 2 * LEAST_BYTES
    assert told(longest, "t" * 16)[0] == "n" * 32


def test_blanks_in_what_a_node_tells_do_not_make_new_words():
    sly = answer("1", ("lamp", "u", "", 1, 2, "1 uid=other", False, "Pi Pico W"))
    assert told(sly, "1") == ("lamp", "u", "", 1, 2, "1_uid=other", False, "Pi_Pico_W")


def test_nobody_can_ask_for_a_name_that_is_none():
    for name in ("two words", "n" * 41, "lämp", "x\n"):
        assert refusal(question, "1", name).startswith("no node is called")
