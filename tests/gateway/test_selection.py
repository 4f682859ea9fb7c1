"""Expressions that mean nodes."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import UsageError
from toolkit.gateway.engine import escaped, unescaped
from toolkit.gateway.selection import Facts, select

NODES = [
    Facts("u1", "lamp1", "10.0.0.1", version="2.0.0-0", board="esp32", state="up", tags=("hall", "light")),
    Facts("u2", "lamp2", "10.0.0.2", version="2.1.0-0", board="rp2", state="down", tags=("hall",)),
    Facts("u3", "lamp three", "10.0.0.3", version="1.20.7-0", board="esp32", state="up"),
    Facts("u4", "meter", "10.0.1.4", version="", board="esp32", state="unknown", tags=("cellar",)),
]
CASES = (
    # expression, numbers of the nodes it means
    ("all", "1234"),
    ("lamp1", "1"), ("u4", "4"), ("lamp*", "123"), ("lamp?", "12"), ('"lamp three"', "3"), ("Lamp1", ""),
    ("name=lamp*", "123"), ('name="lamp three"', "3"), ("name!=lamp*", "4"),
    ("tag=hall", "12"), ("tag=hall tag=light", "1"), ("tag!=hall", "34"),
    ("version<2.1", "13"), ("version<=2.0", "13"), ("version>=2.0", "12"), ("version>2.0.0-0", "2"),
    ("version=2.*", "12"), ("not version<2.1", "24"),
    ("name=lamp* version<2.1 tag=hall not board=rp2", "1"),
    ("lamp1 or meter", "14"), ("lamp1 or lamp2 tag=light", "1"), ("(lamp1 or lamp2) state=down", "2"),
    ("not (lamp1 or meter)", "23"), ("not not lamp1", "1"), ("lamp* and not lamp2", "13"),
    ("address=10.0.1.*", "4"), ("uid=u1 or uid=u2", "12"),
)
WRONG = (
    ("", "wants a term"), ("and lamp1", "wants a term"), ("lamp1 or", "wants a term"), ("(lamp1", "wants a closing"),
    ("lamp1)", "wants nothing more"), ("colour=red", "knows name, uid"), ("name<3", "compares versions"),
    ("version<new", "compares versions"), ('name="lamp', "a quote is not closed"), ("not", "wants a term"),
    ("(" * 30 + "a" + ")" * 30, "up to 20 brackets"), ("a" * 2000, "up to 1000 characters"),
)


@pytest.mark.parametrize("expression, numbers", CASES)
def test_an_expression_means_these_nodes(expression, numbers):
    assert "".join(node.uid[1:] for node in select(expression, NODES)) == numbers


@pytest.mark.parametrize("expression, words", WRONG, ids=lambda text: text[:12])
def test_a_mistake_is_told(expression, words):
    with pytest.raises(UsageError, match=words):
        select(expression, NODES)


@given(st.text(alphabet='ab*?[]()!=<>". not or and version tag=', max_size=60))
def test_any_text_means_something_or_is_told(expression):
    try:
        assert set(select(expression, NODES)) <= set(NODES)
    except UsageError as error:
        assert str(error)


@given(st.text(max_size=40))
def test_a_name_is_one_word_of_a_subject_and_comes_back(text):
    word = escaped(text)
    assert word and all(sign.isascii() and (sign.isalnum() or sign in "-_=") for sign in word)
    assert unescaped(word) == text.encode("utf-8", "replace").decode()
