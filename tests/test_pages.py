"""Pages: they build, read well as plain Markdown, and every command and piece of Python on them runs."""

import json
import pydoc
import re
import shutil
import sys

import pytest
import typer
from readers import ROOT, run, run_line, run_python

from rnass.cli import app

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "weights" / "MODEL_CARD.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
LINK = re.compile(r"\[([^]]*)\]\(([^)\s#]*)(?:#([^)\s]*))?\)")


def text_of(page):
    return page.read_text(encoding="utf-8")


def prose(page):
    """A page without its fenced blocks."""
    return FENCED.sub("", text_of(page))


def blocks(text, language):
    """The fenced blocks of a text that are in that language."""
    return [body for found, body in FENCED.findall(text) if found == language]


def commands(text):
    """The `rnass` command lines of a text, as a reader whose environment is active types them."""
    lines = "\n".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    parts = [part.strip() for line in lines for part in line.split("&&")]
    bare = [part.removeprefix(".venv/bin/") for part in parts]
    return [part for part in bare if part.startswith("rnass ")]


def sections():
    """Each section of each page that shows commands: a reader can begin at any of them."""
    split = [
        (page.name, section)
        for page in PAGES
        for section in re.split(r"^## ", text_of(page), flags=re.MULTILINE)
    ]
    return [
        pytest.param(section, id=f"{page} {section.splitlines()[0]}")
        for page, section in split
        if commands(section)
    ]


def anchors(page):
    """The anchors of a page's headings, by GitHub's rule."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture
def folder(tmp_path):
    """An empty folder with a copy of the examples, where a reader would try things."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


def test_pages_build_without_a_warning(tmp_path):
    run([sys.executable, "-m", "sphinx", "-W", "-q", "docs", str(tmp_path)], ROOT)


@pytest.mark.parametrize("section", sections())
def test_commands_of_a_section_run_in_their_order(section, folder):
    for command in commands(section):
        run_line(command, folder)


READ_FIRST = tuple(ROOT / name for name in ("README.md", "docs/quickstart.md", "docs/figures.md"))


@pytest.mark.parametrize(
    "pages",
    [*((page,) for page in PAGES), READ_FIRST],
    ids=lambda pages: ", ".join(page.name for page in pages),
)
def test_commands_of_a_page_have_folders_of_their_own(pages):
    """A reader who goes on to the next section is not refused for the results of the one before."""
    text = "\n".join(map(text_of, pages))
    run = [line for line in commands(text) if not {"--overwrite", "--resume"} & {*line.split()}]
    folders = [found for line in run for found in re.findall(r"--out (\S+/)(?!\S)", line)]
    assert sorted(folders) == sorted(set(folders))


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(text_of(page), "python")], ids=lambda page: page.name
)
def test_python_shown_on_a_page_runs(page, folder):
    run_python("\n".join(blocks(text_of(page), "python")), folder)


@pytest.mark.parametrize(
    "script", sorted((ROOT / "examples").glob("*.py")), ids=lambda script: script.name
)
def test_example_runs(script, folder):
    run([sys.executable, "-W", "error", str(folder / "examples" / script.name)], folder)


@pytest.mark.parametrize(
    "notebook", sorted((ROOT / "examples").glob("*.ipynb")), ids=lambda notebook: notebook.name
)
def test_notebook_was_executed_and_runs(notebook, folder):
    cells = [cell for cell in json.loads(text_of(notebook))["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell["outputs"] for cell in cells)
    lines = "\n".join("".join(cell["source"]) for cell in cells).splitlines()
    code = "\n".join(line for line in lines if not line.startswith("%"))  # magics of IPython
    run_python(code, folder / "examples")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    lost = []
    for _, target, anchor in LINK.findall(prose(page)):
        if "://" in target:
            continue
        aim = page.parent / target if target else page
        if not aim.exists() or (anchor and anchor not in anchors(aim)):
            lost.append(f"{target}#{anchor}")
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_plain_markdown(page):
    """GitHub shows no text for an empty link, and the source of Sphinx's directives and roles."""
    text = text_of(page)
    assert [target for shown, target, _ in LINK.findall(prose(page)) if not shown.strip()] == []
    assert re.findall(r"^(?:```|:::)\{.*|\{\w+\}`.*", text, re.MULTILINE) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_modules_named_on_a_page_exist(page):
    named = re.findall(r"\b(?:configs|benchmarks|examples|deploy|tests)/[\w./-]*\w", text_of(page))
    assert [name for name in named if not (ROOT / name).exists()] == []
    dotted = re.findall(r"`(rnass(?:\.\w+)+)", text_of(page))
    assert [name for name in dotted if pydoc.locate(name) is None] == []


def options_of(command):
    """Every option of a command and of its subcommands."""
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    for below in getattr(command, "commands", {}).values():
        yield from options_of(below)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_named_on_a_page_exist(page):
    known = set(options_of(typer.main.get_command(app)))
    assert "--no-pseudoknots" in known
    for script in (ROOT / "benchmarks").glob("*.py"):
        known |= set(OPTION.findall(text_of(script)))
    shown = re.findall(r"`((?:--|rnass |python benchmarks)[^`]+)`", prose(page))
    assert {option for code in shown for option in OPTION.findall(code)} - known == set()


def test_index_links_every_page():
    linked = {target for _, target, _ in LINK.findall(text_of(ROOT / "docs" / "index.md"))}
    pages = {page.name for page in (ROOT / "docs").iterdir() if page.suffix in {".md", ".rst"}}
    assert pages - linked == {"index.md"}


def test_readme_shows_the_two_commands_that_are_checked():
    section = text_of(ROOT / "README.md").split("## The two commands\n")[1].split("\n## ")[0]
    first, second = (block.strip() for block in blocks(section, "sh"))
    assert len(FENCED.findall(section)) == 2
    assert first.endswith("rnass predict examples/rnas.fa --out results/ --plot svg")
    assert second.endswith(".venv/bin/python -m pytest")
