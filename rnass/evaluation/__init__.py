"""Judging: rnass, ViennaRNA and other programs' predictions against known structures."""

from rnass.evaluation.methods import RNASS, THRESHKNOT, VIENNA, VIENNA_LINES, Answer, Contenders
from rnass.evaluation.options import ContenderOptions, EvaluateOptions, contenders
from rnass.evaluation.references import Others, References, read_others, read_references
from rnass.evaluation.run import evaluate, evaluate_files
from rnass.evaluation.scores import LENGTH_BINS, MODES, Tally

__all__ = [
    "LENGTH_BINS",
    "MODES",
    "RNASS",
    "THRESHKNOT",
    "VIENNA",
    "VIENNA_LINES",
    "Answer",
    "ContenderOptions",
    "Contenders",
    "EvaluateOptions",
    "Others",
    "References",
    "Tally",
    "contenders",
    "evaluate",
    "evaluate_files",
    "read_others",
    "read_references",
]
