"""The main job in this process: what lies in the folder afterwards. Files are read back by rnass's
readers and by ViennaRNA's; energies are ViennaRNA's own.
"""

import contextlib
import gzip
import hashlib
import io
import json
import logging
import multiprocessing
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import RNA
import torch
from matplotlib.colors import to_hex

import rnass
from rnass.backbone import encoder
from rnass.decoding import decode
from rnass.errors import CheckpointError, DependencyError, OutputError, RnassError
from rnass.figures.style import NESTED
from rnass.io import read_results, read_structures
from rnass.jobs import predict as job
from rnass.jobs import runner
from rnass.jobs.ahead import folding_ahead, keep_memory
from rnass.jobs.inputs import read_inputs
from rnass.jobs.journal import Plan
from rnass.jobs.predict import PredictOptions, predict_files
from rnass.jobs.results import open_results
from rnass.prediction import limits, pipeline, predictor
from rnass.rna import Rna
from rnass.thermodynamics import workers
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.folding import FoldInput
from rnass.thermodynamics.parameter_sets import OWN_ENERGIES

TRNA = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"
HAIRPIN = "GGGGAAAACCCC"
ALWAYS = {"summary.tsv", "predictions.dbn", "run.json", ".rnass-journal.jsonl"}


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "seqs.fa"
    path.write_text(f">tRNA/Phe yeast, 1EHZ\n{TRNA}\n>hp\n{HAIRPIN}\n>HP again\nGGGCAAAAGCCC\n")
    return str(path)


@pytest.fixture
def many(tmp_path):
    """Forty short RNAs."""
    draw = random.Random(0)
    path = tmp_path / "many.fa"
    records = (f">r{k}\n{''.join(draw.choices('ACGU', k=draw.randint(10, 40)))}\n" for k in range(40))
    path.write_text("".join(records))
    return str(path)


@pytest.fixture
def predict(tmp_path, weights):
    """Runs the job into a folder of tmp_path, and gives the exit status."""

    def run(*paths, out="out", sequence=None, **options):
        options = PredictOptions(**{"weights": weights, "device": "cpu", "threads": 1} | options)
        return predict_files(list(paths), tmp_path / out, options, sequence=sequence)

    return run


@pytest.fixture
def calls(monkeypatch):
    """The names of the records that are written, in order."""
    written = []
    real = job.PredictJob.write

    def write(self, folder, name, *rest):
        written.append(name)
        return real(self, folder, name, *rest)

    monkeypatch.setattr(job.PredictJob, "write", write)
    return written


def rows(folder):
    lines = [line.split("\t") for line in (folder / "summary.tsv").read_text().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def answers(folder):
    """What two runs of the same job must agree in: everything but times; maps to rounding."""
    texts = {
        path.name: path.read_text()
        for path in folder.iterdir()
        if path.suffix in {".ct", ".dbn", ".bpseq", ".svg"}
    }
    columns = [{key: value for key, value in row.items() if key != "seconds"} for row in rows(folder)]
    return texts, columns, {path.name: np.load(path).round(4) for path in folder.glob("*.npy")}


def assert_same(folder, other):
    (texts, columns, maps), (other_texts, other_columns, other_maps) = answers(folder), answers(other)
    assert texts == other_texts
    assert maps.keys() == other_maps.keys()
    for name, one in maps.items():
        np.testing.assert_allclose(one, other_maps[name], atol=2e-4)
    for row, other_row in zip(columns, other_columns, strict=True):
        confidence, other_confidence = row.pop("confidence"), other_row.pop("confidence")
        assert row == other_row
        assert float(confidence) == pytest.approx(float(other_confidence), abs=2e-4)


def test_the_files_of_a_run(tmp_path, fasta, predict):
    assert predict(fasta) == 0
    out = tmp_path / "out"
    names = ["tRNA_Phe", "hp", "HP-2"]
    expected = {f"{name}.{suffix}" for name in names for suffix in ("ct", "dbn", "bpseq", "npy")}
    assert {path.name for path in out.iterdir()} == expected | ALWAYS
    headers, bases = ["tRNA/Phe yeast, 1EHZ", "hp", "HP again"], [TRNA, HAIRPIN, "GGGCAAAAGCCC"]
    together = read_structures(out / "predictions.dbn")
    assert [(s.description, s.bases) for s, _ in together] == list(zip(headers, bases, strict=True))
    for name, (sequence, structure) in zip(names, together, strict=True):
        for suffix in ("ct", "dbn", "bpseq"):
            assert read_structures(out / f"{name}.{suffix}") == [(sequence, structure)]
        probabilities = np.load(out / f"{name}.npy")
        assert probabilities.dtype == np.float32
        assert probabilities.shape == (len(sequence),) * 2
        np.testing.assert_array_equal(probabilities, probabilities.T)
        assert 0 <= probabilities.min() <= probabilities.max() <= 1
        decoded = decode(probabilities, sequence.bases, predictor.DecodingConfig())
        assert decoded == structure
        assert len(structure)
    assert [structure.dot_bracket for _, structure in together[1:]] == ["((((....))))"] * 2


def test_others_read_the_same_pairs(tmp_path, fasta, predict):
    predict(fasta, decoding={"decoder": "nested"})
    out = tmp_path / "out"
    with contextlib.redirect_stderr(io.StringIO()):
        graphs = pytest.importorskip("forgi.graph.bulge_graph")
    for name in ("tRNA_Phe", "hp", "HP-2"):
        ((sequence, structure),) = read_structures(out / f"{name}.dbn")
        with (out / f"{name}.ct").open() as file:
            _, _, bases, dot_bracket, _ = RNA.file_connect_read_record(file, "")
        assert (bases, dot_bracket) == (sequence.bases, structure.dot_bracket)
        text = "".join((out / f"{name}.bpseq").read_text().splitlines(keepends=True)[1:])
        graph = graphs.BulgeGraph.from_bpseq_str(text)
        partners = [(graph.pairing_partner(k) or 0) for k in range(1, len(sequence) + 1)]
        assert [[i, j - 1] for i, j in enumerate(partners) if j > i] == structure.pairs.tolist()


def test_the_summary(tmp_path, fasta, predict):
    predict(fasta)
    table = rows(tmp_path / "out")
    assert list(table[0]) == [
        *("id", "file", "length", "pairs", "pseudoknot_order", "confidence", "energy_share"),
        *("energy_kcal_mol", "mfe_kcal_mol", "f1_mfe"),
        *("seconds", "status", "message"),
    ]
    assert [row["id"] for row in table] == ["tRNA/Phe", "hp", "HP"]
    assert [row["file"] for row in table] == ["tRNA_Phe", "hp", "HP-2"]
    assert [row["length"] for row in table] == ["76", "12", "12"]
    assert (table[1]["pairs"], table[1]["pseudoknot_order"], table[1]["f1_mfe"]) == ("4", "0", "1.0")
    for row, bases in zip(table, (TRNA, HAIRPIN, "GGGCAAAAGCCC"), strict=True):
        assert float(row["mfe_kcal_mol"]) == pytest.approx(RNA.fold(bases)[1], abs=1e-3)
        assert 0 < float(row["confidence"]) <= 1
        assert float(row["seconds"]) > 0
        assert (row["status"], row["message"]) == ("ok", "")


def test_run_json_says_how_to_make_it_again(tmp_path, fasta, predict, weights):
    predict(fasta, decoding={"threshold": 0.25}, formats=("ct",))
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    checksum = hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    assert run["weights"] == {"file": "tiny.safetensors", "sha256": checksum}
    assert run["energies"] == {"turner2004": None}  # the set that the tiny weights read
    assert run["versions"]["rnass"] == rnass.__version__
    assert run["versions"]["ViennaRNA"] == RNA.__version__
    assert run["versions"]["torch"] == torch.__version__
    assert run["options"]["formats"] == ["ct"]
    assert run["options"]["decoding"] == {"threshold": 0.25}
    assert (run["decoding"]["threshold"], run["decoding"]["decoder"]) == (0.25, "matching")
    assert (run["device"], run["threads"], run["inputs"]) == ("cpu", 1, [fasta])
    assert (run["kind"], run["records"], run["bad_records"], run["exit_status"]) == ("predict", 3, 0, 0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", run["started"])
    assert run["seconds"] > 0
    times = {name: run[name] for name in ("started", "seconds", "exit_status")}
    assert run["runs"] == [times]
    assert run["checksums"] == {fasta: hashlib.sha256(Path(fasta).read_bytes()).hexdigest()}


def test_run_json_has_checksums_of_every_file_that_is_read(tmp_path, predict):
    (tmp_path / "seqs.fa").write_text(f">a\n{HAIRPIN}\n")
    (tmp_path / "c.txt").write_text(">a\n............\n")
    (tmp_path / "shape").mkdir()
    (tmp_path / "shape" / "a.shape").write_text("1 0.2\n2 0.9\n")
    (tmp_path / "r.bed").write_text("a\t0\t4\n")
    names = [str(tmp_path / name) for name in ("seqs.fa", "c.txt", "shape/a.shape", "r.bed")]
    restraints = {"constraints": names[1], "shape": str(tmp_path / "shape"), "regions": names[3]}
    assert predict(names[0], sequence=HAIRPIN, **restraints) == 0
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["checksums"] == {
        name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in names
    }


def test_a_file_that_cannot_be_read_costs_no_finished_record(tmp_path, fasta, predict, calls):
    more = tmp_path / "more.fa.gz"
    more.write_bytes(whole := gzip.compress(b">more\nGGGGAAAACCCC\n"))
    assert predict(fasta, str(more)) == 0
    more.write_bytes(whole[:-4])
    calls.clear()
    assert predict(fasta, str(more), resume=True) == 1
    assert (tmp_path / "out" / "more.ct").is_file()
    more.write_bytes(whole)
    assert predict(fasta, str(more), resume=True) == 0
    assert calls == []
    assert [row["id"] for row in rows(tmp_path / "out")][-1] == "more"


def test_a_resumed_run_keeps_the_times_of_the_first(tmp_path, fasta, predict, monkeypatch):
    def run_of(*times, **options):
        monkeypatch.setattr(runner.time, "time", iter(times).__next__)
        predict(fasta, **options)
        monkeypatch.undo()
        return json.loads((tmp_path / "out" / "run.json").read_text())

    first = run_of(1_000_000_000.0, 1_000_000_004.5)
    path = tmp_path / "out" / "run.json"
    second = run_of(1_000_000_060.0, 1_000_000_061.0, resume=True)
    assert second["started"] == first["started"] == "2001-09-09T01:46:40Z"
    assert second["seconds"] == 5.5
    assert second["runs"] == [
        *first["runs"],
        {"started": "2001-09-09T01:47:40Z", "seconds": 1.0, "exit_status": 0},
    ]
    path.unlink()  # as after a kill: this run's end is known to nobody
    third = run_of(1_000_000_120.0, 1_000_000_121.0, resume=True)
    assert [one.get("seconds") for one in third["runs"]] == [4.5, None, 1.0]
    assert third["started"] == first["started"]
    path.write_text('{"runs": 3}')
    assert len(run_of(1_000_000_180.0, 1_000_000_181.0, resume=True)["runs"]) == 4
    fresh = run_of(1_000_000_240.0, 1_000_000_242.0, overwrite=True)
    assert (len(fresh["runs"]), fresh["seconds"]) == (1, 2.0)


def test_the_fitted_energies_are_told_by_their_checksum(tmp_path, predict):
    predict(sequence=HAIRPIN, weights=None)
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    checksum = hashlib.sha256(OWN_ENERGIES.read_bytes()).hexdigest()
    assert run["energies"] == {"rnass2026": checksum}
    predict(sequence=HAIRPIN, out="without", weights=None, thermodynamics=False)
    assert json.loads((tmp_path / "without" / "run.json").read_text())["energies"] == {}


def test_the_same_job_twice_gives_the_same_bytes(tmp_path, many, predict):
    predict(many, out="a")
    predict(many, out="b")
    for path in (tmp_path / "a").iterdir():
        if path.name not in {"summary.tsv", "run.json", ".rnass-journal.jsonl"}:
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_worker_processes_change_nothing(tmp_path, many, predict):
    predict(many, out="a")
    assert predict(many, out="b", threads=2) == 0
    assert_same(tmp_path / "a", tmp_path / "b")
    assert torch.get_num_threads() == 2  # for the next run in this process


@pytest.fixture
def folds_here(monkeypatch):
    """The RNAs that this process folds, and not one that folds ahead."""
    folded = []
    real = FoldInput.ensemble

    def ensemble(self, *rest):
        folded.append(self.bases)
        return real(self, *rest)

    monkeypatch.setattr(FoldInput, "ensemble", ensemble)
    return folded


def test_a_few_rnas_are_folded_while_torch_is_loaded(tmp_path, predict, folds_here):
    few = tmp_path / "few.fa"
    few.write_text(f">a\n{TRNA * 3}\n>b\n{HAIRPIN}\n")
    options = {"baseline": True, "plot": "svg"}
    assert predict(str(few), threads=2, **options) == 0
    assert folds_here == []
    assert predict(str(few), out="alone", threads=1, **options) == 0
    assert {*folds_here} == {TRNA * 3, HAIRPIN}
    assert_same(tmp_path / "out", tmp_path / "alone")


@pytest.mark.parametrize(
    "options",
    [{"threads": 1}, {"thermodynamics": False}, {"resume": True}, {"longest_whole": 200, "window": 100}],
)
def test_nothing_is_folded_ahead_that_may_not_be_needed(weights, options):
    given = PredictOptions(**{"weights": weights, "threads": 2} | options)
    with folding_ahead([Rna("a", TRNA * 3)], given) as ahead:
        assert ahead is None


def test_many_rnas_or_short_ones_are_not_folded_ahead(weights):
    given = PredictOptions(weights=weights, threads=2)
    for rnas in ([], [Rna("a", HAIRPIN)], [Rna(str(k), TRNA * 3) for k in range(21)]):
        with folding_ahead(rnas, given) as ahead:
            assert ahead is None


@pytest.mark.parametrize(
    ("rna", "in_windows", "kept"),
    [
        (Rna("a", "A" * 2000), True, True),
        (Rna("a", "A" * 2001), True, True),
        (Rna("a", "A" * 2001), False, False),
        (Rna("a", "A" * 2001, nick=1000), True, False),
    ],
)
def test_memory_is_kept_unless_the_network_reads_very_many_bases_at_once(
    weights, monkeypatch, rna, in_windows, kept
):
    calls = []
    monkeypatch.setattr("rnass.jobs.ahead.keep_freed_memory", lambda: calls.append(1))
    keep_memory([rna], PredictOptions(weights=weights), in_windows=in_windows)
    assert bool(calls) == kept


def test_several_files_gzip_and_one_sequence(tmp_path, fasta, predict):
    packed = tmp_path / "more.fa.gz"
    packed.write_bytes(gzip.compress(b">packed\nggggaaaacccc\n"))
    assert predict(fasta, str(packed), sequence="GGGGTTTTCCCC") == 0
    table = rows(tmp_path / "out")
    assert [row["file"] for row in table] == ["sequence", "tRNA_Phe", "hp", "HP-2", "packed"]
    ((sequence, _),) = read_structures(tmp_path / "out" / "sequence.dbn")
    assert sequence.bases == "GGGGUUUUCCCC"


def test_duplicate_and_awkward_ids(tmp_path, predict):
    ids = ["x", "x", "X", "a/b", "a b", "../../etc/passwd", "é", "ü" * 300, "con", "summary", "x.ct", ""]
    path = tmp_path / "odd.fa"
    path.write_text("".join(f">{one}\n{HAIRPIN}\n" for one in ids), encoding="utf-8")
    assert predict(str(path)) == 0
    table = rows(tmp_path / "out")
    names = [row["file"].lower() for row in table]
    assert len(set(names)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9_.-]{1,110}", name) for name in names)
    assert {path.name for path in tmp_path.iterdir()} == {"odd.fa", "out"}
    for one, row in zip(ids, table, strict=True):
        ((sequence, _),) = read_structures(tmp_path / "out" / f"{row['file']}.dbn")
        assert sequence.description == one


@pytest.mark.parametrize("formats", [("ct",), ("npy", "dbn"), ()])
def test_chosen_formats(tmp_path, fasta, predict, formats):
    predict(fasta, formats=formats)
    names = {path.name for path in (tmp_path / "out").iterdir()} - ALWAYS
    assert names == {f"{name}.{suffix}" for name in ("tRNA_Phe", "hp", "HP-2") for suffix in formats}


def test_the_table_of_all_records_holds_what_the_files_do(tmp_path, fasta, predict):
    reader = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "bad.fa").write_text(">bad\nGG-\n")
    predict(fasta, str(tmp_path / "bad.fa"), formats=("parquet", "npy"))
    out = tmp_path / "out"
    names = {path.name for path in out.iterdir()} - ALWAYS
    assert names == {"results.parquet", "tRNA_Phe.npy", "hp.npy", "HP-2.npy"}
    table = reader.read_table(out / "results.parquet").to_pylist()
    together = read_structures(out / "predictions.dbn")
    assert read_structures(out / "results.parquet") == together
    for row, line, (rna, structure) in zip(table, rows(out)[:3], together, strict=True):
        assert (row["id"], row["file"], row["sequence"]) == (line["id"], line["file"], rna.bases)
        assert row["structure"] == structure.dot_bracket
        probabilities = np.load(out / f"{row['file']}.npy")
        np.testing.assert_allclose(row["unpaired"], 1 - probabilities.sum(1), atol=1e-4)
        for pair, (i, j) in zip(row["pairs"], structure.pairs.tolist(), strict=True):
            assert (pair["i"], pair["j"]) == (i + 1, j + 1)
            assert pair["probability"] == pytest.approx(probabilities[i, j], abs=1e-4)
        assert row["confidence"] == pytest.approx(float(line["confidence"]), abs=1e-4)
        assert row["energy_kcal_mol"] == pytest.approx(float(line["energy_kcal_mol"]), abs=1e-4)
        assert row["mfe_kcal_mol"] == pytest.approx(float(line["mfe_kcal_mol"]), abs=1e-4)


def test_resuming_adds_to_the_table_what_is_missing(tmp_path, fasta, predict, calls):
    pytest.importorskip("pyarrow")
    predict(fasta, formats=("parquet",))
    calls.clear()
    (tmp_path / "more.fa").write_text(">new\nGGCCAAAAGGCC\n")
    assert predict(str(tmp_path / "more.fa"), fasta, formats=("parquet",), resume=True) == 0
    assert calls == ["new"]
    out = tmp_path / "out"
    found = read_structures(out / "results.parquet")
    assert [rna.id for rna, _ in found] == ["new", "tRNA/Phe", "hp", "HP"]
    assert found == read_structures(out / "predictions.dbn")
    assert predict(fasta, overwrite=True) == 0
    assert not (out / "results.parquet").exists()


def test_without_pyarrow_nothing_is_predicted(tmp_path, fasta, predict, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DependencyError, match="extra parquet"):
        predict(fasta, formats=("parquet",))
    assert not (tmp_path / "out").exists()


def test_the_energy_is_of_the_nested_pairs(tmp_path, many, predict):
    """By ViennaRNA itself; no structure is better than the MFE structure."""
    (tmp_path / "more.fa").write_text(">knot\nGGGGAAAACCCCAAAA\n>dimer\nGGGGC&GCCCC\n")
    predict(many, str(tmp_path / "more.fa"))
    structures = read_structures(tmp_path / "out" / "predictions.dbn")
    for row, (rna, structure) in zip(rows(tmp_path / "out"), structures, strict=True):
        nested = structure.up_to_order(0).dot_bracket
        energy = RNA.fold_compound(rna.text).eval_structure(nested)
        assert float(row["energy_kcal_mol"]) == pytest.approx(energy, abs=1e-3)
        assert float(row["energy_kcal_mol"]) >= float(row["mfe_kcal_mol"]) - 1e-3
        if row["f1_mfe"] == "1.0":
            assert row["energy_kcal_mol"] == row["mfe_kcal_mol"]
    assert any(structure.pairs.size for _, structure in structures)


def test_the_baseline(tmp_path, fasta, predict):
    predict(fasta, baseline=True)
    for row, bases in zip(rows(tmp_path / "out"), (TRNA, HAIRPIN, "GGGCAAAAGCCC"), strict=True):
        compound = RNA.fold_compound(bases)
        mfe_structure, mfe = compound.mfe()
        ((_, structure),) = read_structures(tmp_path / "out" / f"{row['file']}.vienna.dbn")
        assert structure.dot_bracket == mfe_structure
        compound.exp_params_rescale(mfe)
        compound.pf()
        for name, other in (("mea", compound.MEA()[0]), ("centroid", compound.centroid()[0])):
            energy = compound.eval_structure(other)
            assert float(row[f"{name}_kcal_mol"]) == pytest.approx(energy, abs=1e-3)
            assert energy >= mfe
            assert 0 <= float(row[f"f1_{name}"]) <= 1


@pytest.mark.parametrize(("plot", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_plots(tmp_path, predict, plot, magic):
    assert predict(sequence=HAIRPIN, plot=plot) == 0
    data = (tmp_path / "out" / f"sequence.{plot}").read_bytes()
    assert data.startswith(magic)
    assert len(data) > 1000


def test_without_thermodynamics(tmp_path, predict):
    predict(sequence=TRNA, out="with")
    assert predict(sequence=TRNA, out="without", thermodynamics=False) == 0
    maps = [np.load(tmp_path / out / "sequence.npy") for out in ("with", "without")]
    assert abs(maps[0] - maps[1]).max() > 0.1
    assert rows(tmp_path / "without")[0]["mfe_kcal_mol"] == "-22.4"


def test_other_conditions(tmp_path, fasta, predict, caplog):
    """Every energy is ViennaRNA's at the same conditions; summary, run.json and log tell of them."""
    assert predict(fasta, temperature=60.0, salt=0.5, baseline=True) == 0
    out = tmp_path / "out"
    model = RNA.md()
    model.temperature, model.salt = 60, 0.5
    for row, bases in zip(rows(out), (TRNA, HAIRPIN, "GGGCAAAAGCCC"), strict=True):
        compound = RNA.fold_compound(bases, model)
        mfe = compound.mfe()[1]
        compound.exp_params_rescale(mfe)
        compound.pf()
        centroid = compound.eval_structure(compound.centroid()[0])
        predicted = (out / f"{row['file']}.dbn").read_text().splitlines()[2]
        assert float(row["mfe_kcal_mol"]) == pytest.approx(mfe, abs=1e-3)
        assert float(row["centroid_kcal_mol"]) == pytest.approx(centroid, abs=1e-3)
        nested = re.sub(r"[\[\]]", ".", predicted)
        energy = compound.eval_structure(nested)
        assert float(row["energy_kcal_mol"]) == pytest.approx(energy, abs=1e-3)
        given = [row[name] for name in ("temperature_celsius", "salt_molar", "energies")]
        assert given == ["60.0", "0.5", "turner2004"]
    run = json.loads((out / "run.json").read_text())
    assert (run["options"]["temperature"], run["options"]["salt"]) == (60, 0.5)
    assert run["conditions"] in caplog.text
    assert "60 C, 0.5 M NaCl: energies by turner2004" in run["conditions"]
    assert "37 C, 1.021 M NaCl, for which the network was trained" in run["conditions"]


def test_the_standard_conditions_are_the_default(tmp_path, fasta, predict, caplog):
    predict(fasta, out="default")
    predict(fasta, out="given", temperature=37.0, salt=1.021)
    default, given = tmp_path / "default", tmp_path / "given"
    (texts, columns, maps), (same_texts, same_columns, same_maps) = answers(default), answers(given)
    assert (texts, columns) == (same_texts, same_columns)
    assert maps.keys() == same_maps.keys()
    for name, one in maps.items():
        np.testing.assert_array_equal(one, same_maps[name])
    assert "conditions" not in json.loads((given / "run.json").read_text())
    assert "NaCl" not in caplog.text


def test_decoding_options_reach_the_structures(tmp_path, predict):
    def structure(out, **decoding):
        predict(sequence=TRNA, out=out, decoding={"threshold": 0.001} | decoding)
        return read_structures(tmp_path / out / "sequence.dbn")[0][1]

    def letters(one):
        return {"".join(sorted(TRNA[i] + TRNA[j])) for i, j in one.pairs}

    free = structure("free")
    assert free.pseudoknot_order > 0
    assert letters(free) <= {"AU", "CG", "GU"}
    assert structure("nested", decoder="nested").pseudoknot_order == 0
    assert structure("order", max_order=1).pseudoknot_order == 1
    assert not letters(structure("any", canonical=False)) <= {"AU", "CG", "GU"}
    assert len(structure("none", threshold=0.9999999).pairs) == 0


def test_a_wrong_decoding_option_is_an_error_before_the_folder_is_touched(tmp_path, predict):
    with pytest.raises(RnassError, match=r"decoding: threshold: Input should be less than 1"):
        predict(sequence=HAIRPIN, decoding={"threshold": 2.0})
    assert not (tmp_path / "out").exists()


BAD = ">good\nGGGGAAAACCCC\n>gap\nGGGG--AAAA\n>empty\n>digit\nGG\nG1G\n>fine\nGGGCAAAAGCCC\n"
PROBLEMS = [
    "bad.fa:4 (gap): letter '-' at base 5; expected",
    "bad.fa:5 (empty): no bases; expected",
    "bad.fa:8 (digit): letter '1' at base 4; expected",
]


@pytest.fixture
def bad(tmp_path, caplog):
    caplog.set_level(logging.INFO, "rnass")
    path = tmp_path / "bad.fa"
    path.write_text(BAD)
    return str(path)


def assert_reported(caplog):
    for problem in PROBLEMS:
        assert sum(problem in message for message in caplog.messages) == 1


def test_good_records_are_predicted_beside_bad_ones(tmp_path, bad, predict, caplog):
    assert predict(bad) == 1
    assert_reported(caplog)
    table = rows(tmp_path / "out")
    assert [(row["id"], row["status"]) for row in table] == [
        *(("good", "ok"), ("fine", "ok")),
        *(("gap", "failed"), ("empty", "failed"), ("digit", "failed")),
    ]
    for problem, row in zip(PROBLEMS, table[2:], strict=True):
        assert problem in row["message"]
    assert len(read_structures(tmp_path / "out" / "predictions.dbn")) == 2
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (run["records"], run["bad_records"], run["exit_status"]) == (2, 3, 1)


def test_strict_predicts_nothing(tmp_path, bad, predict, caplog):
    assert predict(bad, strict=True) == 2
    assert_reported(caplog)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("strict", "status"), [(False, 1), (True, 2)])
def test_a_record_that_the_backbone_cannot_read_is_a_bad_one(
    tmp_path, fasta, predict, monkeypatch, caplog, strict, status
):
    monkeypatch.setattr(encoder.Encoder, "max_bases", 50)
    assert predict(fasta, strict=strict) == status
    assert "tRNA/Phe: 76 bases; expected at most 50, all that the backbone reads" in caplog.text
    assert (tmp_path / "out").exists() is not strict


def test_strict_without_bad_records_predicts(fasta, predict):
    assert predict(fasta, strict=True) == 0


def test_every_bad_record_is_reported_before_the_model_loads(tmp_path, bad, predict, caplog):
    with pytest.raises(CheckpointError, match="no-such"):
        predict(bad, weights="no-such")
    assert_reported(caplog)
    assert not (tmp_path / "out").exists()


def test_bases_typed_in_place_of_a_file_are_recognised(tmp_path, predict, caplog):
    assert predict("GGGGaaaaCCCU") == 2
    assert (
        "GGGGaaaaCCCU: no such file; expected a FASTA file, or an RNA as --sequence GGGGaaaaCCCU"
        in caplog.text
    )


def test_every_file_is_read_though_one_is_not_there(tmp_path, fasta, bad, predict, caplog):
    assert predict(str(tmp_path / "none.fa"), bad, fasta) == 1
    assert_reported(caplog)
    assert "none.fa: no such file or directory; expected a file to read" in caplog.text
    assert sum(row["status"] == "ok" for row in rows(tmp_path / "out")) == 5


def test_no_record_at_all_leaves_no_folder(tmp_path, predict, caplog):
    assert predict(str(tmp_path / "none.fa")) == 2
    assert "1 problem; nothing is done" in caplog.text
    assert not (tmp_path / "out").exists()


def test_bad_records_alone_replace_an_earlier_summary(tmp_path, fasta, predict, caplog):
    predict(fasta)
    assert predict(sequence="GG-CC", overwrite=True) == 1
    assert "--sequence: letter '-' at base 3" in caplog.text
    assert [(row["id"], row["status"]) for row in rows(tmp_path / "out")] == [("sequence", "failed")]
    assert (tmp_path / "out" / "predictions.dbn").read_text() == ""
    assert {path.name for path in (tmp_path / "out").iterdir()} == ALWAYS


def test_a_record_that_is_too_long_is_a_bad_one(tmp_path, fasta, predict, monkeypatch, caplog):
    monkeypatch.setattr(limits, "_memory_there", lambda: 1.501)
    assert predict(fasta, strict=True) == 2
    assert predict(fasta) == 1
    assert "tRNA/Phe: 76 bases take some 1.5 GiB of memory; expected at most 1.5" in caplog.text
    table = rows(tmp_path / "out")
    assert [(row["id"], row["status"]) for row in table] == [
        *(("tRNA/Phe", "failed"), ("hp", "ok"), ("HP", "ok")),
    ]
    assert "expected at most 1.5" in table[0]["message"]


def test_a_long_record_is_predicted_in_windows(tmp_path, fasta, predict):
    given = {"longest_whole": 40, "window": 40, "baseline": True, "alternatives": 2, "plot": "svg"}
    assert predict(fasta, **given) == 0
    out = tmp_path / "out"
    assert {path.name for path in out.glob("tRNA*")} == {
        f"tRNA_Phe.{suffix}"
        for suffix in ("ct", "dbn", "bpseq", "npy", "vienna.dbn", "alternatives.dbn", "svg")
    }
    table = rows(out)
    assert [row["message"] for row in table] == ["predicted in 3 windows", "", ""]
    assert all(float(row["mfe_kcal_mol"]) < 0 for row in table)
    assert "ViennaRNA MFE" in (out / "tRNA_Phe.svg").read_text()
    assert predict(fasta, overwrite=True) == 0
    whole = rows(out)
    assert [row["message"] for row in whole] == [""] * 3
    assert [row["mfe_kcal_mol"] for row in whole] == [row["mfe_kcal_mol"] for row in table]


def test_a_record_too_long_for_a_whole_map_has_a_sparse_one(
    tmp_path, fasta, predict, caplog, monkeypatch
):
    caplog.set_level(logging.INFO, "rnass")
    monkeypatch.setattr(limits, "MAX_LENGTH", 60)
    given = {"longest_whole": 40, "window": 40}
    assert predict(fasta, **given) == 0
    out = tmp_path / "out"
    assert {path.name for path in out.glob("tRNA*")} == {
        f"tRNA_Phe.{suffix}" for suffix in ("ct", "dbn", "bpseq", "npz")
    }
    table = rows(out)
    assert [row["message"] for row in table] == ["predicted in 3 windows", "", ""]
    assert [row["mfe_kcal_mol"] == "" for row in table] == [True, False, False]
    assert "tRNA/Phe: 76 bases in 3 windows of 40" in caplog.text
    record = read_results(out).records[0]
    sparse = record.decoded_map()
    assert sparse.shape == (76, 76)
    assert sparse.dtype == np.float32
    i, j = record.structure.pairs.T
    assert (j - i < 40).all()
    assert sparse[i, j].min() > 0
    assert isinstance(read_results(out).records[1].decoded_map(), np.ndarray)
    assert predict(fasta, resume=True, **given) == 0
    monkeypatch.undo()
    assert predict(fasta, overwrite=True) == 0
    assert not (out / "tRNA_Phe.npz").exists()


def test_what_a_record_with_a_sparse_map_lacks_is_said(tmp_path, fasta, predict, monkeypatch):
    monkeypatch.setattr(limits, "MAX_LENGTH", 60)
    monkeypatch.setattr("rnass.jobs.predict.MAX_LENGTH", 60)
    given = {"longest_whole": 40, "window": 40, "baseline": True, "alternatives": 2, "plot": "svg"}
    assert predict(fasta, **given) == 1
    message = "tRNA/Phe: over 60 bases, without .alternatives.dbn, .vienna.dbn"
    assert [row["message"] for row in rows(tmp_path / "out")] == [message, "", ""]
    assert (tmp_path / "out" / "tRNA_Phe.npz").exists()
    assert "ViennaRNA MFE" not in (tmp_path / "out" / "tRNA_Phe.svg").read_text()
    assert "ViennaRNA MFE" in (tmp_path / "out" / "hp.svg").read_text()
    given = {"longest_whole": 40, "window": 40, "plot": "svg", "plot_kind": "map", "overwrite": True}
    assert predict(fasta, **given) == 0
    assert "rnass, structure" in (tmp_path / "out" / "tRNA_Phe.svg").read_text()
    assert "rnass, structure" not in (tmp_path / "out" / "hp.svg").read_text()


def test_a_record_that_fails_spoils_no_other_and_is_tried_again(
    tmp_path, fasta, predict, monkeypatch, calls
):
    def refuse(probabilities, bases, decoding, **restraints):
        if bases == HAIRPIN:
            raise RnassError("decoding: no")
        return decode(probabilities, bases, decoding, **restraints)

    monkeypatch.setattr(predictor, "decode", refuse)
    assert predict(fasta) == 1
    assert [(row["id"], row["status"]) for row in rows(tmp_path / "out")] == [
        *(("tRNA/Phe", "ok"), ("hp", "failed"), ("HP", "ok")),
    ]
    assert not (tmp_path / "out" / "hp.ct").exists()
    monkeypatch.setattr(predictor, "decode", decode)
    calls.clear()
    assert predict(fasta, resume=True) == 0
    assert calls == ["hp"]
    assert [row["status"] for row in rows(tmp_path / "out")] == ["ok"] * 3


def test_a_second_run_is_refused(tmp_path, fasta, predict):
    predict(fasta)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(OutputError, match=r"out: holds earlier results; .*--overwrite .*--resume"):
        predict(fasta)
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_overwrite(tmp_path, fasta, predict):
    predict(fasta)
    assert predict(sequence=HAIRPIN, overwrite=True) == 0
    assert {row["file"] for row in rows(tmp_path / "out")} == {"sequence"}
    assert not (tmp_path / "out" / "hp.ct").exists()


def test_overwrite_with_unusable_weights_keeps_what_is_there(tmp_path, fasta, predict):
    predict(fasta)
    (tmp_path / "broken.safetensors").write_text("no weights")
    with pytest.raises(CheckpointError, match="expected a safetensors file"):
        predict(fasta, overwrite=True, weights=str(tmp_path / "broken.safetensors"))
    assert len(rows(tmp_path / "out")) == 3
    assert (tmp_path / "out" / "hp.ct").exists()


def test_resuming_does_only_what_is_missing(tmp_path, fasta, predict, calls):
    predict(fasta)
    (tmp_path / "out" / "hp.npy").unlink()
    calls.clear()
    assert predict(fasta, resume=True) == 0
    assert calls == ["hp"]
    assert (tmp_path / "out" / "hp.npy").exists()
    calls.clear()
    assert predict(fasta, resume=True) == 0
    assert calls == []


def test_resuming_with_more_records_does_the_new_ones(tmp_path, fasta, predict, calls):
    predict(fasta)
    (tmp_path / "more.fa").write_text(">new\nGGCCAAAAGGCC\n")
    calls.clear()
    assert predict(fasta, str(tmp_path / "more.fa"), resume=True) == 0
    assert calls == ["new"]
    assert len(read_structures(tmp_path / "out" / "predictions.dbn")) == 4


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"formats": ("ct",)}, "--format"),
        ({"baseline": True}, "--baseline"),
        ({"plot": "svg"}, "--plot"),
        ({"plot_kind": "map"}, "--plot-kind"),
        ({"decoding": {"canonical": False}}, "--noncanonical"),
        ({"decoding": {"max_order": 0}}, "--max-order or --no-pseudoknots"),
        ({"decoding": {"threshold": 0.3}}, "--threshold"),
        ({"thermodynamics": False}, "--thermodynamics"),
        ({"mix": 0.5}, "--mix"),
        ({"temperature": 38.0}, "--temperature"),
        ({"salt": 0.1}, "--salt"),
    ],
)
def test_resuming_with_other_options_is_refused(tmp_path, fasta, predict, changed, named):
    predict(fasta)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(OutputError, match=f"out: made with another {named}; expected the same"):
        predict(fasta, resume=True, **changed)
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_an_interruption_leaves_a_folder_that_can_be_resumed(
    tmp_path, many, predict, monkeypatch, caplog, calls
):
    predict(many, out="whole")
    count = 0

    def interrupt(probabilities, bases, decoding, **restraints):
        nonlocal count
        count += 1
        if count == 20:
            raise KeyboardInterrupt
        return decode(probabilities, bases, decoding, **restraints)

    monkeypatch.setattr(predictor, "decode", interrupt)
    assert predict(many) == 130
    assert "interrupted; finished records are kept, --resume does the rest" in caplog.text
    assert (
        len(rows(tmp_path / "out")) == len(read_structures(tmp_path / "out" / "predictions.dbn")) == 19
    )
    assert json.loads((tmp_path / "out" / "run.json").read_text())["exit_status"] == 130
    monkeypatch.setattr(predictor, "decode", decode)
    calls.clear()
    assert predict(many, resume=True) == 0
    assert len(calls) == 21
    assert_same(tmp_path / "whole", tmp_path / "out")


def test_a_killed_worker_costs_no_finished_record_and_blames_none(
    tmp_path, many, predict, monkeypatch, caplog, calls
):
    caplog.set_level(logging.ERROR, "rnass")
    predict(many, out="whole", threads=1)
    calls.clear()
    real = job.PredictJob.write

    def write(*arguments):
        for worker in multiprocessing.active_children():
            worker.kill()  # which may have ended already
        return real(*arguments)

    monkeypatch.setattr(job.PredictJob, "write", write)
    monkeypatch.setattr(pipeline, "_BATCH_SIZE", 1000)  # written long before the last is folded
    monkeypatch.setattr(workers, "_AHEAD", 1)
    assert predict(many, threads=2) == 2
    (message,) = caplog.messages
    assert message.startswith("ViennaRNA: a worker process was killed, most likely as memory ran out; ")
    assert message.endswith("; finished records are kept, --resume does the rest")
    done = len(calls)
    assert 0 < done < 40
    assert [row["status"] for row in rows(tmp_path / "out")] == ["ok"] * done
    assert json.loads((tmp_path / "out" / "run.json").read_text())["exit_status"] == 2
    assert predict(many, threads=1, resume=True) == 0
    assert len(calls) == 40
    assert_same(tmp_path / "whole", tmp_path / "out")


def test_a_file_that_cannot_be_written_ends_the_workers_too(many, predict, monkeypatch):
    """The error is held, as on the way out of a process: what it refers to is not let go of."""

    def full(*_):
        raise OutputError("no space left on device")

    monkeypatch.setattr(job.PredictJob, "write", full)
    others = multiprocessing.active_children()
    with pytest.raises(OutputError) as caught:
        predict(many, threads=2)
    assert multiprocessing.active_children() == others
    assert "no space left" in str(caught.value)


def test_a_folder_that_another_run_writes_into_is_refused(tmp_path, fasta, predict):
    with (
        open_results(tmp_path / "out", Plan("predict", {}, (), (), ()), []),
        pytest.raises(OutputError, match=r"out: another run is writing into it; expected"),
    ):
        predict(fasta)
    assert predict(fasta) == 0


def test_a_file_that_cannot_be_written_is_an_error(tmp_path, fasta, predict):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="expected a folder that can be written"):
        predict(fasta)


def test_inputs_come_in_order_with_their_problems(tmp_path, bad):
    found = read_inputs([bad], "GGC")
    assert found.rnas[0] == Rna("sequence", "GGC", "sequence")
    assert [rna.id for rna in found.rnas] == ["sequence", "good", "fine"]
    assert [problem.record for problem in found.problems] == ["gap", "empty", "digit"]


def test_arcs_of_the_mfe_structure_are_shaded_by_the_energies_that_folded_it(tmp_path, predict):
    assert predict(sequence=HAIRPIN, plot="svg") == 0
    text = (tmp_path / "out" / "sequence.svg").read_text()
    assert "pairing probability (rnass; ViennaRNA, Turner 2004)" in text
    probabilities = Ensemble(HAIRPIN).bpp.dense()
    structure = Ensemble(HAIRPIN).mfe_structure
    below = text.split('id="below"')[1].split("</g>")[0]
    drawn = re.findall(r"stroke: (#[0-9a-f]{6})", below)
    shades = np.sort(probabilities[structure.pairs[:, 0], structure.pairs[:, 1]])
    assert drawn == [to_hex(NESTED(shade)) for shade in shades]
