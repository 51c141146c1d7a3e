"""`rnass predict` under restraints: that each option reaches the job, and how bad files end."""

import json

import pytest

HAIRPIN = "GGGGAAAACCCC"


def test_every_option_reaches_the_job(tmp_path, predict):
    (tmp_path / "c.txt").write_text("x...........\n")
    (tmp_path / "r.shape").write_text("1 2.0\n")
    options = ["--constraints", "c.txt", "--shape", "r.shape", "--shape-method", "likelihood"]
    options += ["--modifier", "DMS", "--mix", "0.25", "--alternatives", "2", "--exact"]
    status, _, _ = predict("--sequence", HAIRPIN, "--out", "out", *options)
    assert status == 0
    run = json.loads((tmp_path / "out/run.json").read_text())
    assert run["restraints"] == {
        "constraints": "c.txt",
        "shape": "r.shape",
        "modifier": "DMS",
        "normalize_reactivities": False,
        "shape_method": "likelihood",
    }
    options = run["options"]
    assert (options["mix"], options["alternatives"]) == (0.25, 2)
    assert run["decoding"]["exact"] is True
    (name,) = {path.name.split(".")[0] for path in (tmp_path / "out").glob("*.ct")}
    assert (tmp_path / f"out/{name}.dbn").read_text().splitlines()[2] == ".(((....)))."
    assert (tmp_path / f"out/{name}.alternatives.dbn").is_file()


def test_two_strands_on_the_command_line(tmp_path, predict):
    assert predict("--sequence", "ggagcagg&cctgctcc", "--out", "out")[0] == 0
    (_, bases, brackets) = (tmp_path / "out/predictions.dbn").read_text().splitlines()
    assert (bases, brackets) == ("GGAGCAGG&CCUGCUCC", "((((((((&))))))))")


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--constraints", "DS:\n1\n", "known.txt:1: the section is never ended"),
        ("--constraints", ">lost\nx...\n", "known.txt:2 (lost): no record is called 'lost'"),
        ("--shape", "1 0.5\n1 0.5\n", "known.txt:2: base 1 stands twice"),
    ],
)
def test_a_file_that_cannot_be_read_ends_it_before_anything_is_written(
    tmp_path, predict, option, text, message
):
    (tmp_path / "known.txt").write_text(text)
    status, _, error = predict("--sequence", HAIRPIN, option, "known.txt", "--out", "out")
    assert status == 2
    assert error.count("\n") == 1
    assert error.startswith(f"rnass: {message}")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x..\n", "known.txt:1: 3 symbols; expected 12"),
        ("....|.......\n", "known.txt:1: base 5 (A) must pair but no base may be its partner"),
    ],
)
def test_constraints_that_cannot_hold_are_a_failed_record(tmp_path, predict, text, message):
    (tmp_path / "known.txt").write_text(text)
    status, _, error = predict("--sequence", HAIRPIN, "--constraints", "known.txt", "--out", "out")
    assert status == 1
    assert message in error


def test_a_mixture_out_of_range_is_refused(predict):
    status, _, error = predict("--sequence", HAIRPIN, "--mix", "1.5")
    assert status == 2
    assert "--mix" in error or "<=1" in error or "equal to 1" in error


@pytest.mark.parametrize(
    "option", [["--modifier", "DMS"], ["--normalize-reactivities"], ["--shape-method", "deigan"]]
)
def test_an_option_of_reactivities_without_any_is_refused(tmp_path, predict, option):
    status, _, error = predict("--sequence", HAIRPIN, *option)
    assert (status, error) == (2, f"rnass: {option[0]}: no reactivities; expected --shape with them\n")
    assert not (tmp_path / "results").exists()


def test_raw_reactivities_are_refused_and_normalised_by_an_option(tmp_path, predict):
    """Of the hairpin's four loop bases 800, of its stems 20: the structure is the one of 1 and 0.02."""
    rows = [f"{base} {800 if 5 <= base <= 8 else 20}" for base in range(1, 13)]
    (tmp_path / "raw.shape").write_text("\n".join(rows) + "\n")
    arguments = ["--sequence", HAIRPIN, "--shape", "raw.shape"]
    status, _, error = predict(*arguments, "--out", "raw")
    assert status == 1
    assert "90th percentile of the reactivities is 800; expected normalised ones" in error
    assert predict(*arguments, "--out", "out", "--normalize-reactivities")[0] == 0
    (_, _, brackets) = (tmp_path / "out/predictions.dbn").read_text().splitlines()
    assert brackets == "((((....))))"
