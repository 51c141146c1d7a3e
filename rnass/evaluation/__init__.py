"""Judging: rnass, ViennaRNA and other programs' predictions against known structures."""

from rnass.evaluation.methods import RNASS, THRESHKNOT, VIENNA, VIENNA_METHODS, Methods, Predicted
from rnass.evaluation.options import EvaluateOptions, MethodOptions, load_methods
from rnass.evaluation.references import Others, References, read_others, read_references
from rnass.evaluation.run import evaluate, evaluate_files
from rnass.evaluation.scores import LENGTH_BINS, MODES, Tally

__all__ = [
    "LENGTH_BINS",
    "MODES",
    "RNASS",
    "THRESHKNOT",
    "VIENNA",
    "VIENNA_METHODS",
    "EvaluateOptions",
    "MethodOptions",
    "Methods",
    "Others",
    "Predicted",
    "References",
    "Tally",
    "evaluate",
    "evaluate_files",
    "load_methods",
    "read_others",
    "read_references",
]
