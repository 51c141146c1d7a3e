"""`rnass predict --alignment` as typed."""

import pytest

ALIGNED = ">one\nGGGAUCCAAAAGGAUCCC\n>two\nGGCAUGCAAAAGCAUGCC\n"


def test_an_alignment_is_predicted(predict, tmp_path):
    (tmp_path / "a.afa").write_text(ALIGNED)
    status, _, err = predict("--alignment", "a.afa", "--out", "out", "--target", "two")
    assert status == 0
    assert "1 record done, 0 failed" in err
    assert "SS_cons" in (tmp_path / "out" / "consensus.sto").read_text()
    assert not (tmp_path / "out" / "one.dbn").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.afa", "--alignment", "a.afa"], "expected one of FASTA files, --alignment and --relatives"),
        (["--alignment", "a.afa", "--relatives", "a.afa"], "expected one of FASTA files"),
        (["a.afa", "--target", "one"], "expected --alignment or --relatives with it"),
        (["--alignment", "bad.afa"], "; expected rows of one length"),
        (["--alignment", "a.afa", "--target", "x"], "no row 'x'"),
        (
            ["--alignment", "a.afa", "--alignment", "a.afa"],
            "--alignment: given twice; expected it once",
        ),
        (
            ["--alignment", "a.afa", "--window", "200"],
            "--window: rows are predicted whole; expected FASTA",
        ),
        (["--relatives", "a.afa", "--longest-whole", "9"], "--longest-whole: rows are predicted whole"),
        (["--alignment", "nowhere.sto"], "nowhere.sto"),
    ],
)
def test_what_cannot_be_done_is_refused(predict, tmp_path, arguments, message):
    (tmp_path / "a.afa").write_text(ALIGNED)
    (tmp_path / "bad.afa").write_text(">a\nGGGG\n>b\nGGGGG\n")
    status, _, err = predict(*arguments, "--out", "out")
    assert status == 2
    assert message in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "out").exists()
