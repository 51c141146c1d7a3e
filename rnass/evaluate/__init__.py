"""Judging: rnass, ViennaRNA and other programs' predictions against known structures."""

from rnass.evaluate.inputs import Others, References, read_others, read_references
from rnass.evaluate.lines import RNASS, THRESHKNOT, VIENNA, VIENNA_LINES, Answer, Contenders
from rnass.evaluate.options import ContenderOptions, EvaluateOptions, contenders
from rnass.evaluate.run import evaluate, evaluate_files
from rnass.evaluate.tally import LENGTH_BINS, MODES, Tally

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
