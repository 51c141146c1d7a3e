"""Bases, pairs and numbers, read back from the figure's own artists."""

import numpy as np
import pytest

from rnass.errors import InputError
from rnass.figures import structure_drawing
from rnass.figures.style import FIVE_PRIME, THREE_PRIME
from rnass.structure import Structure

KNOT = Structure.from_dot_bracket("(((..[[..))).]]")
BASES = "GGGAACCAACCCAGG"


def circle(length):
    """A layout that needs no ViennaRNA: all bases on a circle."""
    angles = np.linspace(0, 2 * np.pi, length, endpoint=False)
    return 100 * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def by_id(figure, gid):
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def words(figure, gid):
    return [text.get_text() for text in by_id(figure, gid)]


def test_lines_join_the_pairs():
    figure = structure_drawing(BASES, KNOT, circle(15))
    (bases,), (nested,), (knotted,) = (
        by_id(figure, gid) for gid in ("bases", "nested", "pseudoknotted")
    )
    places = np.asarray(bases.get_offsets())
    assert np.allclose(nested.get_segments(), places[[(0, 11), (1, 10), (2, 9)]])
    ends = [path.vertices[[0, -1]] for path in knotted.get_paths()]
    assert np.allclose(ends, places[[(5, 14), (6, 13)]])
    assert "".join(words(figure, "base")) == BASES


def test_the_layout_keeps_its_form_and_stays_on_the_page():
    layout = circle(15) * [1, 0.5] + 1000
    figure = structure_drawing(BASES, KNOT, layout)
    places = np.asarray(by_id(figure, "bases")[0].get_offsets())
    scale = np.ptp(places, axis=0) / np.ptp(layout, axis=0)
    assert scale[0] == pytest.approx(scale[1])
    assert (places > 0).all()
    assert (places < figure.get_size_inches()).all()


def test_confidence_colours_bases_and_earns_a_legend():
    confidence = np.linspace(-0.1, 1.1, 15)
    figure = structure_drawing(BASES, KNOT.up_to_order(0), circle(15), confidence=confidence, title="x")
    darkness = by_id(figure, "bases")[0].get_facecolors()[:, :3].sum(1)
    assert (np.diff(darkness[1:-1]) < 0).all()
    assert words(figure, "legend") == ["confidence"]
    assert words(figure, "title") == ["x"]


def test_a_plain_drawing_has_no_legend():
    figure = structure_drawing(BASES, KNOT.up_to_order(0), circle(15))
    assert not words(figure, "legend")
    assert words(structure_drawing(BASES, KNOT, circle(15)), "legend") == ["pair", "pseudoknotted pair"]


def test_numbers_stand_clear_of_bases_and_of_each_other():
    figure = structure_drawing("ACGU" * 20, Structure(80, [(0, 79), (1, 78)]), circle(80))
    assert words(figure, "position") == [
        FIVE_PRIME,
        THREE_PRIME,
        "10",
        "20",
        "30",
        "40",
        "50",
        "60",
        "70",
    ]
    bases = np.asarray(by_id(figure, "bases")[0].get_offsets())
    numbers = np.array([text.get_position() for text in by_id(figure, "position")])
    assert np.linalg.norm(numbers[:, None] - bases, axis=2).min() > 0.15  # inches
    apart = np.linalg.norm(numbers[:, None] - numbers, axis=2)
    assert apart[~np.eye(9, dtype=bool)].min() > 0.2


@pytest.mark.parametrize("length", [1, 2])
def test_the_shortest_sequences(length):
    structure_drawing("A" * length, Structure(length), circle(length) * 0).canvas.draw()


def test_a_long_sequence_has_no_letters():
    figure = structure_drawing("A" * 3000, Structure(3000), circle(3000))
    assert not by_id(figure, "base")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Structure(3), np.zeros((4, 2)), None), "3 bases; expected 4"),
        ((Structure(4), np.zeros((4, 3)), None), r"coordinates of shape \(4, 3\); expected \(4, 2\)"),
        ((Structure(4), np.zeros((4, 2)), np.zeros(5)), r"confidence of shape \(5,\); expected \(4,\)"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    structure, coordinates, confidence = arguments
    with pytest.raises(InputError, match=message):
        structure_drawing("ACGU", structure, coordinates, confidence=confidence)
