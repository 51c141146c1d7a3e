"""From pairing probabilities to structures: exact, under constraints, with evidence and alternatives."""

from rnass.constraints import Constraints
from rnass.decoding.candidates import allowed_pairs
from rnass.decoding.confidence import base_confidence, expected_f1
from rnass.decoding.decode import decode
from rnass.decoding.helices import helices, helix_lengths
from rnass.decoding.partners import one_partner
from rnass.decoding.probing import (
    add_log_odds,
    add_pair_log_odds,
    change_log_odds,
    clean_reactivities,
    mix_log_odds,
    pseudo_reactivities,
    shape_log_odds,
)
from rnass.decoding.suboptimal import Alternative, alternatives, base_pair_distance

__all__ = [
    "Alternative",
    "Constraints",
    "add_log_odds",
    "add_pair_log_odds",
    "allowed_pairs",
    "alternatives",
    "base_confidence",
    "base_pair_distance",
    "change_log_odds",
    "clean_reactivities",
    "decode",
    "expected_f1",
    "helices",
    "helix_lengths",
    "mix_log_odds",
    "one_partner",
    "pseudo_reactivities",
    "shape_log_odds",
]
