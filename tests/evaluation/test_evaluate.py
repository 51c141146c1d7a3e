"""Judging: figures against scikit-learn and direct computation, a comparison worked by hand, and that
nothing is dropped unsaid.
"""

import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import RNA
import sklearn.metrics
import torch
from one_fold import fold

from rnass.config import HeadConfig, ModelConfig
from rnass.decoding import decode, expected_f1
from rnass.errors import ConfigError, InputError, OutputError
from rnass.evaluation import (
    THRESHKNOT,
    VIENNA_METHODS,
    EvaluateOptions,
    Methods,
    evaluate_files,
    read_others,
    read_references,
)
from rnass.files import sha256
from rnass.io import read_labelled_tsv, write_bpseq, write_ct, write_dot_bracket
from rnass.metrics import calibration_bins, expected_calibration_error, score
from rnass.network.contact_model import ContactModel
from rnass.network.models import load_pairing_model, save_model
from rnass.prediction import limits
from rnass.prediction.predictor import Predictor
from rnass.prediction.restraints import RestraintOptions
from rnass.prediction.windows import Windows
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics import ensemble
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.folding import base_pair_probabilities

TOLERANCE = 1e-9


def table(path, rows, extra=()):
    """Write a labelled table; rows are id, sequence, dot-bracket and further cells."""
    head = "\t".join(["id", "sequence", "dot_bracket", *extra])
    path.write_text("\n".join([head, *("\t".join(row) for row in rows)]) + "\n")
    return path


def run(data, out, **options):
    """Everything that an evaluation writes as JSON."""
    evaluate_files([data], EvaluateOptions(**options), out)
    return json.loads((out / "evaluation.json").read_text())


def alone(**predictions):
    """Options that judge only files of predictions."""
    return {"rnass": False, "vienna": False, "predictions": predictions}


@pytest.fixture
def weights(tmp_path, model):
    path = tmp_path / "tiny.safetensors"
    save_model(path, model, {})
    return str(path)


def random_structure(rng, length, pairs):
    return Structure(length, rng.permutation(length)[: 2 * pairs].reshape(-1, 2))


def flat(structure):
    matrix = np.zeros((len(structure),) * 2, dtype=int)
    matrix[tuple(structure.pairs.T)] = 1
    return matrix[np.triu_indices(len(structure), 1)]


def test_aggregates_agree_with_scikit_learn(tmp_path):
    rng = np.random.default_rng(4)
    rows, guesses = [], []
    for k, length in enumerate((20, 26, 31, 60)):
        known, guess = random_structure(rng, length, 6), random_structure(rng, length, 5)
        pairs = np.concatenate(
            [known.pairs[:3], [p for p in guess.pairs if not np.isin(p, known.pairs[:3]).any()]]
        )
        bases = "".join(rng.choice(list("ACGU"), length))
        rows.append((f"r{k}", bases, known.dot_bracket))
        guesses.append((Rna(f"r{k}", bases), Structure(length, pairs)))
    write_dot_bracket(tmp_path / "guess.dbn", guesses)
    data = table(tmp_path / "known.tsv", rows)
    strict = run(data, tmp_path / "out", **alone(other=tmp_path / "guess.dbn"))["methods"]["other"][
        "strict"
    ]
    truth = [flat(Structure.from_dot_bracket(row[2])) for row in rows]
    label = [flat(guess) for _, guess in guesses]
    measures = {
        "ppv": sklearn.metrics.precision_score,
        "sensitivity": sklearn.metrics.recall_score,
        "f1": sklearn.metrics.f1_score,
        "mcc": sklearn.metrics.matthews_corrcoef,
    }
    for name, measure in measures.items():
        values = [measure(*both) for both in zip(truth, label, strict=True)]
        assert strict["mean"][name] == pytest.approx(np.mean(values))
        assert strict["median"][name] == pytest.approx(np.median(values))
        pooled = measure(np.concatenate(truth), np.concatenate(label))
        assert strict["pooled"][name] == pytest.approx(pooled, abs=1e-12)
    low, high = strict["mean"]["f1_interval"]
    assert low < strict["mean"]["f1"] < high


def test_a_comparison_worked_by_hand(tmp_path):
    """Six RNAs of five pairs. The first finds 5 5 5 4 2 5 of them, the second 4 3 2 3 3 5, both nothing
    wrong: F1 is 2n / (n + 5). The differences rank 1.0 - 8/9 = 1/9 (1), 1/4 (4), 3/7 (5), 8/9 - 3/4 =
    5/36 (2), 4/7 - 3/4 = -5/28 (3) and a tie. Wilcoxon: W- = 3 of ranks 1..5; of the 32 equally likely
    signs those with W- of at most 3 are {}, {1}, {2}, {3}, {1, 2}: p = 2 * 5 / 32.
    """
    known = "(((((....)))))"
    rows = [(f"r{k}", "GGGGGAAAACCCCC", known) for k in range(6)]
    whole = Structure.from_dot_bracket(known)
    for name, found in (("first", (5, 5, 5, 4, 2, 5)), ("second", (4, 3, 2, 3, 3, 5))):
        guesses = [
            (Rna(f"r{k}", rows[0][1]), Structure(14, whole.pairs[:n])) for k, n in enumerate(found)
        ]
        write_dot_bracket(tmp_path / f"{name}.dbn", guesses)
    data = table(tmp_path / "known.tsv", rows)
    files = {name: tmp_path / f"{name}.dbn" for name in ("first", "second")}
    (pair,) = run(data, tmp_path / "out", **alone(**files))["comparisons"]
    assert (pair["first"], pair["second"]) == ("first", "second")
    assert (pair["wins"], pair["ties"], pair["losses"]) == (4, 1, 1)
    assert pair["difference"] == pytest.approx((1 / 9 + 1 / 4 + 3 / 7 + 5 / 36 - 5 / 28) / 6)
    assert pair["p_value"] == pytest.approx(10 / 32)
    assert not pair["best_vienna"]


def test_methods_of_rnass_and_vienna_agree_with_direct_calls(tmp_path, hairpins, weights, model):
    data = hairpins(6, seed=3)
    report = run(data, tmp_path / "out", weights=weights, also=("threshknot",))
    records = read_labelled_tsv(data)
    predictions = [Predictor(model)(record.sequence) for record in records]
    folds = [fold(record.sequence.bases, baseline=True) for record in records]
    maps = [fold.bpp[0].dense() for fold in folds]
    expected = {
        "rnass": [p.structure for p in predictions],
        "ViennaRNA MFE": [fold.mfe_structure for fold in folds],
        "ViennaRNA centroid": [fold.centroid for fold in folds],
        "ViennaRNA MEA": [fold.mea for fold in folds],
        "ViennaRNA ThreshKnot": [
            decode(m, r.sequence.bases, THRESHKNOT) for m, r in zip(maps, records, strict=True)
        ],
    }
    assert list(report["methods"]) == ["rnass", "rnass threshknot", *VIENNA_METHODS]
    assert report["weights"] == {"file": Path(weights).name, "sha256": sha256(Path(weights))}
    assert report["energies"] == {"turner2004": None}
    for line, structures in expected.items():
        for mode, shift in (("strict", 0), ("shifted", 1)):
            values = [
                score(r.structure, s, shift=shift).f1 for r, s in zip(records, structures, strict=True)
            ]
            assert report["methods"][line][mode]["mean"]["f1"] == pytest.approx(
                np.mean(values), abs=2e-3
            )
    bins = sum(calibration_bins(m, r.structure) for m, r in zip(maps, records, strict=True))
    error = report["calibration"]["ViennaRNA"]["error"]
    assert error == pytest.approx(expected_calibration_error(bins))
    assert sum(row[0] for row in report["calibration"]["rnass"]["bins"]) == bins[:, 0].sum()
    best = [pair["second"] for pair in report["comparisons"] if pair["best_vienna"]]
    means = {line: report["methods"][line]["strict"]["mean"]["f1"] for line in VIENNA_METHODS}
    assert means[best[0]] == max(means.values())


@pytest.mark.parametrize("sets", [("turner2004",), ("andronescu2007", "turner2004"), ("rnass2026",), ()])
@pytest.mark.parametrize("thermodynamics", [True, False])
def test_vienna_map_is_turner2004_whatever_the_network_reads(encoder_config, sets, thermodynamics):
    head = HeadConfig(channels=4, blocks=1, outer_rank=3, parameter_sets=sets)
    model = ContactModel(ModelConfig(encoder=encoder_config, head=head))
    predictor = Predictor(model, baseline=True, thermodynamics=thermodynamics)
    bases = "GGGCAAAAGCCCAGGCAAAUGCC"
    (predicted,) = Methods(predictor).predict([Rna("x", bases)])
    assert np.array_equal(predicted.maps["ViennaRNA"], base_pair_probabilities(bases).dense())


def test_an_rna_too_long_for_viennarna_costs_the_others_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(ensemble, "MAX_LENGTH", 20)
    rows = [
        ("long", "G" * 10 + "A" * 5 + "C" * 10, "(" * 10 + "." * 5 + ")" * 10),
        ("short", "GGGGAAAACCCC", "((((....))))"),
    ]
    report = run(table(tmp_path / "known.tsv", rows), tmp_path / "out", rnass=False)
    assert report["problems"] == [
        "ViennaRNA: long: sequence: 25 bases; expected at most 20 for ViennaRNA"
    ]
    assert report["methods"]["ViennaRNA MFE"]["strict"]["mean"]["f1"] == pytest.approx(0.5)


def test_correlation_of_confidence_with_f1(tmp_path):
    """An evaluation of ViennaRNA alone on RNAs it gets right and wrong, against numpy."""
    folded = "GGGGCAAAAGCCCC"
    right, wrong = "(((((....)))))", "..............."[:14]
    rows = [("a", folded, right), ("b", folded, wrong), ("c", "GGGCAAAAAAAGCUC", "(((........))).")]
    report = run(table(tmp_path / "known.tsv", rows), tmp_path / "out", rnass=False)
    ensembles = [Ensemble(row[1]) for row in rows]
    confidence = [expected_f1(e.bpp.dense(), e.mfe_structure) for e in ensembles]
    f1 = [
        score(Structure.from_dot_bracket(row[2]), e.mfe_structure).f1
        for row, e in zip(rows, ensembles, strict=True)
    ]
    found = report["confidence"]["ViennaRNA MFE"]
    assert found["pearson"] == pytest.approx(np.corrcoef(confidence, f1)[0, 1])
    assert -1 <= found["spearman"] <= 1


def test_only_records_with_such_pairs_count_for_crossing_and_noncanonical(tmp_path):
    rows = [
        ("knot", "GGGAACCCAACCCAAGGGAA", "(((..[[[..)))..]]].."),
        ("plain", "GGGAAACCC", "(((...)))"),
        ("odd", "GAGAAACAC", "(((...)))"),
    ]
    data = table(tmp_path / "known.tsv", rows)
    line = run(data, tmp_path / "out", **alone(self=data))["methods"]["self"]
    assert line["crossing"]["records"] == 1
    assert line["noncanonical"]["records"] == 1
    assert line["strict"]["mean"]["f1"] == 1
    nested = [(Rna(n, b), Structure.from_dot_bracket(d).up_to_order(0)) for n, b, d in rows]
    write_dot_bracket(tmp_path / "nested.dbn", nested)
    line = run(data, tmp_path / "out2", **alone(nested=tmp_path / "nested.dbn"))["methods"]["nested"]
    assert line["crossing"]["mean"]["f1"] == 0


def test_missing_and_unfitting_predictions_score_zero_and_are_said(tmp_path):
    known = "(((....)))"
    names = ("good", "absent", "short", "other", "unknown-letter", "empty-absent")
    rows = [(name, "GGGAAAACCC", known) for name in names[:-1]] + [(names[-1], "AAAA", "....")]
    guesses = [
        (Rna("good", "GGGAAAACCC"), Structure.from_dot_bracket(known)),
        (Rna("short", "GGGAAAACC"), Structure(9)),
        (Rna("other", "GGGAAUACCC"), Structure.from_dot_bracket(known)),
        (Rna("unknown-letter", "GGGANAACCC"), Structure.from_dot_bracket(known)),
        (Rna("stranger", "GGGAAAACCC"), Structure.from_dot_bracket(known)),
    ]
    write_dot_bracket(tmp_path / "guess.dbn", guesses)
    data = table(tmp_path / "known.tsv", rows)
    report = run(data, tmp_path / "out", **alone(p=tmp_path / "guess.dbn"))
    strict = report["methods"]["p"]["strict"]
    assert (strict["records"], strict["missing"]) == (6, 4)
    assert strict["mean"]["f1"] == pytest.approx(2 / 6)
    assert strict["pooled"]["fn"] == 9
    text = "\n".join(report["problems"])
    for words in (
        "p: absent: no prediction",
        "p: short: predicted with 9 bases; expected 10",
        "p: other: predicted from another sequence, U at base 6; expected A",
        "p: empty-absent: no prediction",
        "p: stranger: not among the RNAs to judge",
    ):
        assert words in text
    assert len(report["problems"]) == 5
    assert "problems: 5" in (tmp_path / "out" / "evaluation.txt").read_text()
    rows = [line.split("\t") for line in (tmp_path / "out" / "records.tsv").read_text().splitlines()]
    assert [row[-1] for row in rows[1:]] == ["yes", "no", "no", "no", "yes", "no"]


def test_an_rna_too_long_for_rnass_scores_zero_and_vienna_still_folds_it(tmp_path, weights, monkeypatch):
    monkeypatch.setattr(limits, "MAX_LENGTH", 20)
    monkeypatch.setattr("rnass.evaluation.options.Windows", lambda most: Windows(20, 20, most=20))
    long = "GGGGGGGGGAAAACCCCCCCCC"
    rows = [("short", "GGGGAAAACCCC", "((((....))))"), ("long", long, "(((((((((....)))))))))")]
    data = table(tmp_path / "known.tsv", rows)
    report = run(data, tmp_path / "out", weights=weights)
    assert report["methods"]["rnass"]["strict"]["missing"] == 1
    assert report["methods"]["ViennaRNA MFE"]["strict"]["missing"] == 0
    assert len(report["problems"]) == 1
    assert "long" in report["problems"][0]
    report = run(data, tmp_path / "out2", weights=weights, max_length=20)
    assert report["data"]["left_out"]["over_max_length"] == 1
    assert report["methods"]["rnass"]["strict"]["records"] == 1
    assert "left out, over 20 bases: 1" in (tmp_path / "out2" / "evaluation.txt").read_text()


def test_vienna_can_be_left_out(tmp_path, hairpins, weights):
    report = run(hairpins(2), tmp_path / "out", weights=weights, vienna=False)
    assert list(report["methods"]) == ["rnass"]
    assert list(report["calibration"]) == ["rnass"]


def test_an_error_ends_the_workers_and_gives_threads_back(tmp_path, hairpins, weights, monkeypatch):
    def fail(*_):
        raise InputError("no")

    monkeypatch.setattr("rnass.evaluation.run.Tally.add", fail)
    torch.set_num_threads(2)
    others = multiprocessing.active_children()
    with pytest.raises(InputError) as caught:
        run(hairpins(30), tmp_path / "out", weights=weights)
    assert multiprocessing.active_children() == others
    assert str(caught.value) == "no"
    assert torch.get_num_threads() == 2


def test_records_by_column_and_number(tmp_path):
    rows = [(f"r{k}", "GGGAAAACCC", "(((....)))", str(k % 2)) for k in range(6)]
    data = table(tmp_path / "known.tsv", rows, ["near_train"])
    found = read_references([data], columns={"near_train": "0"}, limit=2)
    assert [record.id for record in found.records] == ["r0", "r2"]
    assert (found.read, found.filtered, found.beyond) == (6, 3, 1)
    with pytest.raises(InputError, match=r"r0: no column 'near'; expected one of .*near_train"):
        read_references([data], columns={"near": "0"})
    with pytest.raises(InputError, match="none of 6 records is left"):
        read_references([data], columns={"near_train": "7"})


def test_a_folder_holds_each_record_once(tmp_path):
    sequence, structure = Rna.from_text("GGGAAAACCC", "one two"), Structure(10, [(0, 9)])
    write_ct(tmp_path / "one.ct", sequence, structure)
    write_bpseq(tmp_path / "one.bpseq", sequence, structure)
    titled = Rna.from_text("GGGAAAACCC", "ENERGY = -1.0")
    write_ct(tmp_path / "other.ct", titled, Structure(10))
    (tmp_path / "notes.txt").write_text("no structure")
    assert len(read_references([tmp_path]).records) == 2
    wanted = [Rna("one", "GGGAAAACCC"), Rna("other", "GGGAAAACCC")]
    found = read_others("p", tmp_path, wanted)
    assert found.structures == [structure, Structure(10)]
    assert found.problems == []
    (tmp_path / "predictions.dbn").write_text(">one\nGGGAAAACCC\n((......))\n")
    found = read_others("p", tmp_path, wanted)
    assert found.structures == [Structure(10, [(0, 9), (1, 8)]), None]


def test_a_damaged_file_of_a_folder_is_a_problem_and_alone_an_error(tmp_path):
    bad = tmp_path / "folder" / "r0.ct"
    bad.parent.mkdir()
    bad.write_text("10 r0\n")
    (bad.parent / "r1.dbn").write_text(">r1\nGAAAC\n(...)\n")
    found = read_others("p", bad.parent, [Rna("r0", "GGGAAAACCC"), Rna("r1", "GAAAC")])
    assert found.structures == [None, Structure(5, [(0, 4)])]
    assert len(found.problems) == 2
    assert "r0.ct:1" in found.problems[0]
    with pytest.raises(InputError, match=r"r0\.ct:1"):
        read_others("p", bad, [Rna("r0", "GGGAAAACCC")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no file to read in this folder; expected"):
        read_references([tmp_path / "empty"])


def test_a_malformed_record_of_a_file_is_a_missing_prediction(tmp_path):
    path = tmp_path / "p.dbn"
    path.write_text(">r0\nGGGAAAACCC\n(((....)\n>r1\nGAAAC\n(...)\n")
    found = read_others("p", path, [Rna("r0", "GGGAAAACCC"), Rna("r1", "GAAAC")])
    assert found.structures == [None, Structure(5, [(0, 4)])]
    assert found.problems[0].startswith(f"{path}:3 (r0): 8 symbols for 10 bases")
    assert found.problems[1] == "p: r0: no prediction"
    path.write_text(">r0\nGGGAAAACCC\n(((....)\n")
    with pytest.raises(InputError, match=r"no prediction in it; .*p\.dbn:3 \(r0\): 8 symbols"):
        read_others("p", path, [Rna("r0", "GGGAAAACCC")])


def test_of_several_structures_in_one_file_the_first_is_judged_and_the_report_has_it(tmp_path):
    text = ">r\nGGGAAAACCC\n(((....)))\n>r\nGGGAAAACCC\n((......))\n"
    (tmp_path / "p.dbn").write_text(text)
    found = read_others("p", tmp_path / "p.dbn", [Rna("r", "GGGAAAACCC")])
    assert found.structures == [Structure(10, [(0, 9), (1, 8), (2, 7)])]
    assert found.problems == [f"p: r: the first of 2 structures in {tmp_path / 'p.dbn'} is judged"]


def test_files_that_predict_different_structures_for_one_rna_are_refused(tmp_path):
    for name, brackets in (("a", "(((....)))"), ("b", "((......))")):
        (tmp_path / f"{name}.dbn").write_text(f">r\nGGGAAAACCC\n{brackets}\n")
    with pytest.raises(InputError, match=r"p: r: different predictions in .*a\.dbn, .*b\.dbn; expected"):
        read_others("p", tmp_path, [Rna("r", "GGGAAAACCC")])


def test_an_rna_twice_is_refused(tmp_path):
    data = table(tmp_path / "known.tsv", [("r", "GGGAAAACCC", "(((....)))")] * 2)
    with pytest.raises(InputError, match="1 id more than once with the same sequence, 'r' the first"):
        read_references([data])
    with pytest.raises(InputError, match="'r' the first; expected each RNA once"):
        read_others("p", data, [Rna("r", "GGGAAAACCC")] * 2)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Rna("s", "GGGAAAACCC"), "1 prediction, none of the RNAs to judge: ids such as 'r'; .* 's'"),
        (Rna("r", "GGGAAAACC"), "no prediction fits its RNA; p: r: predicted with 10 bases; expected 9"),
    ],
)
def test_predictions_of_other_rnas_only_are_refused(tmp_path, wanted, message):
    (tmp_path / "q.dbn").write_text(">r\nGGGAAAACCC\n(((....)))\n")
    with pytest.raises(InputError, match=message):
        read_others("p", tmp_path / "q.dbn", [wanted])


def test_control_characters_of_an_id_do_not_reach_the_report(tmp_path):
    (tmp_path / "q.dbn").write_text(">r\nGGGAAAACCC\n(((....)))\n>\x1b[2J\nGAAAC\n(...)\n")
    found = read_others("p", tmp_path / "q.dbn", [Rna("r", "GGGAAAACCC")])
    assert found.problems == [r"p: \x1b[2J: not among the RNAs to judge; left out"]


CT_ROWS = (
    "1 G 0 2 10 1\n2 G 1 3 9 2\n3 G 2 4 8 3\n"
    + "".join(
        f"{k} {base} {k - 1} {k + 1} {max(0, 11 - k) if k > 7 else 0} {k}\n"
        for k, base in enumerate("AAAACC", start=4)
    )
    + "10 C 9 0 1 10\n"
)
OPEN_ROWS = "".join(
    f"{k} {base} {k - 1} {(k + 1) % 11} 0 {k}\n" for k, base in enumerate("GGGAAAACCC", start=1)
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.ct", f"10\tdG = -4.20   [initially -5.10] hp of mfold\n{CT_ROWS}"),
        ("x.ct", f"   10  ENERGY = -4.2  hp\n{CT_ROWS}   10  ENERGY = 0.0  hp\n{OPEN_ROWS}"),
        ("hp.ct", f"10 dG = -4.2\n{CT_ROWS}10 dG = 0\n{OPEN_ROWS}"),
        (
            "x.bpseq",
            "# File hp.bpseq\n# RNA SSTRAND database\n"
            + "".join(
                f"{row.split()[0]} {row.split()[1]} {row.split()[4]}\n" for row in CT_ROWS.splitlines()
            ),
        ),
        ("x.dbn", "#Name: hp\n#Length: 10\nGGGAAAACCC\n(((....)))\n"),
        ("x.dbn", ">hp [100]\nGGGAAAACCC  -1.20   1.00\n(((....)))  -1.20\n..........   0.00\n"),
        ("x.out", ">hp\nGGGAA\nAACCC\n(((..\n..))) (-1.20)\n"),
    ],
)
def test_predictions_as_other_programs_name_them_count(tmp_path, name, text):
    (tmp_path / "known.dbn").write_text(">hp\nGGGAAAACCC\n(((....)))\n")
    (tmp_path / name).write_text(text)
    (known,) = read_references([tmp_path / "known.dbn"]).records
    found = read_others("p", tmp_path / name, [known.sequence])
    assert found.structures == [known.structure]


def test_the_same_id_with_two_sequences_is_told_apart_by_the_sequence(tmp_path):
    text = ">r\nGGGAAAACCC\n(((....)))\n>r\nGGGAAAUCCC\n((......))\n"
    (tmp_path / "p.dbn").write_text(text)
    wanted = [Rna("r", "GGGAAAUCCC"), Rna("r", "GGGAAAACCC")]
    found = read_others("p", tmp_path / "p.dbn", wanted)
    assert [len(structure.pairs) for structure in found.structures] == [2, 3]


def test_no_method_to_judge_and_names_that_clash_are_refused(tmp_path):
    data = table(tmp_path / "known.tsv", [("r", "GGGAAAACCC", "(((....)))")])
    with pytest.raises(ConfigError, match="no method to judge"):
        run(data, tmp_path / "out", rnass=False, vienna=False)
    with pytest.raises(ConfigError, match="--also: decodes rnass's map; expected rnass"):
        run(data, tmp_path / "out", rnass=False, also=("nested",))
    with pytest.raises(ConfigError, match="'ViennaRNA MFE' is taken"):
        run(data, tmp_path / "out", rnass=False, predictions={"ViennaRNA MFE": data})


def test_an_earlier_evaluation_is_not_overwritten_unasked(tmp_path):
    data = table(tmp_path / "known.tsv", [("r", "GGGAAAACCC", "(((....)))")])
    run(data, tmp_path / "out", **alone(self=data))
    with pytest.raises(
        OutputError, match="holds an evaluation; expected another folder, or --overwrite"
    ):
        run(data, tmp_path / "out", **alone(self=data))
    run(data, tmp_path / "out", overwrite=True, **alone(self=data))
    assert (tmp_path / "out" / "evaluation.svg").read_text().startswith("<?xml")


def test_a_file_that_is_of_no_evaluation_is_not_overwritten(tmp_path):
    data = table(tmp_path / "known.tsv", [("r", "GGGAAAACCC", "(((....)))")])
    (tmp_path / "records.tsv").write_text("mine")
    with pytest.raises(OutputError, match=r"records\.tsv: there without evaluation\.json; expected"):
        run(data, tmp_path, overwrite=True, **alone(self=data))
    assert (tmp_path / "records.tsv").read_text() == "mine"


def two_hairpins(tmp_path):
    """One RNA of two hairpins twice, its known structure open: only constraints make it right."""
    bases = "GGGCGCAAAAGUGCCCAAGCGCUCAAAAGAGCGC"
    return table(tmp_path / "known.tsv", [("k", bases, "." * len(bases)), ("other", bases, "." * 34)])


def test_restraints_hold_for_every_method_of_rnass_and_viennarna(tmp_path, weights):
    data = two_hairpins(tmp_path)
    (tmp_path / "c.txt").write_text(">k\n" + "x" * 34 + "\n")
    options = {"weights": weights, "also": ("threshknot",), "constraints": str(tmp_path / "c.txt")}
    report = run(data, tmp_path / "out", **options)
    free = run(data, tmp_path / "free", weights=weights, also=("threshknot",))
    rows = [line.split("\t") for line in (tmp_path / "out" / "records.tsv").read_text().splitlines()]
    head, first, other = rows
    for method in report["methods"]:
        column = head.index(f"{method}: F1")
        assert float(first[column]) == 1  # open, as the constraint demands and the reference has it
    assert float(other[head.index("ViennaRNA MFE: F1")]) == 0  # unconstrained, it folds
    assert free["methods"]["ViennaRNA MFE"]["strict"]["mean"]["f1"] == 0
    assert report["restraints"]["constraints"] == str(tmp_path / "c.txt")


def test_restraints_that_do_not_fit_cost_their_record_alone(tmp_path, weights):
    data = two_hairpins(tmp_path)
    (tmp_path / "c.txt").write_text(">k\nxxx\n")
    options = {"constraints": str(tmp_path / "c.txt"), "predictions": {"p": data}}
    report = run(data, tmp_path / "out", weights=weights, **options)
    (problem,) = report["problems"]
    assert problem.startswith("restraints: k: ")
    assert "3 symbols; expected 34" in problem
    missing = {name: one["strict"]["missing"] for name, one in report["methods"].items()}
    assert missing == dict.fromkeys(["rnass", *VIENNA_METHODS], 1) | {"p": 0}


def test_viennarna_alone_is_judged_under_reactivities(tmp_path):
    """Against ViennaRNA called directly with Deigan's pseudo-energies."""
    bases = "GGGCGCAAAAGUGCCCAAGCGCUCAAAAGAGCGC"
    data = two_hairpins(tmp_path)
    values = [2.0 if k < 16 else 0.05 for k in range(34)]
    (tmp_path / "s.shape").write_text("".join(f"{k} {v}\n" for k, v in enumerate(values, 1)))
    (tmp_path / "shape").mkdir()
    (tmp_path / "s.shape").rename(tmp_path / "shape" / "k.shape")
    methods = Methods(None)
    (rna,) = (r.sequence for r in read_labelled_tsv(data)[:1])
    (rna,) = RestraintOptions(shape=tmp_path / "shape", shape_method="deigan").restrain([rna])
    (predicted,) = methods.predict([rna])
    compound = RNA.fold_compound(bases)
    compound.sc_add_SHAPE_deigan([0.0, *values], 1.8, -0.6)
    assert predicted.structures["ViennaRNA MFE"].dot_bracket == compound.mfe()[0]
    assert RNA.fold(bases)[0] != compound.mfe()[0]
    out = run(data, tmp_path / "out", rnass=False, shape=str(tmp_path / "shape"))
    assert out["restraints"]["shape"] == str(tmp_path / "shape")


def test_mix_1_decodes_viennarnas_probabilities(tmp_path, hairpins, weights):
    data = hairpins(4, seed=3)
    run(data, tmp_path / "out", weights=weights, mix=1.0)
    mixed = Predictor(load_pairing_model(Path(weights)), mix=1.0)
    expected = [score(r.structure, mixed(r.sequence).structure).f1 for r in read_labelled_tsv(data)]
    text = (tmp_path / "out" / "records.tsv").read_text().splitlines()
    column = text[0].split("\t").index("rnass: F1")
    found = [float(line.split("\t")[column]) for line in text[1:]]
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "option",
    [{"normalize_reactivities": True}, {"modifier": "2A3"}],
)
def test_an_option_for_reactivities_without_any_is_refused(option):
    with pytest.raises(InputError, match="no reactivities; expected --shape"):
        EvaluateOptions(**option)
