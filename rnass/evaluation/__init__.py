"""Judging: rnass, ViennaRNA and other programs' predictions against known structures."""

from rnass.evaluation.methods import RNASS, THRESHKNOT, VIENNA, VIENNA_METHODS, Methods, Predicted
from rnass.evaluation.options import EvaluateOptions, MethodOptions, load_methods
from rnass.evaluation.references import read_others, read_references
from rnass.evaluation.run import evaluate_files

__all__ = [
    "RNASS",
    "THRESHKNOT",
    "VIENNA",
    "VIENNA_METHODS",
    "EvaluateOptions",
    "MethodOptions",
    "Methods",
    "Predicted",
    "evaluate_files",
    "load_methods",
    "read_others",
    "read_references",
]
