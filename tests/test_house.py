"""The repository as a whole: style, types, import contracts, dependencies, benchmarks."""

import re
import runpy
import sys
from functools import reduce
from importlib import import_module

import pytest
from readers import ROOT, SCRIPTS, run

import rnass

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "ruff", "check", "."],
        [sys.executable, "-m", "ruff", "format", "--check", "."],
        [sys.executable, "-m", "mypy"],
        [str(SCRIPTS / "lint-imports")],
    ],
    ids=["ruff check", "ruff format", "mypy", "import contracts"],
)
def test_tool_has_no_complaint(command):
    run(command, ROOT)


@pytest.mark.parametrize(
    "script", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda script: script.name
)
def test_benchmark_prints_its_help(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [script.name, "--help"])
    monkeypatch.syspath_prepend(script.parent)  # as Python does for a script
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(script), run_name="__main__")
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: {script.name}")


def test_only_files_py_looks_whether_a_path_is_there():
    """`Path.is_file` raises OSError for too long a name; the functions of `rnass.files` do not."""
    looks = re.compile(r"\.(is_file|is_dir|exists)\(\)")
    found = [path for path in (ROOT / "rnass").rglob("*.py") if looks.search(path.read_text())]
    assert not found


def part_of(found, name):
    """What stands under a name in a module or class; a field of a dataclass counts."""
    return getattr(found, name, None) or found.__dataclass_fields__[name]


def resolves(name):
    """Whether a dotted name is a module, or something in one."""
    parts = name.split(".")
    for k in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:k]))
        except ImportError:
            continue
        try:
            return reduce(part_of, parts[k:], found) is not None
        except (AttributeError, KeyError):
            return False
    return False


def test_names_in_docstrings_and_pages_exist():
    texts = [*(ROOT / "rnass").rglob("*.py"), *(ROOT / "docs").glob("*.md")]
    texts += [*(ROOT / "docs").glob("*.rst"), *(ROOT / "benchmarks").glob("*.py")]
    names = {name for text in texts for name in re.findall(r"`(rnass(?:\.\w+)+)`", text.read_text())}
    assert len(names) > 50
    assert sorted(name for name in names if not resolves(name)) == []
    assert not resolves("rnass.network.weights.open_backbone")


def test_every_direct_dependency_is_pinned():
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["dev"], *extras["docs"]]
    names = {re.split(r"[<>=;\s]", requirement)[0].lower() for requirement in wanted}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower() for line in lines if line and line[0] != "#"}
    assert names - pinned == set()


def test_changelog_tells_of_this_version():
    assert f"## [{rnass.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
