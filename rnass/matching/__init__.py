"""From pairing probabilities to structures: exact, under constraints, with evidence and alternatives."""

from rnass.matching.alternatives import Alternative, alternatives, base_pair_distance
from rnass.matching.candidates import allowed_pairs
from rnass.matching.confidence import base_confidence, expected_f1
from rnass.matching.constraints import Constraints
from rnass.matching.decoding import Decoding, decode, decode_with_bound
from rnass.matching.evidence import add_log_odds, clean_reactivities, mix_log_odds, shape_log_odds
from rnass.matching.helices import helices, helix_lengths

__all__ = [
    "Alternative",
    "Constraints",
    "Decoding",
    "add_log_odds",
    "allowed_pairs",
    "alternatives",
    "base_confidence",
    "base_pair_distance",
    "clean_reactivities",
    "decode",
    "decode_with_bound",
    "expected_f1",
    "helices",
    "helix_lengths",
    "mix_log_odds",
    "shape_log_odds",
]
