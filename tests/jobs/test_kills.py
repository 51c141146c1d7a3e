"""Thirty kills at random moments, of two commands in one folder: nothing that was finished is lost.

The oracle is a run that nobody disturbed. The processes are forked from a server that has imported
everything already, so that each kill falls into the work.
"""

import multiprocessing
import random
import sys
from importlib.util import find_spec

import pytest
from tiny_weights import save_tiny_weights

from rnass.errors import OutputError
from rnass.io import read_structures
from rnass.jobs.embed import EmbedOptions, embed_files
from rnass.jobs.journal import JOURNAL, read_journal
from rnass.jobs.predict import PredictOptions, predict_files

RECORDS = 40


def predict(fasta, out, weights, **flags):
    formats = ("ct", "dbn", "bpseq", "npy", *(["parquet"] if find_spec("pyarrow") else []))
    options = PredictOptions(
        weights=weights, device="cpu", threads=1, plot="svg", formats=formats, **flags
    )
    return predict_files([fasta], out, options)


def embed(fasta, out, weights, **flags):
    return embed_files([fasta], out, EmbedOptions(backbone=weights, device="cpu", **flags))


COMMANDS = {"predict": predict, "embed": embed}


def run(kind, *arguments, **flags):
    """In a process of its own; one that the journal refuses ends with 99."""
    try:
        sys.exit(COMMANDS[kind](*arguments, **flags))
    except OutputError:
        sys.exit(99)


@pytest.fixture(scope="module")
def server():
    if sys.platform == "win32":
        pytest.skip("kills as POSIX does")
    context = multiprocessing.get_context("forkserver")
    modules = ["rnass.jobs.predict", "rnass.jobs.embed", "rnass.figures", "torch._dynamo"]
    context.set_forkserver_preload([*modules, "pytest", "tiny_weights"])
    return context


@pytest.fixture
def disturbed(server):
    """Runs a command, and kills it some records and seconds after it has the folder; gives its end."""

    def start(kind, fasta, out, weights, *, kill=None, **flags):
        journal = out / JOURNAL
        before = journal.stat().st_ino if journal.exists() else 0
        process = server.Process(target=run, args=(kind, fasta, out, weights), kwargs=flags)
        process.start()
        if kill:
            records, seconds = kill
            while process.is_alive() and not (
                journal.exists()
                and journal.stat().st_ino != before  # written anew
                and journal.read_bytes().count(b"\n") > records
            ):
                process.join(0.002)
            process.join(seconds)
            process.kill()
        process.join()
        code = process.exitcode
        process.close()
        return code

    return start


def finished(folder):
    """The names of the records that the journal has as finished; their files are as written."""
    _, entries = read_journal(folder)
    done = {name for name, entry in entries.items() if entry.cells["status"] == "ok"}
    assert all(entries[name].is_whole(folder) for name in done)
    return done


def answers(folder):
    names = {path.name for path in folder.iterdir() if path.name[0] != "."}
    fixed = {name for name in names if name.endswith((".dbn", ".ct", ".bpseq", ".npy"))}
    return names, {name: (folder / name).read_bytes() for name in fixed}


def test_thirty_kills_lose_nothing(disturbed, tmp_path):
    draw = random.Random(7)
    fasta, weights = str(tmp_path / "seqs.fa"), str(save_tiny_weights(tmp_path / "w.safetensors"))
    sizes = [draw.randint(20, 30) for _ in range(RECORDS)]
    lines = (f">r{k}\n{''.join(draw.choices('ACGU', k=n))}\n" for k, n in enumerate(sizes))
    (tmp_path / "seqs.fa").write_text("".join(lines))
    out, own = tmp_path / "out", tmp_path / "out" / "notes.txt"
    ended = []
    for kind, other in (("predict", "embed"), ("embed", "predict")):
        flags = {"overwrite": True} if own.exists() else {}  # the second takes the folder over
        before: set[str] = set()
        for _ in range(15):
            kill = len(before) + draw.randint(0, 3), draw.uniform(0, 0.05)
            ended.append(disturbed(kind, fasta, out, weights, kill=kill, **flags))
            flags = {"resume": True}
            own.write_text("mine")
            after = finished(out)
            assert before <= after
            before = after
        assert disturbed(other, fasta, out, weights, resume=True) == 99
        assert finished(out) == before
        assert disturbed(kind, fasta, out, weights, **flags) == 0
        assert disturbed(kind, fasta, tmp_path / kind, weights) == 0
        (names, files), (whole_names, whole_files) = answers(out), answers(tmp_path / kind)
        assert names - {"notes.txt"} == whole_names
        assert files.keys() == whole_files.keys()
        assert own.read_text() == "mine"
        text = [name for name in files if not name.endswith(".npy")]
        assert [files[name] for name in text] == [whole_files[name] for name in text]
        for table in out.glob("*.parquet"):
            if kind == "predict":
                assert read_structures(table) == read_structures(out / "predictions.dbn")
    assert ended.count(-9) >= 15  # most of them were killed
