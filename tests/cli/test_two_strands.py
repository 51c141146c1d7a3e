"""Two strands by the command. Energies and ViennaRNA's structures are RNAcofold 2.7.2's."""

import csv

import pytest


@pytest.fixture
def summary(predict, tmp_path):
    """Predicts the text of a FASTA file; gives exit status and the rows of summary.tsv by id."""

    def run(text, *arguments):
        path = tmp_path / "seqs.fa"
        path.write_text(text)
        status, _, err = predict(path, "--out", tmp_path / "out", "--baseline", *arguments)
        with (tmp_path / "out" / "summary.tsv").open(newline="") as file:
            return status, {row["id"]: row for row in csv.DictReader(file, delimiter="\t")}, err

    return run


def mfe_structure(folder, name):
    return (folder / "out" / f"{name}.vienna.dbn").read_text().splitlines()[2].split()[0]


def test_strands_that_do_not_bind_cost_the_others_nothing(summary, tmp_path):
    status, rows, _ = summary(">ok1\nGGCGAAAGCC\n>dimer\nAAAA&GGGAAACCC\n>ok2\nGGGCAAAGCCC\n")
    assert status == 0
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(
        ("ok1", "dimer", "ok2"), "ok"
    )
    assert float(rows["dimer"]["mfe_kcal_mol"]) == pytest.approx(-1.2)
    assert mfe_structure(tmp_path, "dimer") == "....&(((...)))"


def test_the_minimum_is_not_above_the_centroid(summary, tmp_path):
    status, rows, _ = summary(">w\nGGCGAAAGCCUU&AAAA\n")
    assert status == 0
    assert float(rows["w"]["mfe_kcal_mol"]) == pytest.approx(-4.6)
    assert float(rows["w"]["centroid_kcal_mol"]) >= -4.6
    assert mfe_structure(tmp_path, "w") == "(((....)))..&...."


def test_one_base_each(summary):
    status, rows, _ = summary(">gc\nG&C\n")
    assert (status, rows["gc"]["status"], rows["gc"]["pairs"]) == (0, "ok", "0")


def test_a_strand_that_must_not_pair(summary, tmp_path):
    text = ">d\nGCAGCA&AAGGCGCUUCGGCGCCAAUU\n"
    path = tmp_path / "c.txt"
    path.write_text(text + "......&xxxxxxxxxxxxxxxxxxxx\n")
    status, rows, _ = summary(text, "--constraints", path)
    assert (status, rows["d"]["status"]) == (0, "ok")
    structure = (tmp_path / "out" / "d.dbn").read_text().splitlines()[2]
    assert structure.split("&")[1] == "." * 20


def test_a_failed_fold_is_its_records(summary, monkeypatch):
    import RNA

    really = RNA.fold_compound.mfe

    def mfe(compound):
        if compound.length == 11:
            raise RuntimeError("no room")
        return really(compound)

    monkeypatch.setattr(RNA.fold_compound, "mfe", mfe)
    status, rows, err = summary(">ok1\nGGCGAAAGCC\n>bad\nGGGCAAAGCCC\n")
    assert status == 1
    assert rows["ok1"]["status"] == "ok"
    assert rows["bad"]["status"] == "failed"
    assert "ViennaRNA: RuntimeError no room" in rows["bad"]["message"]
    assert "no room" in err
