import logging

import pytest

from rnass.cli.options import log_to_stderr
from rnass.progress import record_bar


def test_nothing_is_drawn_in_a_pipe(capsys, caplog):
    caplog.set_level(logging.INFO, "rnass")
    with record_bar(2) as advance:
        advance(100)
        advance(50)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_terminal_shows_records_and_bases_unless_quiet(capsys, monkeypatch, caplog):
    monkeypatch.setenv("FORCE_COLOR", "1")
    caplog.set_level(logging.INFO, "rnass")
    with record_bar(2) as advance:
        advance(1500)
    assert "1/2" in (shown := capsys.readouterr().err)
    assert "1,500 bases" in shown
    caplog.set_level(logging.ERROR, "rnass")
    with record_bar(2) as advance:
        advance(1500)
    assert capsys.readouterr().err.strip() == ""


@pytest.fixture
def log():
    root, own = logging.getLogger(), logging.getLogger("rnass")
    before = root.handlers[:], root.level, own.level
    yield own
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


def test_a_message_has_a_line_of_its_own_above_the_bar(capsys, monkeypatch, log):
    monkeypatch.setenv("FORCE_COLOR", "1")
    log_to_stderr(quiet=False)
    with record_bar(2) as advance:
        advance(100)
        log.info("between")
        advance(50)
    lines = [line.split("\x1b[2K")[-1] for line in capsys.readouterr().err.split("\n")]
    assert "rnass: between" in lines
