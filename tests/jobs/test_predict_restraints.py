"""The main job under what is known: each kind of constraint holds where it would not without it,
reactivities move the structure, alternatives, two strands. The weights say what ViennaRNA says.
"""

import json

import numpy as np
import pytest
from one_fold import fold

from rnass.constraints import Constraints
from rnass.decoding import decode, expected_f1
from rnass.errors import ConstraintError, InputError
from rnass.io import read_constraints, read_results, read_structures
from rnass.jobs.predict import PredictOptions, predict_files
from rnass.prediction.predictor import load_predictor
from rnass.rna import Rna
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.folding import FoldInput
from rnass.thermodynamics.free_energy import energy

HAIRPIN = "GGGGAAAACCCC"
SWITCH = "GGGGAAAACCCCAAAAGGGG"
LEFT, RIGHT = "((((....))))........", "........((((....))))"
DUPLEX = "GGAGCAGG&CCUGCUCC"


@pytest.fixture
def predict(tmp_path, weights):
    """Runs the job on records (name, bases), and gives exit status and the folder of the results."""

    def run(records, out="out", fasta="seqs.fa", **options):
        path = tmp_path / fasta
        path.write_text("".join(f">{name}\n{bases}\n" for name, bases in records.items()))
        chosen = {"weights": weights, "device": "cpu", "threads": 1} | options
        return predict_files([str(path)], tmp_path / out, PredictOptions(**chosen)), tmp_path / out

    return run


@pytest.fixture
def file(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def structure(folder, name="x"):
    ((_, found),) = read_structures(folder / f"{name}.dbn")
    return found


def summary(folder):
    lines = [line.split("\t") for line in (folder / "summary.tsv").read_text().splitlines()]
    return {line[0]: dict(zip(lines[0], line, strict=True)) for line in lines[1:]}


KINDS = {
    "unpaired": (HAIRPIN, "x...........", lambda p, b: p[0] < 0),
    "paired": (f"{HAIRPIN}AAAAU", "................|", lambda p, b: p[16] >= 0),
    "downstream": (SWITCH, "........<<<<........", lambda p, b: min(p[8:12]) > 11),
    "upstream": ("GGAAAACCCCAAAAGGGG", ".......>>.........", lambda p, b: 0 <= max(p[7:9]) < 7),
    "a pair": (HAIRPIN, "(........)..", lambda p, b: p[0] == 9),
    "DS": (f"{HAIRPIN}AAAAU", "DS:\n17\n-1\n", lambda p, b: p[16] >= 0),
    "SS": (HAIRPIN, "SS:\n1\n-1\n", lambda p, b: p[0] < 0),
    "Pairs": (HAIRPIN, "Pairs:\n10 1\n-1 -1\n", lambda p, b: p[0] == 9),
    "FMN": ("AGGGAAAACCCU", "FMN:\n12\n-1\n", lambda p, b: b[p[11]] == "G"),
    "Forbids": (HAIRPIN, "Forbids:\n1 12\n-1 -1\n", lambda p, b: p[0] != 11),
}


@pytest.mark.parametrize(("bases", "text", "holds"), KINDS.values(), ids=KINDS)
def test_each_constraint_holds_where_it_would_not(predict, file, bases, text, holds):
    _, free = predict({"x": bases})
    assert not holds(structure(free).partners, bases)
    status, bound = predict({"x": bases}, "bound", constraints=file("x.txt", text))
    assert status == 0
    assert holds(structure(bound).partners, bases)


def test_constraints_hold_in_vienna_too(predict, file):
    _, out = predict({"x": HAIRPIN}, constraints=file("x.txt", "x..........."), baseline=True)
    ((_, mfe),) = read_structures(out / "x.vienna.dbn")
    assert mfe.dot_bracket == ".(((....)))."


def test_a_constraint_that_cannot_hold_spoils_its_record_alone(predict, file):
    lines = file("c.txt", ">bad\n....|.......\n>long\nx....\n>good\nx...........\n")
    records = {"bad": HAIRPIN, "long": HAIRPIN, "good": HAIRPIN, "free": HAIRPIN}
    status, out = predict(records, constraints=lines)
    rows = summary(out)
    assert status == 1
    assert {name: row["status"] for name, row in rows.items()} == {
        "bad": "failed", "long": "failed", "good": "ok", "free": "ok"
    }  # fmt: skip
    assert (
        f"{lines}:2 (bad): base 5 (A) must pair but no base may be its partner"
        in (rows["bad"]["message"])
    )
    assert f"{lines}:4 (long): 5 symbols; expected 12" in rows["long"]["message"]
    assert structure(out, "good").dot_bracket == ".(((....)))."


def test_constraints_that_only_a_pseudoknot_obeys(predict, file):
    forced = file("x.con", "Pairs:\n1 12\n9 20\n-1 -1\n")
    status, out = predict({"x": SWITCH}, constraints=forced)
    assert status == 0
    partners = structure(out).partners
    assert (partners[0], partners[8]) == (11, 19)
    assert structure(out).pseudoknot_order == 1


def test_a_forced_pair_counts_with_its_probability_in_the_confidence(predict, file):
    forced = file("x.con", "Pairs:\n1 12\n-1 -1\n")  # A-A, which ViennaRNA never forms
    _, out = predict({"x": "A" * 12}, constraints=forced, decoding={"canonical": False})
    assert structure(out).pairs.tolist() == [[0, 11]]
    assert np.load(out / "x.npy")[0, 11] < 0.01
    assert float(summary(out)["x"]["confidence"]) < 0.02


def test_constraint_lines_in_the_fasta_itself(tmp_path, predict):
    records = {"a": f"{HAIRPIN}\nx...........", "b": HAIRPIN, "c": f"{HAIRPIN}\n>>>>....<<<<"}
    status, out = predict(records, constraints=str(tmp_path / "seqs.fa"))
    assert len(read_constraints(tmp_path / "seqs.fa")) == 2
    assert status == 1
    assert structure(out, "a").dot_bracket == ".(((....)))."
    assert structure(out, "b").dot_bracket == "((((....))))"
    assert "base 1 (G) must pair" in summary(out)["c"]["message"]


def test_reactivities_choose_between_two_hairpins(predict, file):
    for k, (reactive, expected) in enumerate((((1, 5), RIGHT), ((17, 21), LEFT))):
        rows = "".join(f"{base} 3.0\n" for base in range(*reactive))
        status, out = predict({"x": SWITCH}, f"out{k}", shape=file("x.shape", rows), baseline=True)
        assert status == 0
        assert structure(out).dot_bracket == expected
        ((_, mfe),) = read_structures(out / "x.vienna.dbn")
        assert mfe.dot_bracket == expected
        # the energy is the structure's own, without what the reactivities add
        assert float(summary(out)["x"]["mfe_kcal_mol"]) == pytest.approx(energy(SWITCH, mfe), abs=1e-3)


def test_missing_reactivities_are_not_zeros(predict, file):
    maps = {}
    for name, text in (("none", None), ("missing", "-999"), ("zero", "0")):
        rows = "".join(f"{base} {text}\n" for base in range(1, 20))
        shape = None if text is None else file("x.shape", rows)
        _, out = predict({"x": SWITCH}, name, shape=shape)
        maps[name] = np.load(out / "x.npy")
    np.testing.assert_array_equal(maps["missing"], maps["none"])
    assert np.abs(maps["zero"] - maps["none"]).max() > 5e-4


def test_both_maps_are_written_where_reactivities_change_the_one_to_decode(predict, file):
    rows = "".join(f"{base} {0.1 * (base % 7)}\n" for base in range(1, 21))
    _, out = predict({"x": SWITCH}, "probed", shape=file("x.shape", rows))
    network, decoded = (np.load(out / f"x{suffix}") for suffix in (".npy", ".decoded.npy"))
    assert np.abs(network - decoded).max() > 0.005
    (record,) = read_results(out).records
    np.testing.assert_array_equal(record.decoded_map(), decoded)
    ((_, structure),) = read_structures(out / "x.dbn")
    confidence = expected_f1(decoded, structure)
    assert float(summary(out)["x"]["confidence"]) == pytest.approx(confidence, abs=1e-4)
    _, out = predict({"x": SWITCH}, "alone")
    assert not (out / "x.decoded.npy").exists()


def test_methods_and_modifiers_differ(predict, file):
    rows = "".join(f"{base} {0.1 * (base % 7)}\n" for base in range(1, 21))
    shape = file("x.shape", rows)
    found = {}
    for modifier in (None, "2A3", "DMS"):
        for method in ("deigan", "likelihood"):
            options = {"modifier": modifier, "shape_method": method, "shape": shape}
            _, out = predict({"x": SWITCH}, f"{modifier}-{method}", **options)
            found[modifier, method] = summary(out)["x"]["confidence"]
    assert found[None, "deigan"] == found["2A3", "deigan"]  # Deigan's formula knows SHAPE alone
    assert len(set(found.values())) == 5


def test_mixing_all_of_vienna_decodes_its_map(weights):
    predictor = load_predictor(weights, device="cpu", thermodynamics=False, mix=1.0)
    found = predictor(SWITCH + "AGC")
    expected = Ensemble(SWITCH + "AGC").bpp.dense()
    assert found.structure == decode(expected, SWITCH + "AGC", predictor.decoding)
    np.testing.assert_allclose(found.decoded_map, expected, atol=1e-3)
    assert np.abs(found.probabilities - expected).max() > 0.1


def test_what_is_mixed_in_is_what_the_network_reads():
    bases = "GCGGCGCAAGGACCAAGCGCCGCAAAAAAUGGUCC"  # a pseudoknot of two stems
    predictor = load_predictor("base", device="cpu", mix=1.0)
    first, second = predictor.model.config.parameter_sets  # the other is a second fold of it
    expected = fold(bases, parameter_sets=(first, second)).mixed_bpp()
    assert abs(expected - Ensemble(bases, first).bpp.dense()).max() > 0.5  # its other stem
    np.testing.assert_allclose(predictor(bases).decoded_map, expected, atol=5e-3)
    assert np.abs(expected - Ensemble(bases).bpp.dense()).max() > 0.01  # not by Turner 2004


def test_alternatives_of_a_switch(predict):
    status, out = predict({"x": SWITCH}, alternatives=2, mix=1.0, decoding={"min_helix": 3})
    assert status == 0
    records = read_structures(out / "x.alternatives.dbn")
    assert {found.dot_bracket for _, found in records} == {LEFT, RIGHT}
    assert records[0][1] == structure(out)
    words = [dict(w.split("=") for w in s.description.split()[1:]) for s, _ in records]
    assert [word["alternative"] for word in words] == ["1", "2"]
    assert 0 < sum(float(word["weight"]) for word in words) <= 1.001


def test_alternatives_hold_to_the_constraints(predict, file):
    line = file("x.txt", "....................".replace(".", "x", 1))
    _, out = predict({"x": SWITCH}, alternatives=5, constraints=line)
    assert all(found.partners[0] < 0 for _, found in read_structures(out / "x.alternatives.dbn"))


def test_resuming_repeats_a_record_whose_restraints_changed(predict, file):
    records = {"a": HAIRPIN, "b": HAIRPIN}
    lines = ">a\nx...........\n>b\n.x..........\n"
    _, out = predict(records, constraints=file("c.txt", lines))
    before = {name: (out / f"{name}.ct").stat().st_mtime_ns for name in records}
    changed = file("c.txt", lines.replace(".x.", "..x"))
    status, _ = predict(records, constraints=changed, resume=True)
    after = {name: (out / f"{name}.ct").stat().st_mtime_ns for name in records}
    assert status == 0
    assert [name for name in records if before[name] != after[name]] == ["b"]
    assert json.loads((out / "run.json").read_text())["restraints"]["constraints"] == changed


def test_two_strands(predict):
    records = {"pair": DUPLEX, "one": HAIRPIN}
    status, out = predict(records, plot="svg", baseline=True)
    assert status == 0
    assert (out / "pair.dbn").read_text() == f">pair\n{DUPLEX}\n((((((((&))))))))\n"
    assert (out / "pair.vienna.dbn").read_text().splitlines()[2] == "((((((((&))))))))"
    assert (out / "predictions.dbn").read_text().startswith(f">pair\n{DUPLEX}\n")
    assert read_structures(out / "pair.ct")[0][0].nick == 8
    assert (out / "pair.bpseq").read_text().startswith("# pair (two strands: 1-8 and 9-16)\n")
    ((sequence, found),) = read_structures(out / "pair.dbn")
    assert (sequence.nick, len(found.pairs)) == (8, 8)
    for suffix in ("ct", "bpseq"):
        assert read_structures(out / f"pair.{suffix}")[0][1] == found
    assert np.load(out / "pair.npy").shape == (16, 16)
    assert "between the strands" in (out / "pair.svg").read_text()
    # the same bases as one strand cannot close over themselves
    _, one = predict({"pair": DUPLEX.replace("&", "")}, "one")
    assert structure(one, "pair").partners[7] < 0


def test_constraints_on_two_strands(predict, file):
    line = file("pair.txt", "x.......&........")
    _, out = predict({"pair": DUPLEX}, constraints=line)
    assert structure(out, "pair").partners[0] < 0
    status, out = predict({"pair": DUPLEX}, "wrong", constraints=file("pair.txt", "x......&........."))
    assert status == 1


def test_two_strands_beside_others_come_out_as_alone(weights):
    predictor = load_predictor(weights, device="cpu")
    dimer, longer = Rna.from_text(DUPLEX, "d"), Rna("s", SWITCH * 2)
    together = {o.number: o.prediction for o in predictor.predict([dimer, longer])}
    alone = predictor(DUPLEX)
    np.testing.assert_allclose(together[0].probabilities, alone.probabilities, atol=1e-5)
    assert together[0].dot_bracket == alone.dot_bracket == "((((((((&))))))))"


def test_restraints_that_do_not_fit_are_refused_from_python():
    with pytest.raises(InputError, match="b: reactivities of 1 base; expected 12"):
        Rna("b", HAIRPIN, reactivities=(0.5,))
    with pytest.raises(ConstraintError, match="constraints: base 13 is out of range"):
        Rna("a", HAIRPIN, constraints=Constraints(unpaired=frozenset({12})))


def test_restraints_come_with_their_rna_and_cannot_be_of_another_number(weights):
    predictor = load_predictor(weights, device="cpu")
    rnas = [Rna("a", HAIRPIN, constraints=Constraints.from_line("x...........")), Rna("b", HAIRPIN)]
    assert [row.prediction.dot_bracket for row in predictor.predict(rnas)] == [
        ".(((....))).",
        "((((....))))",
    ]
    with pytest.raises(TypeError, match="known"):
        predictor.predict(rnas, known=[None])


def test_vienna_falls_back_on_what_is_unpaired():
    found = fold(FoldInput(HAIRPIN, constraint="x...|......."))
    assert found.mfe_structure.dot_bracket == ".(((....)))."
    without = fold(FoldInput(HAIRPIN, forbidden=frozenset({(1, 10)}), mfe_bpp=True))
    assert without.mfe_bpp.dense()[1, 10] == 0
    assert without.mfe_bpp.dense()[0, 11] + without.mfe_bpp.dense()[0, 10] > 0.5
