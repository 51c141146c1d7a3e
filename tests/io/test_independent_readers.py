"""What rnass writes, read by others: ViennaRNA's readers and forgi's."""

import contextlib
import io
import warnings
from pathlib import Path

import pytest
import RNA

from rnass.io import read_structures, write_bpseq, write_ct, write_dot_bracket
from rnass.rna import Rna
from rnass.structure import Structure

GOLDEN = Path(__file__).parent / "golden"


def golden(name):
    return read_structures(GOLDEN / f"{name}.dbn")[0]


NESTED = [
    golden("trna_phe"),
    (Rna("open", "GAAAC", "open one"), Structure(5)),
    (Rna("n", "GNNNC", "n"), Structure(5, [(0, 4)])),
]
ALL = [*NESTED, golden("bwyv")]


def pairs_of(table):
    """0-based pairs of a 1-based pair table whose item 0 is the length."""
    return [[i - 1, j - 1] for i, j in enumerate(table) if i and j > i]


@pytest.fixture(scope="module")
def bulge_graph():
    """forgi's reader, whose import under NumPy 2 complains of a compiled 3-D module."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        graph = pytest.importorskip("forgi.graph.bulge_graph")
    return graph.BulgeGraph


@pytest.mark.parametrize(("sequence", "structure"), NESTED, ids=lambda part: getattr(part, "id", ""))
def test_viennarna_reads_our_ct(tmp_path, sequence, structure):
    write_ct(tmp_path / "x.ct", sequence, structure)
    with (tmp_path / "x.ct").open() as file:
        found, title, bases, dot_bracket, _ = RNA.file_connect_read_record(file, "")
    assert (found, title, bases) == (1, sequence.description, sequence.bases)
    assert pairs_of(RNA.ptable(dot_bracket)) == structure.pairs.tolist()


@pytest.mark.parametrize(("sequence", "structure"), ALL, ids=lambda part: getattr(part, "id", ""))
def test_viennarna_reads_our_dot_bracket(tmp_path, sequence, structure):
    write_dot_bracket(tmp_path / "x.dbn", [(sequence, structure)])
    with (tmp_path / "x.dbn").open() as file:
        _, header, bases, rest = RNA.file_fasta_read(file)
        RNA.file_fasta_read(file)  # the end of the file: the reader keeps state between files
    assert (header, bases) == (f">{sequence.description}", sequence.bases)
    assert pairs_of(RNA.ptable(rest[0], RNA.BRACKETS_ANY)) == structure.pairs.tolist()


@pytest.mark.parametrize(("sequence", "structure"), ALL, ids=lambda part: getattr(part, "id", ""))
@pytest.mark.parametrize("suffix", ["ct", "bpseq"])
def test_forgi_reads_our_tables(tmp_path, bulge_graph, capsys, suffix, sequence, structure):
    path = tmp_path / f"x.{suffix}"
    (write_ct if suffix == "ct" else write_bpseq)(path, sequence, structure)
    rows = [line for line in path.read_text().splitlines(keepends=True) if not line.startswith("#")]
    read = bulge_graph.from_ct_string if suffix == "ct" else bulge_graph.from_bpseq_str
    graph = read("".join(rows))  # forgi takes no comment lines in BPSEQ
    capsys.readouterr()  # it prints while reading CT
    assert str(graph.seq) == sequence.bases
    partners = [graph.pairing_partner(k) or 0 for k in range(1, len(sequence) + 1)]
    assert pairs_of([len(sequence), *partners]) == structure.pairs.tolist()


@pytest.mark.parametrize(("sequence", "structure"), ALL, ids=lambda part: getattr(part, "id", ""))
def test_forgi_reads_our_dot_bracket(bulge_graph, sequence, structure):
    graph = bulge_graph.from_dotbracket(structure.dot_bracket, sequence.bases)
    partners = [graph.pairing_partner(k) or 0 for k in range(1, len(sequence) + 1)]
    assert pairs_of([len(sequence), *partners]) == structure.pairs.tolist()
