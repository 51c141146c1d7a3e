"""Pages, help and modules use the terms of docs/dictionary.md and plain verbs, not retired words."""

import ast
import re
from pathlib import Path

import pytest
import typer

from rnass.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "weights" / "MODEL_CARD.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs").glob("*.rst")),
    *sorted(path for path in (ROOT / "examples").iterdir() if path.suffix in {".py", ".toml", ".fa"}),
]
MODULES = sorted((ROOT / "rnass").rglob("*.py"))

RETIRED = {
    r"committees?": "ensemble, mixture of experts",
    r"asked as one": "ensemble",
    r"by heart|learnt": "memorised, trained on",
    r"fore(tells?|told)": "predicts",
    r"says|(is|are) said|said of|tells|(is|are) told": "programs state, report, predict",
    r"asks(?! for)|(is|are|was|were|be) asked(?! for)": "programs run, compute",
    r"contenders?|everyone": "method",
    r"ViennaRNA's share": "weight of ViennaRNA's log-odds",
    r"flatters?": "inflates, gives higher scores",
}
"""Retired words as regular expressions, each with the term that replaces it."""

RETIRED_NAMES = {
    r"\w*(committee|contender|knowledge)\w*": "ensemble or experts; method; restraints",
    r"thermal_\w+|\w+_thermal": "bpp",
    r"\w*_pixels": "padded pairs",
}
"""Retired parts of names in modules, likewise."""


def retired(text, patterns=RETIRED):
    """The retired words in a text, each with its replacement."""
    return [
        f"{found[0]!r}; expected: {instead}"
        for pattern, instead in patterns.items()
        for found in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE)
    ]


def prose(page):
    """The text of a page without its code, whose names are those of the modules."""
    return re.sub(r"^```.*?^```|`[^`]+`", "", page, flags=re.MULTILINE | re.DOTALL)


def vague_docstrings(source):
    """The docstrings of a module that begin with a question word in place of a noun."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    texts = [ast.get_docstring(node) or "" for node in nodes]
    return [text.partition("\n")[0] for text in texts if re.match(r"(What|Who) ", text)]


def help_texts(command, name):
    """The help of a command, of its options and of its subcommands, by name."""
    yield name, f"{command.help or ''} {command.epilog or ''}"
    for parameter in command.params:
        yield f"{name} {parameter.name}", getattr(parameter, "help", None) or ""
    for below, subcommand in getattr(command, "commands", {}).items():
        yield from help_texts(subcommand, f"{name} {below}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_no_retired_words(page):
    assert retired(prose(page.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_has_no_retired_words(module):
    source = module.read_text(encoding="utf-8")
    assert retired(source) + retired(source, RETIRED_NAMES) + vague_docstrings(source) == []


def test_the_help_has_no_retired_words():
    texts = dict(help_texts(typer.main.get_command(app), "rnass"))
    assert "rnass predict constraints" in texts  # options are reached
    found = {name: retired(" ".join(text.split())) for name, text in texts.items()}
    assert {name: words for name, words in found.items() if words} == {}


def test_retired_words_are_found():
    assert len(retired("The committee is asked as one.")) == 3
    assert retired("It writes the file that the user asks for.") == []
    assert retired(prose("A `Committee` and\n```\ncommittee\n```\n")) == []
    assert vague_docstrings('"""What is known."""') == ["What is known."]
