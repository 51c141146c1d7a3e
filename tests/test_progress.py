from rnass.progress import record_bar


def test_nothing_is_drawn_in_a_pipe(capsys):
    with record_bar(2) as advance:
        advance(100)
        advance(50)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_terminal_shows_records_and_bases(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with record_bar(2) as advance:
        advance(1500)
    assert "1/2" in (shown := capsys.readouterr().err)
    assert "1,500 bases" in shown
    with record_bar(2, quiet=True) as advance:
        advance(1500)
    assert capsys.readouterr().err.strip() == ""
