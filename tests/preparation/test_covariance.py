"""Families: emitted and aligned members. Infernal itself is at work; what it gives is checked against
the made-up family below, whose structure is known.
"""

import random
import shutil

import pytest

from rnass.errors import DependencyError
from rnass.io.stockholm import Alignment, wuss_structure
from rnass.preparation import covariance
from rnass.preparation.covariance import (
    Trust,
    align_members,
    emit_families,
    find_families,
    may_be_labelled,
)
from rnass.rna import Rna

needs_infernal = pytest.mark.skipif(
    shutil.which("cmbuild") is None, reason="Infernal (cmbuild, cmemit, cmalign) is not installed"
)

#                a helix, a gap column, a loop with a pseudoknot to the tail, an insertion, the tail
CONSENSUS = "<<<<<<<.__AAAAA__>>>>>>>:::.:aaaaa::"
COMPLEMENT = str.maketrans("ACGU", "UGCA")
CANONICAL = {"AU", "UA", "GC", "CG", "GU", "UG"}


def member(rng):
    helix, knot = ("".join(rng.choices("GCGCAU", k=k)) for k in (7, 5))
    back, front = (part[::-1].translate(COMPLEMENT) for part in (helix, knot))
    return f"{helix}-AA{knot}AA{back}AAA-A{front}AA"


@pytest.fixture
def seed():
    rng = random.Random(1)
    rows = {f"m{k}": member(rng) for k in range(12)}
    rows["odd"] = rows.pop("m0").replace("-", "U")  # fills the two columns of insertions
    return Alignment("RF99999", "made", rows, {"SS_cons": CONSENSUS})


def sequences(count, seed=2):
    rng = random.Random(seed)
    return [Rna.from_text(member(rng).replace("-", ""), f"src|RF99999 {k}") for k in range(count)]


@needs_infernal
class TestEmitting:
    def test_members_have_the_consensus_pairs_pseudoknot_included(self, seed):
        made = emit_families([seed], per_family=30, seed=3)
        assert len(made.records) + sum(made.dropped.values()) == 30
        assert len(made.records) > 20
        assert made.failed == {}
        whole = [record for record in made.records if len(record.structure.pairs) == 12]
        assert len(whole) > len(made.records) / 3
        for record in whole:
            assert record.structure.orders.tolist().count(1) == 5
            assert (record.source, record.family) == ("cmemit", "RF99999")
        assert len({record.sequence.bases for record in made.records}) == len(made.records)

    def test_pairs_that_infernal_ignores_are_drawn_together(self, seed):
        """Drawn one by one, as Infernal does, fewer than half of them would be canonical."""
        made = emit_families([seed], per_family=40, seed=3)
        crossing = [
            record.sequence.bases[i] + record.sequence.bases[j]
            for record in made.records
            for (i, j), order in zip(record.structure.pairs, record.structure.orders, strict=True)
            if order == 1
        ]
        assert len(crossing) > 100
        assert set(crossing) <= CANONICAL

    def test_the_seed_decides_and_the_processes_do_not(self, seed):
        other = Alignment("RF99998", "other", seed.rows, seed.columns)
        first, again, next_ = (
            emit_families([seed, other], per_family=5, seed=s, processes=p).records
            for s, p in ((1, 1), (1, 2), (2, 1))
        )
        bases = [[record.sequence.bases for record in made] for made in (first, again, next_)]
        assert bases[0] == bases[1] != bases[2]
        assert bases[0][:5] != bases[0][5:]  # of the same model, under another accession

    def test_a_family_that_cannot_be_modelled_does_not_stop_the_others(self, seed):
        bad = Alignment("RF00000", "bad", {"a": "AAAA", "b": "A5AA"}, {"SS_cons": "...."})
        made = emit_families([bad, seed], per_family=5)
        assert list(made.failed) == ["RF00000"]
        assert {record.family for record in made.records} == {"RF99999"}


def test_columns_of_a_model_file(tmp_path):
    (tmp_path / "x.cm").write_text(
        "INFERNAL1/a\nCM\n      [ ROOT    0 ]      -      - - - - -\n"
        "      [ MATR    1 ]      -    40 - A - -\n"
        "      [ MATP    2 ]      3     39 G C - -\n      [ MATL    3 ]      7      - A - - -\n//\n"
    )
    assert covariance._match_columns(tmp_path / "x.cm") == ([2, 6, 38, 39], {(2, 38)})


@needs_infernal
class TestAligning:
    def test_members_get_their_structure(self, seed):
        rnas = sequences(6)
        made = align_members([seed], {"RF99999": rnas})
        assert [record.sequence for record in made.records] == rnas
        expected = wuss_structure(CONSENSUS.replace(".", "")).dot_bracket
        assert {record.structure.dot_bracket for record in made.records} == {expected}
        assert {(record.source, record.family) for record in made.records} == {("src", "RF99999")}

    def test_what_is_no_member_is_dropped(self, seed):
        rng = random.Random(5)
        strangers = [Rna(f"x{k}", "".join(rng.choices("ACGU", k=36))) for k in range(5)]
        short = Rna("short", "ACGUACGU")
        made = align_members([seed], {"RF99999": [*strangers, short], "RF00002": strangers[:2]})
        assert made.records == []
        assert made.dropped["length"] == 1
        assert made.dropped["no seed alignment"] == 2
        assert sum(made.dropped.values()) == 8

    def test_two_strands_are_dropped_and_counted(self, seed):
        (rna,) = sequences(1)
        two = Rna.from_text(f"{rna.bases[:9]}&{rna.bases[9:]}", rna.description)
        made = align_members([seed], {"RF99999": [rna, two]})
        assert [record.sequence for record in made.records] == [rna]
        assert made.dropped == {"two strands": 1}

    def test_trust_is_obeyed(self, seed):
        members = {"RF99999": sequences(3)}
        none = align_members([seed], members, trust=Trust(posterior=0.999))
        assert (none.records, none.dropped) == ([], {"low posterior": 3})
        none = align_members([seed], members, trust=Trust(lengths=(50, 100)))
        assert (none.records, none.dropped) == ([], {"length": 3})


def test_families_by_table_header_and_identity(seed):
    tabled, headed, like, stranger = (
        Rna("a", "ACGU" * 9, "a of nothing"),
        Rna("b", "ACGU" * 9, "b RF00007 here"),
        Rna("c", seed.rows["m3"].replace("-", ""), "c"),
        Rna("d", "A" * 36, "d"),
    )
    table = {"a": "RF00003"}
    everything = [tabled, headed, like, stranger]
    assert find_families(everything, [seed], table=table) == {"RF00003": [tabled], "RF00007": [headed]}
    found = find_families(everything, [seed], table=table, identity=0.9)
    assert found == {"RF00003": [tabled], "RF00007": [headed], "RF99999": [like]}


class TestMayBeLabelled:
    RNAS = tuple(Rna.from_text("ACGU", header) for header in ("a|1 x", "a|2", "b|1", "c", "a|3"))

    def ids(self, *arguments):
        return [rna.id for rna in may_be_labelled(self.RNAS, *arguments)]

    def test_of_the_sources_in_the_list_those_not_on_it(self):
        assert self.ids({"a|2", "z|9"}) == ["a|1", "a|3"]

    def test_whole_headers_count_too(self):
        assert self.ids({"a|1 x"}) == ["a|2", "a|3"]

    def test_sources_that_were_searched_without_a_find(self):
        assert self.ids({"a|2"}, ["a", "b"]) == ["a|1", "b|1", "a|3"]

    def test_without_a_list_nothing_is_known_to_be_safe(self):
        assert self.ids(set()) == []


def test_infernal_is_asked_for_by_name(seed, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(DependencyError, match="Debian package infernal"):
        emit_families([seed], per_family=1)
    with pytest.raises(DependencyError, match="Debian package infernal"):
        align_members([seed], {})
