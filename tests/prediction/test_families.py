"""Families: what cmsearch finds of a made-up family, whose pairs are known; files that are no models."""

import gzip
import random

import numpy as np
import pytest
from tiny_families import CONSENSUS, member, needs_infernal, opposite, save_family, seed

from rnass.errors import InputError
from rnass.io.stockholm import Alignment, wuss_structure
from rnass.prediction.families import (
    E_VALUE,
    Hit,
    _projected,
    check_seeds,
    read_families,
    search_families,
    supported,
)
from rnass.prediction.restraints import FAMILY_LOG_ODDS, restrained_map
from rnass.rna import Rna

PAIRS = wuss_structure(CONSENSUS)
NESTED = {tuple(pair) for pair in PAIRS.pairs[PAIRS.orders == 0].tolist()}
KNOTTED = {tuple(pair) for pair in PAIRS.pairs[PAIRS.orders == 1].tolist()}
BASES = member(random.Random(7))
FLANK = "ACAACAACAACAACA"
MODEL = "INFERNAL1/a [1.1]\nNAME x\nECMGC 1 1 1 1 1 1\nCM\n [ MATP 1 ] 1 4 A U - -\n//\n"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return save_family(tmp_path_factory.mktemp("family"))


def search(path, *texts, **options):
    rnas = [Rna.from_text(text, f"r{k}") for k, text in enumerate(texts)]
    return search_families(rnas, path, read_families(path), **options)


@needs_infernal
class TestSearch:
    def test_a_member_has_the_nested_pairs_of_the_family(self, path):
        ((hit,), none) = search(path, BASES, FLANK * 3)
        assert hit.pairs == NESTED
        assert (hit.model.family, hit.model.name, hit.strand) == ("RF99999", "made", "+")
        assert (hit.start, hit.end, hit.model_start, hit.model_end) == (0, 34, 0, 34)
        assert hit.score > 15
        assert hit.e_value < 1e-3
        assert none == []

    def test_the_seed_alignment_adds_the_pseudoknot(self, path):
        seeds = check_seeds(read_families(path), [seed(), seed("RF00001")])
        ((hit,),) = search(path, BASES, seeds=seeds)
        assert hit.pairs == NESTED | KNOTTED

    def test_of_a_longer_rna_a_part_is_a_hit_and_the_pairs_are_there(self, path):
        ((hit,),) = search(path, FLANK + BASES + FLANK)
        assert (hit.start, hit.end) == (15, 49)
        assert hit.pairs == {(i + 15, j + 15) for i, j in NESTED}

    def test_on_the_other_strand_there_are_no_pairs(self, path):
        ((hit,),) = search(path, FLANK + opposite(BASES))
        assert (hit.strand, hit.start, hit.end, hit.pairs) == ("-", 15, 49, frozenset())

    def test_each_strand_of_a_dimer_is_searched(self, path):
        ((one, other),) = search(path, f"{BASES}&{BASES}")
        assert {one.start, other.start} == {0, 34}
        assert one.pairs | other.pairs == NESTED | {(i + 34, j + 34) for i, j in NESTED}

    def test_a_pair_that_is_not_canonical_here_is_left_out(self, path):
        changed = f"A{BASES[1:22]}A{BASES[23:]}"
        ((hit,),) = search(path, changed)
        assert hit.pairs == NESTED - {(0, 22)}

    def test_hits_do_not_depend_on_the_other_rnas(self, path):
        alone = search(path, BASES)[0]
        assert search(path, *[FLANK * 50] * 3, BASES)[3] == alone

    def test_below_the_gathering_threshold_there_is_no_hit(self, tmp_path):
        assert search(save_family(tmp_path, gathering="90.00"), BASES) == [[]]

    def test_without_a_gathering_threshold_the_e_value_decides(self, path, tmp_path):
        without = save_family(tmp_path, gathering="")
        ((hit,),) = search(without, BASES)
        assert hit.e_value <= E_VALUE
        assert hit.model.gathering is None
        both = tmp_path / "both.cm"
        both.write_text(path.read_text() + without.read_text())
        assert [one.model.gathering for one in search(both, BASES)[0]] == [15.0, None]

    def test_gzip_is_read(self, path, tmp_path):
        packed = tmp_path / "family.cm.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        assert [one.pairs for one in search(packed, BASES)[0]] == [NESTED]

    def test_seeds_of_another_release_are_refused(self, path):
        models = read_families(path)
        rows = seed().rows
        short = {name: row[:20] for name, row in rows.items()}
        with pytest.raises(InputError, match="seeds of the same release"):
            check_seeds(
                models, [Alignment("RF99999", "", short, {"SS_cons": "." * 20}, where="x.sto:9")]
            )
        other = Alignment("RF99999", "", rows, {"SS_cons": "." * 34}, where="x.sto:9")
        with pytest.raises(InputError, match=r"x\.sto:9.*: other pairs than those of model RF99999"):
            search(path, BASES, seeds=check_seeds(models, [other]))

    def test_seeds_of_other_families_alone_are_refused(self, path):
        with pytest.raises(InputError, match=r"of other families than the models; .* as of RF99999"):
            check_seeds(read_families(path), [seed("RF00001")])

    def test_a_model_that_is_not_calibrated_is_refused(self, tmp_path):
        file = save_family(tmp_path, calibrated=False)
        with pytest.raises(InputError, match=r"family\.cm:1: model made is not calibrated.*cmcalibrate"):
            read_families(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"x\.cm: no models; expected covariance models"),
        (">a\nACGU\n", r"x\.cm:1: '>a'; expected covariance models of Infernal 1\.1"),
        ("# STOCKHOLM 1.0\n", r"x\.cm:1: .*cmbuild and cmcalibrate make one"),
        ("INFERNAL-1 [1.0]\n", r"x\.cm:1: .*cmconvert converts"),
        (MODEL[:-3], r"x\.cm:1: a model that is not whole"),
        (MODEL + MODEL.replace("NAME x\n", ""), r"x\.cm:7: a model that is not whole"),
        (MODEL + "HMMER3/f\n", r"x\.cm:1: a model that is not whole"),
        (MODEL + ">a\n", r"x\.cm:7: '>a' after a model; expected"),
        (MODEL.replace("ECMGC", "GA"), r"x\.cm:1: model x is not calibrated"),
        (MODEL.replace("CM\n", "GA high\nCM\n", 1), r"GA 'high'; expected a bit score"),
        (MODEL.replace("MATP", "MATL"), r"x\.cm:1: model x has no base pairs"),
    ],
)
def test_what_is_no_file_of_models_is_refused(tmp_path, text, message):
    (tmp_path / "x.cm").write_text(text)
    with pytest.raises(InputError, match=message):
        read_families(tmp_path / "x.cm")


def test_the_models_of_a_file(tmp_path):
    text = MODEL + "HMMER3/f\nNAME x\n//\n" + MODEL.replace("CM\n", "ACC RF1\nGA 12.5\nCM\n", 1)
    (tmp_path / "x.cm").write_text(text)
    one, other = read_families(tmp_path / "x.cm")
    assert (one.family, one.gathering, one.columns, one.pairs) == ("x", None, (0, 3), 1)
    assert one.lines == (1, 9)
    assert (other.family, other.gathering, other.lines) == ("RF1", 12.5, (10, 17))


def test_pairs_are_projected_where_both_bases_are_sure_and_canonical():
    row, marks = "GG.AC-aCCU", "97.*8.***6"
    #  columns:    0123456789; bases from 5: G5 G6 A7 C8 a9 C10 C11 U12
    pairs = [(0, 8), (1, 7), (3, 9), (0, 5), (3, 4)]
    found = list(_projected(row, marks, pairs, "NNNNNGGACACCU", 5))
    assert found == [(5, 11)]  # 1-7, 3-9: not sure; 0-5: a gap; 3-4: A-C


def test_a_hit_that_a_better_one_overlaps_supports_nothing():
    def hit(start, end, strand="+"):
        return Hit(None, 1.0, 1.0, start, end, strand, 0, 1, frozenset({(start, end - 1)}))

    best, over, beside, other = hit(5, 20), hit(19, 30), hit(20, 30), hit(40, 60, "-")
    found = supported([best, over, beside, other])
    assert [len(found[one]) for one in (best, over, beside, other)] == [1, 0, 1, 0]


def test_evidence_of_a_family_can_be_outweighed():
    def after(p):
        matrix = np.zeros((6, 6))
        matrix[0, 5] = matrix[5, 0] = p
        return restrained_map(matrix, None, supported={(0, 5)})[0, 5]

    before = 0.1
    odds = before / (1 - before) ** 2 * np.exp(FAMILY_LOG_ODDS)  # p / (1 - p)^2 of a pair without rivals
    found = after(before)
    assert found / (1 - found) ** 2 == pytest.approx(odds, rel=1e-3)
    assert found > 0.5
    assert after(1e-6) < 0.01
    assert after(0.0) == 0
