"""What holds for the repository as a whole: style, types, import contracts, pages, and that every
command and every piece of Python shown to a reader runs.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rnass

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sys.executable).parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def run(command, cwd):
    path = f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PATH": path, "MPLBACKEND": "agg", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def blocks(page, language):
    """The fenced blocks of a page that are in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def shown_commands(page):
    """The `rnass` command lines of a page, as a reader whose environment is active types them."""
    lines = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    parts = [part.strip() for line in lines for part in line.split("&&")]
    bare = [part.removeprefix(".venv/bin/") for part in parts]
    return [part for part in bare if part.startswith("rnass ")]


@pytest.fixture
def folder(tmp_path):
    """An empty folder with a copy of the examples, where a reader would try things."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


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


def test_pages_build_without_a_warning(tmp_path):
    run([sys.executable, "-m", "sphinx", "-W", "-q", "docs", str(tmp_path)], ROOT)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_shown_on_a_page_run_in_their_order(page, folder):
    for command in shown_commands(page):
        run(["bash", "-c", command], folder)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_shown_on_a_page_runs(page, folder):
    code = "\n".join(blocks(page, "python"))
    if code:
        run([sys.executable, "-W", "error", "-c", code], folder)


@pytest.mark.parametrize(
    "script", sorted((ROOT / "examples").glob("*.py")), ids=lambda script: script.name
)
def test_example_runs(script, folder):
    run([sys.executable, "-W", "error", str(folder / "examples" / script.name)], folder)


@pytest.mark.parametrize(
    "script", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda script: script.name
)
def test_benchmark_says_what_it_does(script, folder):
    run([sys.executable, "-W", "error", str(script), "--help"], folder)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_local_links_and_pictures_exist(page):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_readme_shows_the_two_commands_that_are_checked():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## The two commands\n")[1].split("\n## ")[0]
    first, second = re.findall(r"^```sh\n(.*?)\n```", section, re.M | re.S)
    assert first.endswith("rnass predict examples/rnas.fa --out results/ --plot svg")
    assert second.endswith(".venv/bin/python -m pytest")


def test_every_direct_dependency_is_pinned():
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["dev"], *extras["docs"]]
    names = {re.split(r"[<>=;\s]", requirement)[0].lower() for requirement in wanted}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower() for line in lines if line and line[0] != "#"}
    assert names - pinned == set()


def test_changelog_tells_of_this_version():
    assert f"## [{rnass.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
