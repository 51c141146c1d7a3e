import logging

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
