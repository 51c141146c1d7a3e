"""Masked tokens as the model cards fill them; the oracle is the scores of the golden files."""

from itertools import product

import pytest
from golden_files import GOLDEN, lay_out, read_golden
from reading import read_language_model

from rnass.backbone.language_head import fill_masks
from rnass.errors import SequenceError


def load(name, folder):
    weights, words, expected = read_golden(next(path for path in GOLDEN if path.stem == name))
    lay_out(weights, words, folder)
    return *read_language_model(folder), expected


@pytest.mark.parametrize("name", [path.stem for path in GOLDEN if not path.stem.startswith("mrna")])
def test_scores_are_those_of_the_reference(name, tmp_path):
    """The first RNA of every golden file has its third base masked, and is the longest.

    The reference has probabilities of all tokens: here those of the bases, over their sum.
    """
    encoder, head, expected = load(name, tmp_path)
    rna = expected.rnas[0]
    (got,) = fill_masks(encoder, head, rna[:2] + "<mask>" + rna[3:], top=100)
    reference = expected.logits[0, 3].softmax(-1)
    wanted = {base: float(reference[encoder.vocabulary.symbols.index(base)]) for base in "ACGU"}
    total = sum(wanted.values())
    assert dict(got) == pytest.approx({base: p / total for base, p in wanted.items()}, abs=1e-5)
    assert [p for _, p in got] == sorted((p for _, p in got), reverse=True)
    assert sum(p for _, p in got) == pytest.approx(1, abs=1e-5)


def test_codons(tmp_path):
    encoder, head, expected = load("mrna-fm-official", tmp_path)
    (got,) = fill_masks(encoder, head, "AUGGCU<mask>GCC", top=3)
    ranked = [encoder.vocabulary.symbols[row] for row in expected.logits[0, 3].argsort(descending=True)]
    assert [codon for codon, _ in got] == [one for one in ranked if not set(one) - {*"ACGU"}][:3]
    (every,) = fill_masks(encoder, head, "AUGGCU<mask>GCC", top=100)
    assert {codon for codon, _ in every} == {"".join(codon) for codon in product("ACGU", repeat=3)}
    with pytest.raises(SequenceError, match="whole codons"):
        fill_masks(encoder, head, "AUGG<mask>GCC")


def test_several_masks_and_letters_of_any_case(tmp_path):
    encoder, head, _ = load("rna-fm-official", tmp_path)
    assert len(fill_masks(encoder, head, "<mask>gg<MASK><Mask>T")) == 3
    assert fill_masks(encoder, head, "gg<mask>T") == fill_masks(encoder, head, "GG<mask>U")


def test_what_cannot_be_filled(tmp_path):
    encoder, head, _ = load("rna-fm-official", tmp_path)
    with pytest.raises(SequenceError, match="no <mask>"):
        fill_masks(encoder, head, "ACGU")
    for text, base in (("AX<mask>", 2), ("GG<mask>X", 4)):
        with pytest.raises(SequenceError, match=f"letter 'X' at base {base};"):
            fill_masks(encoder, head, text)


def test_a_tied_head_follows_the_embeddings(tmp_path):
    encoder, head, _ = load("rna-fm-multimolecule", tmp_path)
    assert head.weight is encoder.tokens.weight
