"""The words of messages."""

import pytest

from rnass.errors import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 records"), (1, "1 record"), (2, "2 records"), (1200, "1,200 records")]
)
def test_a_number_of_things(number, words):
    assert counted(number, "record") == words
