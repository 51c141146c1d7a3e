"""Files: their bytes, their size, and what happens when they cannot be written."""

import subprocess
import sys
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest

from rnass.errors import OutputError
from rnass.figures import FORMATS, Track, arc_diagram, probability_map, save_figure, structure_drawing
from rnass.figures.style import text_width
from rnass.structure import Structure

KNOT = Structure.from_dot_bracket("(((..[[..))).]]")
BASES = "GGGAACCAACCCAGG"
MAGIC = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


def arcs(title="a knot"):
    return arc_diagram(
        BASES, Track("rnass", KNOT, np.full((15, 15), 0.7)), Track("MFE", KNOT), title=title
    )


def helices(length):
    """A structure of many stacked hairpins, 10 pairs in 25 bases."""
    return Structure(length, [(k + d, k + 23 - d) for k in range(0, length - 25, 25) for d in range(10)])


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_what_it_says_and_always_the_same(kind, tmp_path):
    for name in ("a", "b"):
        save_figure(arcs(), tmp_path / f"{name}.{kind}")
    first, second = ((tmp_path / f"{name}.{kind}").read_bytes() for name in ("a", "b"))
    assert first.startswith(MAGIC[kind])
    assert first == second


def test_maps_and_drawings_are_the_same_bytes_too(tmp_path):
    for name in ("a", "b"):
        save_figure(probability_map(BASES, np.eye(15)), tmp_path / f"map-{name}.svg")
        save_figure(
            structure_drawing(BASES, KNOT, lambda _: np.eye(15)[:, :2]), tmp_path / f"drawing-{name}.svg"
        )
    for what in ("map", "drawing"):
        assert (tmp_path / f"{what}-a.svg").read_bytes() == (tmp_path / f"{what}-b.svg").read_bytes()


def test_the_same_bytes_in_another_process_under_other_settings(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import matplotlib; matplotlib.rcParams.update({'font.size': 20, 'svg.fonttype': 'path'})\n"
        "from test_saving import arcs, save_figure\n"
        "save_figure(arcs(), sys.argv[2])\n"
        "assert matplotlib.rcParams['font.size'] == 20\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
    )
    other = tmp_path / "other.svg"
    command = [sys.executable, "-W", "error", "-c", code, str(__file__).rsplit("/", 1)[0], str(other)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    save_figure(arcs(), tmp_path / "here.svg")
    assert other.read_bytes() == (tmp_path / "here.svg").read_bytes()


def test_svg_holds_its_words_as_text(tmp_path):
    save_figure(arcs(title="<tRNA & $x$>"), tmp_path / "a.svg")
    tree = ElementTree.parse(tmp_path / "a.svg")
    texts = ["".join(node.itertext()) for node in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<tRNA & $x$>", "rnass", "MFE"} <= set(texts)
    assert "".join(text for text in texts if len(text) == 1 and text.isalpha()) == BASES


def test_the_width_of_a_text_is_that_of_the_font_in_use():
    widths = []
    for family in ("DejaVu Sans", "DejaVu Sans Mono", "DejaVu Sans"):
        with matplotlib.rc_context({"font.family": [family]}):
            widths.append(text_width("illi", 9))
    assert widths[0] == widths[2]
    assert widths[1] > 1.5 * widths[0]  # all letters of the second are as wide as m


def test_titles_beyond_the_font_are_drawn_without_a_warning(tmp_path):
    for kind in FORMATS:
        save_figure(arcs(title="核糖核酸 🧬 \x07 é"), tmp_path / f"a.{kind}")
    assert "核糖核酸 🧬 é" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_500_bases_are_a_small_file(tmp_path):
    length = 500
    rng = np.random.default_rng(0)
    track = Track("rnass", helices(length), rng.random((length, length)))
    save_figure(arc_diagram("G" * length, track, track), tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size < 500_000


def test_settings_and_state_are_left_alone(tmp_path):
    before = dict(matplotlib.rcParams)
    save_figure(arcs(), tmp_path / "a.svg")
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", ["a.gif", "a", "a.svg.gz"])
def test_another_suffix_is_refused(name, tmp_path):
    with pytest.raises(OutputError, match=r"expected \.svg, \.png or \.pdf"):
        save_figure(arcs(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(OutputError, match="nowhere"):
        save_figure(arcs(), tmp_path / "nowhere" / "a.svg")


def test_a_figure_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.svg"
    path.write_text("old")
    figure = arcs()

    def fail(file, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure.figure, "savefig", fail)
    with pytest.raises(OutputError, match="no space left"):
        save_figure(figure, path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.svg"]
    assert path.read_text() == "old"
