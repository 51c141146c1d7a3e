"""The words of messages, and what never reaches a terminal."""

import pytest

from rnass.errors import InputError, counted, visible


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 records"), (1, "1 record"), (2, "2 records"), (1200, "1,200 records")]
)
def test_a_number_of_things(number, words):
    assert counted(number, "record") == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb\x07", "a\\x1b[31mb\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("caf\udce9", "caf\\udce9"),
        ("one\ntwo\tβ 中", "one\ntwo\tβ 中"),
    ],
)
def test_control_characters_never_reach_a_message(text, shown):
    assert visible(text) == shown
    assert str(InputError(text)) == shown
