"""Every picture of the page of figures is the one that the commands above it make."""

import re
import shutil
from xml.etree import ElementTree

import pytest
from readers import ROOT, run_line, run_python

PAGE = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"\]\(images/figures/(.*?\.svg)\)", PAGE)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(path):
    """The words of a figure in their order, and how many lines it has: neither depends on rounding."""
    tree = ElementTree.parse(path)
    words = ["".join(node.itertext()) for node in tree.iter(f"{SVG}text")]
    return words, sum(1 for _ in tree.iter(f"{SVG}path"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder in which the commands and the Python of the page were run."""
    folder = tmp_path_factory.mktemp("gallery")
    shutil.copytree(ROOT / "examples", folder / "examples")
    sections = [part for part in PAGE.split("\n## ") if "](images/figures/" in part]
    for command in re.findall(r"^rnass .*", "\n".join(sections), re.MULTILINE):
        run_line(command, folder)
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    run_python(code, folder)
    return folder


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_as_made_now(name, made):
    (new,) = made.rglob(name)
    assert drawn(new) == drawn(ROOT / "docs" / "images" / "figures" / name)


def test_no_picture_is_left_over():
    shown = {path.name for path in (ROOT / "docs" / "images" / "figures").iterdir()}
    assert shown == set(PICTURES)
