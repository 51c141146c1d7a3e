"""Bases, pairs and numbers, read back from the figure's own artists."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from rnass import figures
from rnass.errors import InputError
from rnass.figures import Look, by_confidence, by_reactivity
from rnass.figures.pair_colours import CORRECT, MISSED, WRONG
from rnass.figures.style import FIVE_PRIME, THREE_PRIME
from rnass.structure import Structure

KNOT = Structure.from_dot_bracket("(((..[[..))).]]")
BASES = "GGGAACCAACCCAGG"


def structure_drawing(bases, structure, layout, **options):
    """The figure; the layout is given as coordinates."""
    return figures.structure_drawing(bases, structure, lambda _: layout, **options).figure


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
    figure = structure_drawing(
        BASES, KNOT.up_to_order(0), circle(15), colours=by_confidence(confidence), title="x"
    )
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


@pytest.mark.parametrize("colours", [None, by_confidence(np.zeros(3000))])
def test_bases_of_a_long_sequence_stand_out_from_the_paper(colours):
    figure = structure_drawing("A" * 3000, Structure(3000), circle(3000), colours=colours)
    (bases,) = by_id(figure, "bases")
    assert bases.get_linewidths()[0] > 0
    shown = bases.get_facecolors() if colours is None else bases.get_edgecolors()
    assert shown[0, :3].max() < 0.7


@pytest.mark.parametrize(
    ("structure", "layout", "options", "message"),
    [
        (Structure(3), np.zeros((4, 2)), {}, "3 bases; expected 4"),
        (Structure(4), np.zeros((4, 3)), {}, r"coordinates of shape \(4, 3\); expected \(4, 2\)"),
        (Structure(4), np.zeros((4, 2)), {"colours": by_confidence(np.ones(5))}, "confidence: 5 bases"),
        (Structure(4), np.zeros((4, 2)), {"reference": Structure(5)}, "reference: 5 bases; expected 4"),
    ],
)
def test_what_does_not_fit_is_refused(structure, layout, options, message):
    with pytest.raises(InputError, match=message):
        structure_drawing("ACGU", structure, layout, **options)


def test_against_a_reference_pairs_are_correct_wrong_or_missed():
    predicted = Structure(15, [(0, 11), (1, 10), (3, 8)])
    figure = structure_drawing(BASES, predicted, circle(15), reference=KNOT)
    places = np.asarray(by_id(figure, "bases")[0].get_offsets())
    (correct,), (wrong,), (missed,), (knotted,) = (
        by_id(figure, gid)
        for gid in ("nested correct", "nested wrong", "nested missed", "pseudoknotted missed")
    )
    assert np.allclose(correct.get_segments(), places[[(0, 11), (1, 10)]])
    assert np.allclose(wrong.get_segments(), places[[(3, 8)]])
    ends = [path.vertices[[0, -1]] for bows in (missed, knotted) for path in bows.get_paths()]
    assert np.allclose(ends, places[[(2, 9), (5, 14), (6, 13)]])
    assert missed.get_linestyles()[0][1] is None  # solid
    assert knotted.get_linestyles()[0][1]
    assert {"correct", "wrong", "missed", "pseudoknotted"} == set(words(figure, "legend"))
    assert {entry.colour for entry in (CORRECT, WRONG, MISSED)} == {
        to_hex(artist.get_edgecolor()[0]) for artist in (correct, wrong, missed)
    }


def overlapping_numbers(figure):
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in by_id(figure, "position")]
    return [(a, b) for a in range(len(boxes)) for b in range(a) if boxes[a].overlaps(boxes[b])]


@pytest.mark.parametrize("length", [120, 400, 1500, 4000])
@pytest.mark.parametrize("width", [None, 3.5])
def test_numbers_overlap_neither_each_other_nor_bases(length, width):
    draw = np.random.default_rng(length)  # a chain that folds back on itself, as crowded as drawings get
    walk = np.cumsum(draw.normal(size=(length, 2)), axis=0)
    figure = structure_drawing("A" * length, Structure(length), walk, look=Look(width=width))
    assert overlapping_numbers(figure) == []
    (bases,) = by_id(figure, "bases")
    middles = figure.axes[0].transData.transform(np.asarray(bases.get_offsets()))
    for text in by_id(figure, "position"):
        box = text.get_window_extent()
        x, y = middles.T
        assert not ((box.x0 < x) & (x < box.x1) & (box.y0 < y) & (y < box.y1)).any()


@pytest.mark.parametrize("width", [2.0, 3.5, 7.0, 20.0])
def test_letters_have_5_points_or_are_left_out(width):
    figure = structure_drawing("ACGU" * 20, Structure(80), circle(80), look=Look(width=width))
    assert figure.get_size_inches()[0] == pytest.approx(width)
    sizes = [text.get_size() for text in by_id(figure, "base")]
    assert len(sizes) in (0, 80)
    assert all(size >= 5 for size in sizes)
    assert bool(sizes) == (width >= 7)


def test_two_strands_are_two_chains_each_numbered_from_1():
    bases = "A" * 25 + "&" + "A" * 25
    figure = structure_drawing(bases, Structure(50), circle(50))
    assert [len(line.get_xdata()) for line in by_id(figure, "chain")] == [25, 25]
    assert words(figure, "position").count("10") == 2
    assert words(figure, "position").count(FIVE_PRIME) == 2


def test_a_region_is_laid_out_alone_and_keeps_its_numbers():
    asked = []

    def layout(structure):
        asked.append(structure)
        return circle(len(structure))

    look = Look(region=(4, 15), highlight=((0, 6),))
    figure = figures.structure_drawing(BASES, KNOT, layout, look=look).figure
    assert asked == [Structure(11, [(1, 10), (2, 9)])]
    assert "".join(words(figure, "base")) == BASES[4:15]
    assert "10" in words(figure, "position")
    (highlight,) = {len(artist.get_offsets()) for artist in by_id(figure, "highlight")}
    assert highlight == 2
    assert [len(artist.get_paths()) for artist in by_id(figure, "pseudoknotted")] == [2]


def test_pairs_that_leave_the_region_are_short_lines_on_nothing():
    figure = figures.structure_drawing(
        BASES, KNOT, lambda one: circle(len(one)), look=Look(region=(4, 15))
    ).figure
    places = np.asarray(by_id(figure, "bases")[0].get_offsets())
    lines = np.array(by_id(figure, "leaving")[0].get_segments())
    assert np.allclose(lines[:, 0], places[[5, 6, 7]])  # those of (2, 9), (1, 10), (0, 11)
    spacing = np.linalg.norm(places[1] - places[0])
    assert np.linalg.norm(lines[:, 1, None] - places, axis=2).min() > 0.9 * spacing
    assert "pair that leaves the region" in words(figure, "legend")
    whole = structure_drawing(BASES, KNOT, circle(15))
    assert not by_id(whole, "leaving")[0].get_segments()
    assert "pair that leaves the region" not in words(whole, "legend")


def test_reactivities_colour_bases_and_missing_ones_are_told_apart():
    values = np.array([0.1, 0.9, np.nan, 5.0] + [0.2] * 11)
    figure = structure_drawing(BASES, KNOT, circle(15), colours=by_reactivity(values))
    fills = by_id(figure, "bases")[0].get_facecolors()
    assert fills[0].sum() > fills[1].sum()
    assert to_hex(fills[2]) == "#d9d9d9"
    areas = by_id(figure, "bases")[0].get_sizes()  # in grey print they differ by their size
    assert np.flatnonzero(areas < 0.5 * areas[0]).tolist() == [2]
    assert {"reactivity", "not measured"} <= set(words(figure, "legend"))
