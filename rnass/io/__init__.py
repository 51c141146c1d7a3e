"""File formats: sequences, structures, tables.

The only place, messages to people apart, where bases are numbered from 1. Readers name file and
line in what they raise; writers write whole files or none.
"""

from rnass.io.bpseq import read_bpseq, write_bpseq
from rnass.io.constraints import ConSections, ConstraintLine, constraint_entries, read_constraints
from rnass.io.ct import format_ct, read_ct, write_ct
from rnass.io.dot_bracket import format_dot_bracket, read_dot_bracket, write_dot_bracket
from rnass.io.entries import BadEntry
from rnass.io.exports import PROGRAMS, check_program, format_boltz, write_boltz
from rnass.io.fasta import iter_fasta, read_fasta
from rnass.io.maps import MAP_SUFFIXES, read_map, read_sparse_map, write_map
from rnass.io.names import file_names
from rnass.io.reactivities import Reactivities, reactivity_entries, read_reactivities
from rnass.io.results_folder import PredictedRecord, ResultsFolder, read_results
from rnass.io.stockholm import Alignment, project, read_stockholm, write_stockholm, wuss_structure
from rnass.io.stockholm_records import read_stockholm_records, write_stockholm_records
from rnass.io.structures import STRUCTURE_SUFFIXES, read_labelled, read_rnas, read_structures
from rnass.io.tsv import LabelledRecord, read_labelled_tsv, write_labelled_tsv

__all__ = [
    "MAP_SUFFIXES",
    "PROGRAMS",
    "STRUCTURE_SUFFIXES",
    "Alignment",
    "BadEntry",
    "ConSections",
    "ConstraintLine",
    "LabelledRecord",
    "PredictedRecord",
    "Reactivities",
    "ResultsFolder",
    "check_program",
    "constraint_entries",
    "file_names",
    "format_boltz",
    "format_ct",
    "format_dot_bracket",
    "iter_fasta",
    "project",
    "reactivity_entries",
    "read_bpseq",
    "read_constraints",
    "read_ct",
    "read_dot_bracket",
    "read_fasta",
    "read_labelled",
    "read_labelled_tsv",
    "read_map",
    "read_reactivities",
    "read_results",
    "read_rnas",
    "read_sparse_map",
    "read_stockholm",
    "read_stockholm_records",
    "read_structures",
    "write_boltz",
    "write_bpseq",
    "write_ct",
    "write_dot_bracket",
    "write_labelled_tsv",
    "write_map",
    "write_stockholm",
    "write_stockholm_records",
    "wuss_structure",
]
