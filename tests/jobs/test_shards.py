"""Part by part: the rows of one table, read as needed, whole after a kill, on one computer or on Ray."""

import gzip
import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from itertools import count
from pathlib import Path

import pytest

from rnass.errors import DependencyError, ExitStatus, InputError, OutputError
from rnass.evaluation.references import read_others
from rnass.io import read_structures
from rnass.jobs import ray_shards
from rnass.jobs.convert import convert_file
from rnass.jobs.predict import PredictOptions, predict_files
from rnass.jobs.shards import Shard, ShardOptions, predict_shards, predicted, read_shards
from rnass.prediction.predictor import load_predictor
from rnass.rna import Rna

pytest.importorskip("pyarrow")
reader = pytest.importorskip("pyarrow.parquet")

SIZE = 10


def random_rna(draw, number):
    return f">r{number} of many\n{''.join(draw.choices('ACGU', k=draw.randint(12, 60)))}\n"


@pytest.fixture
def fasta(tmp_path):
    """34 RNAs and, as the twelfth record, a bad one: four parts."""
    draw = random.Random(2)
    lines = [random_rna(draw, k) for k in range(34)]
    lines.insert(11, ">bad\nGGXCC\n")
    path = tmp_path / "seqs.fa"
    path.write_text("".join(lines))
    return path


@pytest.fixture
def shards(fasta, weights, tmp_path):
    """Predict into a folder; gives the exit status."""

    def run(out="parts", *, size=SIZE, engine="local", paths=(fasta,), **flags):
        options = PredictOptions(weights=weights, device="cpu", threads=1, formats=("parquet",), **flags)
        out = out if "://" in str(out) else str(tmp_path / out)
        return predict_shards([*map(str, paths)], out, options, ShardOptions(size=size, engine=engine))

    return run


def parts(folder):
    return sorted(path.name for path in folder.glob("part-*.parquet"))


def rows(folder):
    return [row for name in parts(folder) for row in reader.read_table(folder / name).to_pylist()]


@pytest.fixture
def table(fasta, weights, tmp_path):
    """The rows of the same records in one table."""
    options = PredictOptions(weights=weights, device="cpu", threads=1, formats=("parquet",))
    assert predict_files([str(fasta)], tmp_path / "one", options) == ExitStatus.FAILED
    return reader.read_table(tmp_path / "one" / "results.parquet").to_pylist()


def same(found, expected):
    """Whether rows are the same but for names of files, and the last of four digits."""
    assert [row["id"] for row in found] == [row["id"] for row in expected]
    for one, other in zip(found, expected, strict=True):
        for name in ("sequence", "structure", "mfe_structure", "temperature_celsius"):
            assert one[name] == other[name]
        for name in ("unpaired", "confidence", "mfe_kcal_mol"):
            assert one[name] == pytest.approx(other[name], abs=1.1e-4)
    return True


def test_the_parts_hold_the_rows_of_one_table(shards, table, tmp_path, caplog):
    caplog.set_level("INFO")
    assert shards() == ExitStatus.FAILED
    folder = tmp_path / "parts"
    assert same(rows(folder), table)
    assert [reader.read_metadata(folder / name).num_rows for name in parts(folder)] == [10, 9, 10, 5]
    assert [row["file"] for row in rows(folder)] == [None] * 34
    heading, failed = (folder / "failed.tsv").read_text().splitlines()
    assert heading == "id\tstatus\tmessage"
    assert failed.startswith("bad\tfailed\t")
    assert "letter 'X' at base 3" in failed
    run = json.loads((folder / "run.json").read_text())
    assert (run["records"], run["bad_records"], run["exit_status"], run["shard"]) == (35, 1, 1, 10)
    assert list(run["checksums"]) == [str(tmp_path / "seqs.fa")]
    assert "34 records done, 1 failed" in caplog.text


def test_the_input_is_read_as_it_is_needed(weights):
    """Of an input without end no more is read than the parts that are taken need."""
    draw = random.Random(5)
    read = 0

    def endless():
        nonlocal read
        for number in count():
            read += 1
            bases = ["".join(draw.choices("ACGU", k=draw.randint(10, 20))) for _ in range(SIZE)]
            yield Shard(number, [Rna(f"r{k}", one) for k, one in enumerate(bases)])

    found = predicted(load_predictor(weights, device="cpu"), endless())
    taken = [next(found) for _ in range(60)]
    found.close()
    assert [shard.number for shard, _ in taken] == list(range(60))
    assert all([row["id"] for row in part] == [one.id for one in shard.rnas] for shard, part in taken)
    assert read < 60 + 120  # two pools of 256 RNAs ahead


def test_records_are_cut_into_shards(fasta, tmp_path):
    found = list(read_shards([str(fasta), str(tmp_path / "gone.fa")], SIZE))
    assert [(len(one.rnas), len(one.problems)) for one in found] == [(10, 0), (9, 1), (10, 0), (5, 1)]
    assert found[0].key == next(read_shards([str(fasta)], SIZE)).key
    assert len({one.key for one in found}) == 4


def test_an_interrupted_run_is_resumed(shards, table, tmp_path, monkeypatch, caplog):
    folder = tmp_path / "parts"
    write = ray_shards.Worker.run

    def interrupted(worker, left):
        for done in write(worker, left):
            yield done
            if done.shard == 1:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ray_shards.Worker, "run", interrupted)
        assert shards() == ExitStatus.INTERRUPTED
    assert parts(folder) == ["part-000000.parquet", "part-000001.parquet"]
    assert "--resume makes the rest" in caplog.text
    before = [(folder / name).stat().st_mtime_ns for name in parts(folder)]
    assert shards(resume=True) == ExitStatus.FAILED
    assert same(rows(folder), table)
    assert [(folder / name).stat().st_mtime_ns for name in parts(folder)[:2]] == before
    assert len((folder / "failed.tsv").read_text().splitlines()) == 2


def test_parts_of_changed_records_are_made_again(shards, fasta, tmp_path):
    folder = tmp_path / "parts"
    shards()
    before = {name: (folder / name).stat().st_mtime_ns for name in parts(folder)}
    lines = fasta.read_text().splitlines(keepends=True)
    fasta.write_text("".join([*lines[:50], ">new\nGGGGAAAACCCC\n"]))  # within the third part
    shards(resume=True)
    assert parts(folder) == [f"part-00000{k}.parquet" for k in range(3)]
    same_as_before = [(folder / name).stat().st_mtime_ns == before[name] for name in parts(folder)]
    assert same_as_before == [True, True, False]
    assert rows(folder)[-1]["id"] == "new"
    (folder / "part-000000.parquet").write_bytes(b"torn")
    shards(resume=True)
    assert len(rows(folder)) == 25


def test_a_file_that_breaks_off_is_no_shorter_input(shards, fasta, tmp_path):
    folder, packed = tmp_path / "parts", tmp_path / "seqs.fa.gz"
    packed.write_bytes(whole := gzip.compress(fasta.read_bytes(), mtime=0))
    assert shards(paths=[packed]) == ExitStatus.FAILED  # of the bad record
    before = {name: (folder / name).read_bytes() for name in parts(folder)}
    assert len(before) == 4
    packed.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"seqs.fa.gz: damaged gzip"):
        shards(paths=[packed], resume=True)
    assert {name: (folder / name).read_bytes() for name in parts(folder)} == before
    packed.write_bytes(whole)
    assert shards(paths=[packed], resume=True) == ExitStatus.FAILED
    assert {name: (folder / name).read_bytes() for name in parts(folder)} == before


def test_a_file_that_was_never_whole_is_resumed(shards, fasta, tmp_path):
    paths = [fasta, packed := tmp_path / "more.fa.gz"]
    packed.write_bytes(gzip.compress(b">a\nGGGGAAAACCCC\n")[:-4])
    assert shards(paths=paths) == shards(paths=paths, resume=True) == ExitStatus.FAILED
    assert len(rows(tmp_path / "parts")) == 34


def test_the_parts_are_read_as_structures(shards, table, tmp_path):
    shards()
    (tmp_path / "parts" / "other.txt").write_text("")
    rnas = [Rna(row["id"], row["sequence"]) for row in table]
    convert_file(tmp_path / "parts", tmp_path / "all.dbn")
    structures = read_structures(tmp_path / "all.dbn")
    assert [(rna.id, one.dot_bracket) for rna, one in structures] == [
        (row["id"], row["structure"]) for row in table
    ]
    found = read_others("rnass", tmp_path / "parts", rnas)
    assert [one.dot_bracket for one in found.structures] == [row["structure"] for row in table]
    assert found.problems == []


def test_folders_that_are_refused(shards, tmp_path):
    shards()
    with pytest.raises(OutputError, match="not empty; expected an empty folder, --overwrite"):
        shards()
    with pytest.raises(OutputError, match="--overwrite and --resume; expected one of them"):
        shards(overwrite=True, resume=True)
    with pytest.raises(OutputError, match="made with another shard; expected the same"):
        shards(size=5, resume=True)
    with pytest.raises(OutputError, match=r"made with another --temperature; expected"):
        shards(temperature=50.0, resume=True)
    (tmp_path / "parts" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"mine\.txt: not a part of such a run"):
        shards(overwrite=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "part-000000.parquet").write_text("")
    with pytest.raises(OutputError, match="no run to resume"):
        shards("other", resume=True)
    with pytest.raises(OutputError, match=r"nowhere://x: .*; expected a folder or a URI"):
        shards("nowhere://x")
    with pytest.raises(InputError, match=r"gone\.fa: no such file; expected a FASTA file"):
        shards("fresh", paths=["gone.fa"])
    assert not (tmp_path / "fresh").exists()


def test_overwriting_leaves_nothing_of_the_earlier_run(shards, tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "job.log").write_text("")  # no obstacle
    shards(size=5)
    assert len(parts(tmp_path / "parts")) == 7
    shards(size=20, overwrite=True)
    assert len(parts(tmp_path / "parts")) == 2


def test_a_uri_is_a_place_for_parts(shards, table, tmp_path):
    assert shards((tmp_path / "by uri").as_uri()) == ExitStatus.FAILED
    assert same(rows(tmp_path / "by uri"), table)


def work(fasta, out, weights):
    options = PredictOptions(
        weights=weights, device="cpu", threads=1, formats=("parquet",), resume=out.exists()
    )
    sys.exit(predict_shards([str(fasta)], str(out), options, ShardOptions(size=SIZE)))


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_killed_at_any_moment_no_record_is_lost_or_double(fasta, weights, table, tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["rnass.jobs.shards", "torch._dynamo", "pytest"])
    out, draw = tmp_path / "killed", random.Random(8)
    for _ in range(10):
        process = context.Process(target=work, args=(fasta, out, weights))
        process.start()
        while process.is_alive() and not (out / "run.json").exists():
            process.join(0.002)
        process.join(draw.uniform(0, 0.6))
        process.kill()
        process.join()
        for name in parts(out):
            reader.read_table(out / name)  # whole
    process = context.Process(target=work, args=(fasta, out, weights))
    process.start()
    process.join()
    assert process.exitcode == ExitStatus.FAILED
    assert same(rows(out), table)
    assert not list(out.glob(".rnass-*.tmp"))


def test_without_ray_the_extra_is_named(shards, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DependencyError, match="ray is not installed; expected it"):
        shards(engine="ray")


def kill_a_worker(folder, killed):
    """Kill a worker that is predicting, once two parts are there."""
    while len(parts(folder)) < 2:
        time.sleep(0.005)
    while not killed:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if command.startswith(b"ray::_Remote.run"):
                os.kill(int(process.name), signal.SIGKILL)
                killed.append(int(process.name))
                return
        time.sleep(0.001)


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds the worker in /proc")
@pytest.mark.filterwarnings("ignore::Warning")  # of Ray's own modules
def test_ray_repeats_the_part_of_a_killed_worker(shards, weights, tmp_path, caplog):
    ray = pytest.importorskip("ray")
    caplog.set_level("INFO")
    draw = random.Random(3)
    many = tmp_path / "many.fa"
    many.write_text("".join(random_rna(draw, k) for k in range(240)))
    assert shards("alone", paths=[many]) == ExitStatus.OK
    killed = []
    killer = threading.Thread(target=kill_a_worker, args=(tmp_path / "ray", killed), daemon=True)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        killer.start()
        assert shards("ray", paths=[many], engine="ray") == ExitStatus.OK
    finally:
        ray.shutdown()
    killer.join(10)
    assert killed
    assert "Ray: 2 workers of 1 core" in caplog.text
    assert len(rows(tmp_path / "ray")) == 240
    assert same(rows(tmp_path / "ray"), rows(tmp_path / "alone"))
