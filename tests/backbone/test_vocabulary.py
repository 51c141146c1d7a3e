"""The oracles are the authors' tokenisers, which test_parity.py runs where they are installed."""

import pytest

from rnass.backbone.vocabulary import KNOWN, RNASS, spell, swap_t_and_u, vocabulary
from rnass.errors import ConfigError, SequenceError

ROWS = {
    "rnass": [1, 5, 6, 7, 8, 9, 2],
    "rna-fm": [0, 4, 5, 6, 7, 18, 2],
    "rnabert": [2, 5, 4, 3, 6],
    "aido-rna-u": [2, 5, 7, 6, 9, 10, 3],
    "aido-rna-t": [2, 5, 7, 6, 8, 10, 3],
    "plantrna-fm": [0, 4, 5, 6, 9, 8, 2],
    "multimolecule-26": [1, 6, 7, 8, 9, 10, 2],
    "multimolecule-28": [1, 6, 7, 8, 9, 10, 2],
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_acgun(name):
    assert vocabulary(name).encode("ACGUN") == ROWS[name]


@pytest.mark.parametrize(
    ("name", "size"),
    [("rna-fm", 25), ("mrna-fm", 73), ("rnabert", 7), ("aido-rna-u", 16), ("plantrna-fm", 24)]
    + [(f"multimolecule-{size}", size) for size in (26, 28, 131)],
)
def test_sizes_and_special_rows(name, size):
    table = vocabulary(name)
    assert len(table.symbols) == size
    assert table.symbols[table.pad] in {"<pad>", "[PAD]"}
    assert table.symbols[table.mask] in {"<mask>", "[MASK]"}


def test_the_mask_rows_the_authors_use():
    rows = {name: vocabulary(name).mask for name in KNOWN}
    assert rows["rna-fm"] == 24
    assert rows["mrna-fm"] == 72
    assert rows["rnabert"] == rows["aido-rna-t"] == 1
    assert rows["plantrna-fm"] == 23


def test_codons_of_mrna_fm_and_multimolecule():
    assert vocabulary("mrna-fm").encode("GAGAUGUAGANG") == [0, 4, 13, 67, 3, 2]
    assert vocabulary("multimolecule-131").encode("AUGNNN") == [1, 23, 130, 2]
    assert vocabulary("mrna-fm").bases_per_token == 3


@pytest.mark.parametrize(("bases", "found"), [("A", "1 base"), ("AUGGC", "5 bases")])
def test_left_over_bases_are_refused(bases, found):
    with pytest.raises(SequenceError, match=f"{found}; expected whole codons"):
        vocabulary("mrna-fm").encode(bases)


def test_rnass_rows_do_not_move():
    """Weights in use depend on them."""
    assert RNASS.symbols == ("<pad>", "<cls>", "<eos>", "<unk>", "<mask>", "A", "C", "G", "U", "N")
    assert (RNASS.pad, RNASS.cls, RNASS.eos, RNASS.mask, RNASS.unknown) == (0, 1, 2, 4, 9)
    assert RNASS.special_before() == 1


@pytest.mark.parametrize("name", KNOWN)
def test_a_table_is_found_by_its_symbols(name):
    assert spell(vocabulary(name).symbols) == name


def test_a_table_without_a_name_is_named_by_its_symbols():
    symbols = ("<pad>", "<mask>", "<unk>", "U", "G", "C", "A")
    table = vocabulary(spell(symbols))
    assert table.symbols == symbols
    assert table.encode("AGN") == [6, 4, 2]
    assert table.cls is table.eos is None


def test_swapping_t_and_u_is_its_own_inverse():
    symbols = vocabulary("plantrna-fm").symbols
    assert swap_t_and_u(swap_t_and_u(symbols)) == symbols
    assert swap_t_and_u(symbols).index("U") == 7


PROTEIN = "<cls> <pad> <eos> <unk> L A G V S E R T I D P K Q N F Y M H W C X B U Z O . - <null_1> <mask>"


@pytest.mark.parametrize("name", ["rinalmo", "<pad> A C G U", "<pad> <mask> A C G T N", PROTEIN])
def test_what_is_no_rna_table_is_refused(name):
    with pytest.raises(ConfigError, match="expected"):
        vocabulary(name)
