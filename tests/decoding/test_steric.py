"""Pseudoknots without linkers: natural ones stay, impossible ones are not predicted."""

from pathlib import Path

import numpy as np
import pytest

from rnass.config import DecodingConfig
from rnass.decoding import Constraints, decode
from rnass.decoding.steric import impossible_crossings
from rnass.io import read_dot_bracket
from rnass.structure import Structure

EXAMPLES = Path(__file__).parents[2] / "examples"
SEQUENCE = "GACCGGAAGGUCCGCCUUCC"
KNOT = "[[[[((((]]]]....))))"  # four bases of a hairpin loop of four pair


def map_of(structure, p):
    probabilities = np.zeros((len(structure),) * 2)
    probabilities[tuple(structure.pairs.T)] = p
    return probabilities


@pytest.mark.parametrize(
    ("knot", "possible"),
    [
        (KNOT, False),
        ("[[[[.((((]]]]....))))", True),  # H-type: the helices stack, both loops have bases
        ("[[[[((((.]]]]....))))", True),
        ("[[[[.((((.]]]]))))", True),
        ("[[[[((((...]]]]))))", False),  # both strands change sides without a base between
        ("[[[[....((((]]]]))))", False),  # the mirror image: the second helix has the full loop
        ("((((((.[[[[[[.))))))..]]]]]]", True),
        ("((((((.[[[[[[))))))...]]]]]]", True),
        ("((((((([[[[[[))))))).....]]]]]]", True),  # TAR-TAR*: six pairs span the deep groove
        ("((((((([[[[[))))))).....]]]]]", False),
        ("(((..[[[..)))..]]]", True),
        ("((((...))))", True),
    ],
)
def test_which_crossings_are_possible(knot, possible):
    assert (not impossible_crossings(Structure.from_dot_bracket(knot))) == possible


def test_the_known_pseudoknots_of_the_examples_are_possible():
    known = [structure for _, structure in read_dot_bracket(EXAMPLES / "known.dbn")]
    knots = [structure for structure in known if structure.crossing.any()]
    assert len(knots) >= 2
    for structure in knots:
        assert not impossible_crossings(structure)


@pytest.mark.parametrize("decoder", ["matching", "threshknot", "greedy"])
def test_the_lighter_helix_gives_way(decoder):
    knot = Structure.from_dot_bracket(KNOT)
    p = map_of(knot, 0.7)
    p[0, 11] = 0.8
    options = DecodingConfig(decoder=decoder)
    assert decode(p, SEQUENCE, options).dot_bracket == "((((....))))........"
    assert len(decode(p, SEQUENCE, DecodingConfig(decoder=decoder, steric=False)).pairs) == 8


def test_the_next_best_takes_its_place():
    p = map_of(Structure.from_dot_bracket(KNOT), 0.7)
    p[0, 11] = 0.8
    p[12, 17] = 0.6
    found = decode(p, SEQUENCE[:12] + "GAAAACCC")
    assert [12, 17] in found.pairs.tolist()


@pytest.mark.parametrize(
    "line", ["((((....))))........", "<<<.....>>>.........", "||||................"]
)
def test_a_constraint_holds_beside_a_possible_fold(line):
    """The constrained helix stays though the other one is heavier."""
    p = map_of(Structure.from_dot_bracket(KNOT), 0.6)
    p[4:8, 16:20] *= 1.5
    found = decode(p, SEQUENCE, constraints=Constraints.from_line(line))
    assert found.dot_bracket == "((((....))))........"


def test_bases_that_must_pair_take_a_partner_with_which_the_rna_can_fold():
    p = map_of(Structure.from_dot_bracket(KNOT), 0.7)
    p[12, 19] = 0.2
    found = decode(
        p, SEQUENCE[:12] + "GAAAACCC", constraints=Constraints.from_line("|||................|")
    )
    assert not impossible_crossings(found)
    assert all(found.partners[k] >= 0 for k in (0, 1, 2, 19))


def test_a_knot_that_the_constraints_demand_is_formed():
    pairs = frozenset(map(tuple, Structure.from_dot_bracket(KNOT).pairs.tolist()))
    found = decode(np.zeros((20, 20)), SEQUENCE, constraints=Constraints(pairs=pairs))
    assert len(found.pairs) == 8
