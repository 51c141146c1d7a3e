"""The commands as a stranger types them: most in this process, through `main`; those that are about
processes (pipes, signals, kills) in a process of their own.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import typer.main
from tiny_weights import save_tiny_weights

import rnass
from rnass import cli
from rnass.errors import ExitStatus
from rnass.io import read_structures
from rnass.manifest import manifest_entry
from rnass.thermodynamics import parameter_sets
from rnass.thermodynamics.parameter_sets import OWN_ENERGIES

HAIRPIN = "GGGGAAAACCCC"
COMMAND = [sys.executable, "-W", "error", "-m", "rnass"]
# an interrupt may land inside open(), before anybody can close the file
INTERRUPTED = [sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", "-m", "rnass"]
MANY = 150
COMMANDS = sorted(typer.main.get_command(cli.app).commands)


@pytest.fixture
def fasta(tmp_path):
    (tmp_path / "seqs.fa").write_text(f">a\n{HAIRPIN}\n>b\nGGGCAAAAGCCC\n")
    return "seqs.fa"


def shell(arguments, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
        **options,
    )


def test_version(rna):
    assert rna("--version") == (0, f"rnass {rnass.__version__}\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", ["info", "--version", "label --probe probe --sequence GGGCAAGCCC"])
def test_standard_output_that_cannot_be_written(tmp_path, arguments):
    probe = f"import sys; from rnass import cli; sys.argv[1:] = {arguments.split()!r}; "
    probe += "from rnass.cli import backbones; from rnass.jobs import label; import typer; "
    probe += "label.label_files = lambda *_, **__: sys.stdout.write('id') and 0; cli.main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", probe], stdout=full, stderr=subprocess.PIPE, check=False, text=True
        )
    assert done.returncode == ExitStatus.STOPPED
    message = "standard output: no space left on device; expected a stream to write to"
    assert done.stderr == f"rnass: {message}\n"


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_every_command_has_help(rna, command):
    status, out, err = rna(*command, "--help")
    assert (status, err) == (0, "")
    assert "Usage: rnass" in out
    assert rna(*command, "-h")[1] == out


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["predict", "seqs.fa", "--constraints", ""], "--constraints:"),
        (["predict", "seqs.fa", "--shape="], "--shape=:"),
        (["predict", ""], "predict:"),
        (["plot", "seqs.dbn", "--out", ""], "--out:"),
        (["prepare", "leakage", "--train", ""], "--train:"),
    ],
    ids=["option", "with =", "argument", "path", "subcommand"],
)
def test_empty_text_is_no_value(rna, tmp_path, arguments, place):
    """An unset variable of a shell script: without the check --constraints "$C" would be none."""
    status, _, error = rna(*arguments)
    assert status == 2
    assert f"{place} empty; expected a value" in error
    assert not any(tmp_path.iterdir())


def test_a_kind_of_figure_without_a_format_is_refused(predict, tmp_path):
    status, _, error = predict("--sequence", HAIRPIN, "--plot-kind", "map")
    assert status == 2
    assert "--plot-kind: no figures; expected --plot with it" in error
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_the_package_runs_as_a_module(rna, arguments):
    done = shell(arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, rna(*arguments)[1], "")


def test_the_help_of_rnass_documents_every_exit_status(rna):
    text = " ".join(rna("--help")[1].replace("│", " ").split())
    for status in ExitStatus:
        assert re.search(rf"\b{int(status)}\b", text.split("Exit status of every command")[1])


def test_a_fault_of_rnass_is_one_line_and_exit_status_70(predict, monkeypatch):
    def broken(*_, **__):
        raise KeyError("seconds")

    monkeypatch.setattr("rnass.jobs.predict.PredictJob", broken)
    status, out, err = predict("--sequence", HAIRPIN)
    assert (status, out) == (70, "")
    assert err == (
        "rnass: unexpected KeyError: 'seconds'; please report it to the rnass authors, with the command "
        "and the traceback that --verbose shows\n"
    )
    status, out, err = predict("--sequence", HAIRPIN, "--verbose")
    assert status == 70
    assert "Traceback (most recent call last)" in err
    assert "in broken" in err


def test_memory_that_runs_out_while_loading_is_no_fault(predict, monkeypatch):
    def huge(*_, **__):
        raise MemoryError

    monkeypatch.setattr("rnass.jobs.predict.PredictJob", huge)
    status, _, err = predict("--sequence", HAIRPIN)
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith("rnass: memory ran out; expected")


def test_more_threads_than_cores_are_all_cores(rna, weights, tmp_path):
    assert rna("predict", "--sequence", HAIRPIN, "--weights", weights, "--threads", 1000)[0] == 0
    run = json.loads((tmp_path / "results" / "run.json").read_text())
    assert 1 <= run["threads"] <= os.cpu_count()


def test_control_characters_of_an_id_do_not_reach_the_terminal(predict, tmp_path):
    (tmp_path / "odd.fa").write_text(f">x\x1b[31m\nGG-CC\n>y\x1b[2J\n{HAIRPIN}\n")
    for further in ([], ["--constraints", "odd.fa", "--overwrite"]):
        status, out, err = predict("odd.fa", *further)
        assert (status, out) == (1, "")
        assert "letter '-'" in err
        assert "\x1b" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="closes a stream as a POSIX shell does")
@pytest.mark.parametrize(("closed", "status"), [("<&-", 2), (">&-", 0), ("2>&-", 0)])
def test_a_closed_stream_is_no_traceback(tmp_path, weights, closed, status):
    (tmp_path / "a.fa").write_text(f">a\n{HAIRPIN}\n")
    source = "-" if closed == "<&-" else "a.fa"
    line = f'"$0" -m rnass predict {source} --weights "$1" {closed}'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable, weights], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == status
    assert b"Traceback" not in done.stderr
    assert (b"standard input: closed; expected" in done.stderr) is (status == 2)


def test_a_backend_that_matplotlib_does_not_know_is_not_looked_at(tmp_path, weights):
    arguments = ["predict", "--sequence", HAIRPIN, "--weights", weights, "--plot", "svg"]
    environment = {**os.environ, "MPLBACKEND": "bogus"}
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "results" / "sequence.svg").is_file()


def test_paths_that_are_not_utf_8(tmp_path, weights):
    """Names of files are bytes on POSIX; they come back from run.json and from messages."""
    try:
        (tmp_path / "caf\udce9.fa").write_text(f">a\n{HAIRPIN}\n>b\nGG-C\n")
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system takes UTF-8 alone")
    arguments = ["predict", "caf\udce9.fa", "--weights", weights, "--out", "r\udce9", "--quiet"]
    done = subprocess.run([*COMMAND, *arguments], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"caf" in done.stderr
    assert b"Traceback" not in done.stderr
    run = json.loads((tmp_path / "r\udce9" / "run.json").read_text())
    assert run["inputs"] == ["caf\udce9.fa"]
    assert "letter '-'" in (tmp_path / "r\udce9" / "summary.tsv").read_text()


def test_help_imports_no_torch(tmp_path):
    code = "import sys; sys.argv = ['rnass', 'predict', '--help']; from rnass.cli import main\n"
    code += "try: main()\nexcept SystemExit: sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0


def test_what_is_wrong_with_the_input_shows_before_torch_is_loaded(tmp_path):
    code = "import sys; sys.argv = ['rnass', 'predict', '--sequence', 'GG-CC', '--strict']\n"
    code += "from rnass.cli import main\n"
    code += "try: main()\nexcept SystemExit as end: print(end.code, 'torch' in sys.modules)"
    run = {"cwd": tmp_path, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", code], check=True, **run)
    assert done.stdout == "2 False\n"
    assert "letter '-' at base 3" in done.stderr


def test_no_command_shows_the_help(rna):
    _, out, err = rna()
    assert "predict" in out + err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "--colour"], "--colour"),
        (["fold"], "fold"),
        (["predict"], "no input: name FASTA files, - for standard input, or --sequence"),
        (["predict", "x.fa", "--plot", "gif"], "gif"),
        (
            ["predict", "x.fa", "--format", "ct,xyz"],
            "format 'xyz' is unknown; expected ct, dbn, bpseq, npy",
        ),
        (
            ["predict", "x.fa", "--format", "ct", "--format", "none"],
            "--format ct,none: none beside others",
        ),
        (["predict", "x.fa", "--threshold", "high"], "threshold 'high'; expected auto or a number"),
        (["predict", "x.fa", "--threshold", "1.5"], "expected a number between 0 and 1"),
        (["predict", "x.fa", "--threshold", "nan"], "expected a number between 0 and 1"),
        (["predict", "x.fa", "--threads", "-1"], "--threads"),
        (["predict", "x.fa", "--max-order", "0"], "--max-order"),
        (["predict", "x.fa", "--decoder", "nested"], "nested"),
        (
            ["predict", "x.fa", "--exact", "--decoder", "greedy"],
            "--exact: not with --decoder greedy; expected matching",
        ),
        (["predict", "x.fa", "--exact", "--decoder", "threshknot"], "--exact: not with"),
        (
            ["predict", "x.fa", "--no-pseudoknots", "--max-order", "3"],
            "--no-pseudoknots and --max-order; expected one of them",
        ),
        (["predict", "x.fa", "--seed", "1"], "--seed"),
        (["predict", "x.fa", "--temperature", "-300"], "temperature: -300 C; expected 0 to 100 C"),
        (["predict", "x.fa", "--temperature", "nan"], "temperature: nan C; expected 0 to 100 C"),
        (["predict", "x.fa", "--salt", "-1"], "salt: -1 M; expected 0.001 to 10 M"),
        (["predict", "x.fa", "--shard", "0"], "--shard"),
        (["predict", "x.fa", "--shard", "9", "--plot", "svg"], "--plot: not with --shard"),
        (["predict", "x.fa", "--engine", "ray", "--shape", "d"], "--shape: not with --shard"),
        (["predict", "x.fa", "--shard", "9", "--strict"], "--strict: not with --shard"),
        (
            ["predict", "x.fa", "--shard", "9", "--format", "ct"],
            "expected --out FOLDER, --format parquet",
        ),
        (
            ["predict", "x.fa", "--shard", "9", "--format", "parquet", "--format", "ct"],
            "expected --out FOLDER, --format parquet",
        ),
        (["predict", "x.fa", "--shard", "9", "--out", "-"], "expected --out FOLDER, --format parquet"),
        (["predict", "x.fa", "--out", "s3://b/x"], "expected --shard or --engine ray"),
        (["predict", "x.fa", "--address", "a:1"], "expected --engine ray with it"),
        (["predict", "x.fa", "--shard", "5", "--address", "a:1"], "expected --engine ray with it"),
        (["predict", "x.fa", "--shard", "9"], "x.fa: no such file; expected a FASTA file"),
        (
            ["predict", "--alignment", "x.sto", "--temperature", "25"],
            "relatives: at 25 C, 1.021 M NaCl; expected 37 C, 1.021 M NaCl",
        ),
        (
            ["predict", "x.fa", "--families", "x.cm", "--salt", "0.1"],
            "--families: at 37 C, 0.1 M NaCl; expected 37 C, 1.021 M NaCl",
        ),
    ],
)
def test_what_cannot_be_asked_for(rna, tmp_path, arguments, message):
    status, _, err = rna(*arguments)
    assert status == 2
    assert message in " ".join(err.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []


def test_info(rna, weights):
    status, out, err = rna("info", "--weights", weights)
    assert (status, err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["rnass"] == rnass.__version__
    assert lines["torch"] == torch.__version__
    assert lines["weights"] == weights
    assert lines["device"] in {"cpu", "cuda"}
    assert lines["energies"] == str(OWN_ENERGIES)
    assert lines["conditions"] == "37 C, 1.021 M NaCl; rescaled to others: turner2004"
    checks = [line.split(maxsplit=1)[1] for line in out.splitlines() if line.startswith("sha256")]
    assert checks[0].endswith("(not checked: no manifest.json beside it)")
    assert checks[1].endswith("(as in manifest.json)")


@pytest.mark.parametrize(
    ("change", "verdict"), [("", "(as in manifest.json)"), ("0", "(ALTERED: manifest.json has ")]
)
def test_info_checks_the_manifest(rna, tmp_path, change, verdict):
    path = save_tiny_weights(tmp_path / "tiny.safetensors")
    checksum = rna("info", "--weights", path)[1].split("sha256")[1].split()[0]
    (tmp_path / "manifest.json").write_text(json.dumps({path.name: {"sha256": checksum + change}}))
    assert verdict in rna("info", "--weights", path)[1]


@pytest.mark.parametrize(
    ("content", "state"), [("altered", "(ALTERED: manifest.json has "), (None, "MISSING")]
)
def test_info_checks_the_energies(rna, weights, tmp_path, monkeypatch, content, state):
    path = tmp_path / OWN_ENERGIES.name
    if content:
        path.write_text(content)
    (tmp_path / "manifest.json").write_text(json.dumps({path.name: manifest_entry(OWN_ENERGIES)}))
    monkeypatch.setattr(parameter_sets, "OWN_ENERGIES", path)
    status, out, _ = rna("info", "--weights", weights)
    assert status == 0
    assert state in out.splitlines()[-2]


def test_temperature_and_salt(predict, tmp_path):
    assert predict("--sequence", HAIRPIN, "--out", "cold")[0] == 0
    arguments = ("--sequence", HAIRPIN, "--temperature", 90, "--salt", 0.1, "--out", "hot")
    status, _, err = predict(*arguments)
    assert status == 0
    assert err.startswith("rnass: 90 C, 0.1 M NaCl: energies by turner2004")
    cold, hot = (np.load(tmp_path / out / "sequence.npy")[1, 10] for out in ("cold", "hot"))
    assert hot < 0.5 * cold
    _, out, _ = predict(*arguments[:-1], "-", "--format", "json")
    row = json.loads(out)
    assert (row["temperature_celsius"], row["salt_molar"]) == (90, 0.1)


def test_part_by_part(predict, fasta, tmp_path):
    pytest.importorskip("pyarrow")
    status, out, err = predict(fasta, "--shard", 1, "--out", "parts")
    assert (status, out, err) == (0, "", "rnass: parts: 2 records done, 0 failed\n")
    there = sorted(path.name for path in (tmp_path / "parts").iterdir())
    assert there == ["failed.tsv", "part-000000.parquet", "part-000001.parquet", "run.json"]
    assert predict(fasta, "--shard", 1, "--out", "parts", "--resume")[0] == 0
    status, _, err = predict(fasta, "--shard", 1, "--out", "parts")
    assert status == 2
    assert "parts: not empty; expected an empty folder, --overwrite" in err


def test_weights_that_are_not_there(rna, fasta):
    status, out, err = rna("predict", fasta, "--weights", "no-such")
    assert (status, out) == (2, "")
    assert err.startswith("rnass: weights 'no-such': not a file, nor in ")
    assert err.count("\n") == 1


def test_a_run_and_a_second_one(predict, fasta, tmp_path):
    status, out, err = predict(fasta, "--out", "out")
    assert (status, out, err) == (0, "", "rnass: out: 2 records done, 0 failed\n")
    assert (tmp_path / "out" / "a.ct").exists()
    status, out, err = predict(fasta, "--out", "out")
    assert (status, out) == (2, "")
    assert err.startswith("rnass: out: holds earlier results; expected an empty folder, --overwrite")
    assert "--resume" in err
    status, _, err = predict(fasta, "--out", "out", "--resume")
    assert status == 0
    assert "2 of 2 records finished already" in err
    assert predict(fasta, "--out", "out", "--overwrite")[0] == 0
    assert predict(fasta, "--out", "out", "--overwrite", "--resume")[0] == 2


def test_quiet_says_nothing_on_success(predict, fasta):
    assert predict(fasta, "--quiet") == (0, "", "")


def test_quiet_still_reports_what_is_bad(predict, tmp_path):
    (tmp_path / "bad.fa").write_text(f">x\nGG-CC\n>y\n{HAIRPIN}\n>z\n")
    status, out, err = predict("bad.fa", "--quiet")
    assert (status, out) == (1, "")
    letters = "expected A, C, G, U, T or an IUPAC code"
    assert err.splitlines() == [
        f"rnass: bad.fa:2 (x): letter '-' at base 3; {letters}",
        "rnass: bad.fa:5 (z): no bases; expected at least one of A, C, G, U, T",
    ]
    assert (tmp_path / "results" / "y.dbn").exists()


def test_strict(predict, tmp_path):
    (tmp_path / "bad.fa").write_text(f">x\nGG-CC\n>y\n{HAIRPIN}\n")
    status, _, err = predict("bad.fa", "--strict")
    assert status == 2
    assert "bad.fa:2 (x): letter '-' at base 3" in err
    assert "nothing is done (--strict)" in err
    assert not (tmp_path / "results").exists()


def test_options_reach_the_job(predict, tmp_path):
    arguments = ["--sequence", HAIRPIN, "--format", "dbn, npy", "--threshold", "0.2", "--max-span", "40"]
    arguments += ["--format", "tsv", "--format", "dbn"]
    arguments += ["--noncanonical", "--no-pseudoknots", "--min-helix", "2"]
    arguments += ["--no-thermodynamics", "--baseline", "--precision", "bfloat16"]
    assert predict(*arguments)[0] == 0
    run = json.loads((tmp_path / "results" / "run.json").read_text())
    assert run["options"]["decoding"] == {
        "threshold": 0.2,
        "canonical": False,
        "max_span": 40,
        "min_helix": 2,
        "max_order": 0,
    }
    assert run["options"]["formats"] == ["dbn", "npy", "tsv"]
    assert (run["options"]["thermodynamics"], run["options"]["baseline"]) == (False, True)
    assert run["options"]["precision"] == "bfloat16"
    names = {path.name for path in (tmp_path / "results").iterdir()}
    assert {"sequence.dbn", "sequence.npy", "sequence.tsv", "sequence.vienna.dbn"} <= names
    assert "sequence.ct" not in names


def test_structures_on_standard_output(predict, fasta, tmp_path):
    predict(fasta, "--quiet")
    status, out, err = predict(fasta, "--out", "-", "--quiet")
    assert (status, err) == (0, "")
    assert out == (tmp_path / "results" / "predictions.dbn").read_text()
    assert not (tmp_path / "-").exists()
    assert "standard output: 2 records done, 0 failed" in predict(fasta, "-o", "-")[2]
    for option in ("--plot=svg", "--resume", "--alternatives=2", "--report"):
        status, out, err = predict(fasta, "--out", "-", option)
        assert (status, out) == (2, "")
        assert f"{option.split('=')[0]}: needs a folder" in err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes as POSIX has them")
def test_a_closed_pipe_is_no_traceback(tmp_path, weights):
    records = "".join(f">r{k}\n{HAIRPIN}\n" for k in range(60))
    (tmp_path / "many.fa").write_text(records)
    command = f"{' '.join(COMMAND)} predict many.fa --out - --weights {weights} --threads 1 | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, ">r0\n", "")


def test_no_files_of_records(predict, tmp_path):
    assert predict("--sequence", HAIRPIN, "--format", "none")[0] == 0
    names = {path.name for path in (tmp_path / "results").iterdir() if path.name[0] != "."}
    assert names == {"predictions.dbn", "summary.tsv", "run.json"}
    status, _, err = predict("--sequence", HAIRPIN, "--format", "none,ct", "--out", "other")
    assert status == 2
    assert "none beside others" in err


def test_standard_input_and_a_pipe(tmp_path, weights):
    """Nothing but lines of text reaches a pipe: no bar, no escape codes, no warning."""
    arguments = ["predict", "-", "--weights", weights, "--out", tmp_path / "out"]
    done = shell(arguments, input=f">p piped\r\n{HAIRPIN.lower()}\r\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"rnass: {tmp_path / 'out'}: 1 record done, 0 failed\n"
    ((sequence, structure),) = read_structures(tmp_path / "out" / "p.ct")
    assert (sequence.description, structure.dot_bracket) == ("p piped", "((((....))))")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Short RNAs, many more than are finished when a run is stopped."""
    draw = random.Random(0)
    path = tmp_path_factory.mktemp("many") / "many.fa"
    sizes = [draw.randint(20, 60) for _ in range(MANY)]
    path.write_text(
        "".join(f">r{k}\n{''.join(draw.choices('ACGU', k=n))}\n" for k, n in enumerate(sizes))
    )
    return path


@pytest.fixture
def started(many, weights, tmp_path):
    """Starts a prediction of many RNAs in a process group of its own."""
    running = []

    def start(*arguments):
        process = subprocess.Popen(
            [*INTERRUPTED, "predict", many, "--weights", weights, "--out", tmp_path / "out", *arguments],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stderr.close()


def finished(folder):
    journal = folder / ".rnass-journal.jsonl"
    return max(journal.read_bytes().count(b"\n") - 1, 0) if journal.exists() else 0


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def dot_brackets(folder):
    return (folder / "predictions.dbn").read_text()


def assert_whole(folder, names):
    """Every record has its files, and each reads back as what predictions.dbn says."""
    together = dict(zip(names, read_structures(folder / "predictions.dbn"), strict=True))
    for name, pair in together.items():
        for suffix in ("ct", "dbn", "bpseq"):
            assert read_structures(folder / f"{name}.{suffix}") == [pair]
        assert np.load(folder / f"{name}.npy").shape == (len(pair[0]),) * 2
    assert not list(folder.glob("*.tmp")) + list(folder.glob(".rnass-*.tmp"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_run_resumes_where_it_was(started, predict, many, tmp_path):
    process = started("--quiet")
    out = tmp_path / "out"
    wait_for(lambda: finished(out) >= 20)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = finished(out)
    assert 20 <= before < MANY
    status, _, err = predict(many, "--out", "out", "--resume")
    assert status == 0
    assert f"rnass: {before} of {MANY} records finished already" in err
    assert predict(many, "--out", "whole")[0] == 0
    assert dot_brackets(out) == dot_brackets(tmp_path / "whole")
    assert_whole(out, [f"r{k}" for k in range(MANY)])
    for path in (tmp_path / "whole").glob("*.npy"):
        np.testing.assert_allclose(np.load(path), np.load(out / path.name), atol=1e-5)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_leaves_a_folder_that_can_be_resumed(
    started, predict, many, tmp_path, number, status
):
    process = started("--quiet")
    out = tmp_path / "out"
    wait_for(lambda: finished(out) >= 20)
    os.killpg(process.pid, number)  # as a terminal, or a batch system, does
    _, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert json.loads((out / "run.json").read_text())["exit_status"] == status
    assert err == "rnass: interrupted; finished records are kept, --resume does the rest\n"
    done = [sequence.id for sequence, _ in read_structures(out / "predictions.dbn")]
    assert 20 <= len(done) < MANY
    assert_whole(out, done)
    assert predict(many, "--out", "out", "--resume")[0] == 0
    assert_whole(out, [f"r{k}" for k in range(MANY)])


def children(process):
    """The processes that *process* has started."""
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


def is_running(pid):
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
@pytest.mark.parametrize("group", [False, True], ids=["that process", "its whole group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_workers_end_with_the_run(started, tmp_path, number, group):
    process = started("--quiet", "--threads", "2")
    wait_for(lambda: finished(tmp_path / "out") >= 5)
    workers = children(process)
    assert workers
    (os.killpg if group else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=60)
    assert process.returncode in {130, 143, -signal.SIGKILL}, err
    if number != signal.SIGKILL:
        assert err == "rnass: interrupted; finished records are kept, --resume does the rest\n"
    wait_for(lambda: not any(is_running(pid) for pid in workers), seconds=20)


def test_a_folder_belongs_to_the_command_that_made_it(rna, predict, fasta, weights, tmp_path):
    assert predict(fasta, "--out", "out", "--quiet")[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "known.dbn").write_text(f">a\n{HAIRPIN}\n((((....))))\n")
    others = {
        "embed": ["--backbone", weights],
        "attention": ["--backbone", weights, "--structure", "known.dbn", "--plot", "none"],
        "compare": ["--no-rnass", "--plot", "none"],
    }
    for command, options in others.items():
        status, out, err = rna(command, fasta, "--out", "out", "--resume", *options)
        assert (status, out) == (2, "")
        assert err == (
            f"rnass: out: holds results of rnass predict; expected those of rnass {command}, or another "
            "folder\n"
        )
        assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_summary_that_is_not_ours_stays(rna, fasta, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.tsv").write_text("mine")
    arguments = ["compare", fasta, "--out", "out", "--no-rnass", "--plot", "none"]
    for flags in ([], ["--overwrite"], ["--resume"]):
        assert rna(*arguments, *flags)[0] == 2
        assert {path.name for path in (tmp_path / "out").iterdir()} == {"summary.tsv"}
        assert (tmp_path / "out" / "summary.tsv").read_text() == "mine"
