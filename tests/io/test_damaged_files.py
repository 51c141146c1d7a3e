"""Every reader on damaged files: a good result or one of rnass's own errors, and nothing else.

The files are small ones of every format with bytes cut out, repeated, replaced and mixed with other
files; also bytes that are no file at all. What a reader accepts must be whole.
"""

import gzip
import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rnass.errors import ConstraintError, InputError, RnassError
from rnass.files import parse_json, read_lines, read_npy
from rnass.io import (
    Alignment,
    read_bpseq,
    read_constraints,
    read_ct,
    read_dot_bracket,
    read_fasta,
    read_labelled,
    read_labelled_tsv,
    read_reactivities,
    read_stockholm,
    read_stockholm_records,
    read_structures,
)
from rnass.io.labels import read_labels
from rnass.jobs.convert import read_records
from rnass.rna import BASES

GOLDEN = Path(__file__).parent / "golden"
TEXTS = [
    *((GOLDEN / f"bwyv.{suffix}").read_bytes() for suffix in ("ct", "bpseq", "dbn")),
    b"12\tdG = -4.20   [initially -5.10] hp\n1 G 0 2 0 1\n# File x.ct\nFilename: x\n",
    b"# x (two strands: 1-2 and 3-4)\n1 G 4\n2 A 0\n3 A 0\n4 C 1\n",
    b">x\nGGCGAA&AGCC\n(((...\n&.)))\n(((....))) [ -1.50]\n frequency of mfe structure in ensemble 1\n",
    b"#Name: x\n#Length: 5\nGAAAC\n(...)\n#Name: y\nGAAAC\n<.A.>a\n",
    b"# STOCKHOLM 1.0\n#=GF AC RF\na G-AC\n#=GR a P 9999\n#=GC SS_cons <..>\n#=GC SS_cons2 .<>.\n//\n",
    b"id\tsequence\tdot_bracket\tfamily\tlabel\nx\tGAAAC\t(...)\tRF1\t1\n",
    b"id,sequence,label\nx,GAAAC,\"a\nb\"\n",
    b"DS:\n15\n-1\nPairs:\n16 4\n-1 -1\nMicroarray Constraints:\n0\n",
    b">x\nGAAAC\n(.x|)\n>y\n<<<>>>\n",
    b"1 0.5\n2\t-999\n3 G 1e3\n4 0.1 0.2 A\n>x\n1 NA\n",
    b"RDAT_VERSION 0.34\nNAME x\nSEQUENCE GGA\nOFFSET 1\nSEQPOS G2 3\nREACTIVITY:1 0.5 1\n",
    b'{"a": [1, 2, {"b": null}], "c": "x"}',
    b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }",
]  # fmt: skip
PIECES = [
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"\r", b"\n", b"\n\n", b"\t", b" ", b">",
    b"#", b"#=GC SS_cons ", b"//\n", b"&", b"-1\n", b"0", b"9" * 40, b"1e999", b"nan", b"_", b"[" * 3000,
    b"\xc2\xa0", b"\xe2\x80\xa8", b"\xd9\xa3", b"\x1c", b"\x85", b"\xf0\x9d\x9f\x99", b'"', b"'",
    b"()" * 40,
]  # fmt: skip


@st.composite
def damaged(draw):
    """A file of some format with up to six accidents, gzip or not."""
    data = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 12)))
        other = draw(st.sampled_from(TEXTS))
        piece = draw(
            st.sampled_from([*PIECES, b"", data[start:end] * 2, other[: 5 * (end - start)]])
            | st.binary(max_size=3)
        )
        data = data[:start] + piece + data[end:]
    if draw(st.integers(0, 7)) == 0:
        data = gzip.compress(data, mtime=0)
        cut = draw(st.integers(0, len(data)))
        data = draw(st.sampled_from([data, data[:cut], data + data, data[:cut] + b"\xff" + data[cut:]]))
    return data


def checked_records(records):
    for rna, structure in records:
        assert len(rna) == len(structure) > 0
        assert set(rna.bases) <= set(BASES)
        assert rna.nick is None or 0 < rna.nick < len(rna)
        assert len(structure.orders) == len(structure.pairs)


def checked_fasta(path):
    records, problems = read_fasta(path, constraint_lines=True)
    assert records or problems
    assert all(isinstance(problem, RnassError) for problem in problems)


def checked_alignments(path):
    for alignment in read_stockholm(path):
        assert isinstance(alignment, Alignment)
        assert len({len(row) for row in alignment.rows.values()}) == 1


def checked_reactivities(path):
    assert all(one.values.ndim == 1 for one in read_reactivities(path))


READERS = {
    "bpseq": lambda path: checked_records(read_bpseq(path)),
    "ct": lambda path: checked_records(read_ct(path)),
    "dot-bracket": lambda path: checked_records(read_dot_bracket(path)),
    "stockholm": lambda path: checked_records(read_stockholm_records(path)),
    "alignments": checked_alignments,
    "any": lambda path: checked_records(read_structures(path)),
    "labelled": lambda path: checked_records((r.sequence, r.structure) for r in read_labelled(path)),
    "tsv": lambda path: checked_records((r.sequence, r.structure) for r in read_labelled_tsv(path)),
    "fasta": checked_fasta,
    "constraints": read_constraints,
    "reactivities": checked_reactivities,
    "labels": lambda path: read_labels(path, "label"),
    "json": lambda path: parse_json(path.read_bytes(), "x"),
    "npy": read_npy,
}


@pytest.fixture(autouse=True)
def _no_warnings(caplog):
    caplog.set_level(logging.ERROR, "rnass")


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=damaged(), suffix=st.sampled_from(["x", "x.ct", "x.tsv", "x.csv.gz"]))
def test_a_damaged_file_is_an_error_of_rnass_or_a_whole_result(tmp_path, name, data, suffix):
    path = tmp_path / suffix
    path.write_bytes(data)
    try:
        READERS[name](path)
    except (InputError, ConstraintError) as error:
        assert str(error)  # noqa: PT017 - most files are damaged beyond reading, some are not


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(cut=0, flips=[(191, 72)])  # a number too large for single precision
@given(
    cut=st.integers(0, 200),
    flips=st.lists(st.tuples(st.integers(0, 199), st.integers(0, 255)), max_size=4),
)
def test_a_damaged_map_is_an_error_of_rnass_or_a_structure(tmp_path, cut, flips):
    np.save(tmp_path / "x.npy", np.eye(5)[::-1] * 0.9)
    data = bytearray((tmp_path / "x.npy").read_bytes())
    for place, value in flips:
        data[place] = value
    (tmp_path / "x.npy").write_bytes(data[: len(data) - cut])
    (tmp_path / "x.fa").write_text(">x\nGAAAC\n")
    try:
        (record,) = read_records(tmp_path / "x.npy", sequence=tmp_path / "x.fa")
    except InputError:
        return
    assert len(record.structure) == 5


def test_the_undamaged_files_are_read():
    """Else the tests above would test but the first check of each reader."""
    for suffix in ("ct", "bpseq", "dbn"):
        assert read_structures(GOLDEN / f"bwyv.{suffix}")
        assert read_lines(GOLDEN / f"bwyv.{suffix}")
