"""Plane drawings."""

import numpy as np
import pytest

from rnass.structure import Structure
from rnass.thermodynamics.layout import layout

CLOVERLEAF = "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."


class TestLayout:
    @pytest.mark.parametrize("dot_bracket", [".", "...", "()", "(.)", "((...))", CLOVERLEAF])
    def test_one_finite_point_for_each_base(self, dot_bracket):
        points = layout(Structure.from_dot_bracket(dot_bracket))
        assert points.shape == (len(dot_bracket), 2)
        assert np.isfinite(points).all()
        assert len(np.unique(points.round(3), axis=0)) == len(dot_bracket)

    @pytest.mark.parametrize("dot_bracket", ["()", "((..))", "((((((((....((((()))))....))))))))"])
    def test_a_hairpin_without_bases_overlaps_nothing(self, dot_bracket):
        points = layout(Structure.from_dot_bracket(dot_bracket))
        distances = np.linalg.norm(points[:, None] - points, axis=2)
        pair = np.linalg.norm(np.subtract(*layout(Structure.from_dot_bracket("(...)"))[[0, 4]]))
        assert distances[~np.eye(len(points), dtype=bool)].min() > 0.7 * pair

    def test_empty(self):
        assert layout(Structure(0)).shape == (0, 2)

    def test_pairs_lie_closer_than_the_loop_is_wide(self):
        structure = Structure.from_dot_bracket(CLOVERLEAF)
        points = layout(structure)
        i, j = structure.pairs.T
        widths = np.linalg.norm(points[i] - points[j], axis=1)
        assert widths.max() < 1.2 * widths.min()
        assert np.linalg.norm(points[15] - points[57]) > 2 * widths.max()  # D loop and T loop

    def test_crossing_pairs_do_not_shape_it(self):
        crossed = Structure.from_dot_bracket("((((..[[[[..))))..]]]].")
        nested = crossed.up_to_order(0)
        np.testing.assert_array_equal(layout(crossed), layout(nested))
