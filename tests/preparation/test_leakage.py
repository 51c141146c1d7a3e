"""What is near what. Oracle of the edit distance: the textbook dynamic programme; of the rest: sequences
made with known substitutions.
"""

import random
import shutil

import pytest

from rnass.errors import ConfigError, DependencyError
from rnass.preparation import leakage
from rnass.preparation.leakage import Hit, best_tool, near


def installed(tool):
    absent = tool != "kmers" and shutil.which(tool) is None
    return pytest.param(tool, marks=pytest.mark.skipif(absent, reason=f"{tool} is not installed"))


TOOLS = [installed(tool) for tool in leakage.TOOLS]


def random_rna(rng, length):
    return "".join(rng.choices("ACGU", k=length))


def substituted(rng, bases, count):
    """The bases with that many substitutions, spread over the sequence."""
    letters = list(bases)
    for k in rng.sample(range(len(bases)), count):
        letters[k] = rng.choice([base for base in "ACGU" if base != bases[k]])
    return "".join(letters)


@pytest.fixture
def rng():
    return random.Random(7)


@pytest.fixture
def targets(rng):
    return [random_rna(rng, rng.randint(70, 300)) for _ in range(30)]


@pytest.mark.parametrize("tool", TOOLS)
class TestEveryTool:
    def test_near_ones_are_found_and_only_those(self, tool, rng, targets):
        relatives = [substituted(rng, targets[k], round(0.1 * len(targets[k]))) for k in (3, 17, 8)]
        strangers = [substituted(rng, targets[k], round(0.45 * len(targets[k]))) for k in (4, 5)]
        hits = near([*relatives, *strangers, random_rna(rng, 120)], targets, tool=tool, threads=1)
        assert [(hit.query, hit.target) for hit in hits] == [(0, 3), (1, 17), (2, 8)]
        assert [hit.identity for hit in hits] == pytest.approx([0.9] * 3, abs=0.03)

    def test_equal_ones_are_wholly_identical(self, tool, targets):
        assert near(targets[:5], targets, tool=tool, threads=1) == [Hit(k, k, 1.0) for k in range(5)]

    def test_a_part_of_a_longer_one_is_near_it(self, tool, targets):
        part = next(t for t in targets if len(t) > 200)
        (hit,) = near([part[40:140]], targets, tool=tool, threads=1)
        assert (targets[hit.target], hit.identity) == (part, 1.0)

    def test_runs_of_unknown_bases_match_nothing(self, tool, rng, targets):
        bases = random_rna(rng, 40) + "N" * 200 + random_rna(rng, 40)
        assert near([bases, "N" * 80], [*targets, "N" * 100], tool=tool, threads=1) == []

    def test_nothing_to_compare(self, tool, targets):
        assert near([], targets, tool=tool) == near(targets, [], tool=tool) == []

    def test_a_higher_identity_asked_for(self, tool, rng, targets):
        query = substituted(rng, targets[0], round(0.1 * len(targets[0])))
        assert near([query], targets, tool=tool, identity=0.97, threads=1) == []


@pytest.mark.parametrize("tool", [installed("vsearch"), installed("kmers")])
def test_short_ones_are_found(tool, rng, targets):
    short = [random_rna(rng, 30) for _ in range(10)]
    queries = [substituted(rng, bases, 3) for bases in short]
    hits = near(queries, [*targets, *short], tool=tool, threads=1)
    assert {(hit.query, hit.target - len(targets)) for hit in hits} >= {(k, k) for k in range(8)}


@pytest.mark.parametrize("tool", [installed("vsearch")])
def test_all_of_middling_length_are_found_alone_and_within_longer_ones(tool, rng, targets):
    """Of 51 bases at an identity of 0.82, few words of 7 or 8 bases are the same."""
    bases = [random_rna(rng, rng.randint(50, 120)) for _ in range(300)]
    queries = [substituted(rng, one, int(rng.uniform(0.1, 0.18) * len(one))) for one in bases]
    within = [random_rna(rng, 150) + one + random_rna(rng, 150) for one in bases]
    every = set(range(len(bases)))
    for some, others in ((queries, bases), (queries, within), (within, queries)):
        hits = near(some, [*others, *targets], tool=tool, threads=1)
        assert {hit.query for hit in hits if hit.query == hit.target} == every


def edits(pattern, text):
    """Fewest edits from the pattern to any part of the text."""
    row = [0] * (len(text) + 1)
    for i, p in enumerate(pattern, start=1):
        new = [i]
        for j, t in enumerate(text, start=1):
            same = p == t != "N"
            new.append(min(row[j - 1] + (not same), row[j] + 1, new[-1] + 1))
        row = new
    return min(row)


def test_edits_are_those_of_the_textbook(rng):
    for _ in range(300):
        pattern, text = (
            "".join(rng.choices("ACGUN", (5, 5, 5, 5, 1), k=rng.randint(1, 40))) for _ in "12"
        )
        assert leakage._edits(pattern, text) == edits(pattern, text)


@pytest.mark.parametrize("name", ["identity", "coverage"])
@pytest.mark.parametrize("value", [0, 1.01, 80])
def test_shares_out_of_range_are_refused(name, value):
    with pytest.raises(ConfigError, match=f"{name} {value}; expected"):
        near(["ACGU"], ["ACGU"], **{name: value})


def test_without_a_program_words_are_compared(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert best_tool() == "kmers"
    with pytest.raises(DependencyError, match=r"vsearch: not installed; .*Debian package vsearch"):
        near(["ACGU"], ["ACGU"], tool="vsearch")


def test_programs_go_first(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: name if name == "mmseqs" else None)
    assert best_tool() == "mmseqs"
