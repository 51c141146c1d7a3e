"""k-mers of the training records: packed and found again."""

import random

import pytest
import torch

from rnass.backbone.vocabulary import RNASS
from rnass.network.contact_model import collate
from rnass.network.familiarity import K, KnownKmers, kmers, packed
from rnass.rna import BASES


def known(rnas):
    found = packed(rnas)
    held = KnownKmers(len(found))
    held.packed.copy_(torch.from_numpy(found))
    return held


def shares(held, rnas):
    batch = collate(rnas, None, RNASS)
    return held(batch.bases, batch.mask).tolist()


def test_a_kmer_is_a_number_in_base_four():
    codes = torch.tensor([BASES.index(base) for base in "A" * 12 + "CGUACG"])
    assert kmers(codes).tolist() == [0b0110, 0b011011, 0b01101100, 0b0110110001, 0b011011000110]
    assert kmers(codes[: K - 1]).tolist() == []


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_those_of_sets_of_texts(seed):
    rng = random.Random(seed)
    train = ["".join(rng.choices("ACGU", k=rng.randrange(5, 200))) for _ in range(50)]
    held = {one[k : k + K] for one in train for k in range(len(one) - K + 1)}
    pieces = [train[3][:40], train[7][:60], "N", "".join(rng.choices("ACGU", k=50))]
    rnas = ["".join(rng.sample(pieces, len(pieces))) for _ in range(8)] + ["ACGU", train[9]]
    expected = []
    for rna in rnas:
        own = [rna[k : k + K] for k in range(len(rna) - K + 1)]
        own = [one for one in own if "N" not in one]
        expected.append(sum(one in held for one in own) / max(len(own), 1))
    assert shares(known(train), rnas) == pytest.approx(expected)
    assert max(expected) > 0.3


def test_gaps_of_every_size_come_back():
    """Neighbours, a gap of 254, 255 and 256, and the greatest k-mer."""
    codes = [0, 1, 255, 510, 766, 4**K - 1]
    rnas = ["".join(BASES[code >> 2 * k & 3] for k in range(K - 1, -1, -1)) for code in codes]
    held = known(rnas[::-1])
    assert shares(held, rnas) == [1.0] * len(rnas)
    assert held._codes.tolist() == codes
    assert shares(held, ["A" * (K - 1) + "G"]) == [0.0]


def test_without_records_nothing_is_known():
    assert shares(KnownKmers(), ["A" * 20, "ACGU"]) == [0.0, 0.0]
    assert len(packed([])) == 0
