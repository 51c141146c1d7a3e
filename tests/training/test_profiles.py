"""The oracles are densities that the reactivities were drawn from."""

import dataclasses

import numpy as np
import pytest

from rnass.backbone.vocabulary import RNASS
from rnass.errors import InputError
from rnass.training.config import DataConfig
from rnass.training.profiles import Densities, Profile, fit_densities, read_profiles
from rnass.training.records import Loader, training_examples
from rnass.training.sampling import batches, mutated

HEADER = "id\tsource\tmodifier\tsequence\treactivity\terror\tsignal_to_noise\ttarget\n"


def table(path, rows):
    path.write_text(HEADER + "".join("\t".join(row) + "\n" for row in rows))
    return str(path)


def row(bases, values, signal="5", name="one"):
    return (name, "test", "1M7", bases, values, "", signal, "." * len(bases))


def test_a_table_is_read(tmp_path):
    rows = [row("GGGA", "0.1,,-0.2,1.5"), row("GGGA", "1,1,1,1", signal="1.2", name="noisy")]
    path = table(tmp_path / "profiles.tsv", rows)
    (only,) = read_profiles(path, 3.0)
    assert (only.id, only.modifier, only.bases) == ("one", "1M7", "GGGA")
    np.testing.assert_array_equal(only.reactivities, [0.1, np.nan, 0.0, 1.5])
    assert [one.id for one in read_profiles(path)] == ["one", "noisy"]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row("GGGA", "0.1,0.2"), "2 values; expected 4, one a base"),
        (row("GGGA", "0.1,x,0,0"), "'x'; expected a number"),
        (row("GGGA", "0,0,0,0", signal="high"), "'high'; expected a number"),
        (row("GGX", "0,0,0"), "letter 'X' at base 3"),
    ],
)
def test_a_bad_row_is_named(tmp_path, bad, message):
    path = table(tmp_path / "profiles.tsv", [row("GA", "0,0", name="two"), bad])
    with pytest.raises(InputError, match=rf"profiles\.tsv:3 \(one\): {message}"):
        read_profiles(path)


def test_letters_are_read_as_of_any_rna_and_quotes_as_letters(tmp_path):
    rows = [row("ggTA", "0,0,0,0", name='"a'), row("GGGA", "0,0,0,0", signal="nan")]
    (only,) = read_profiles(table(tmp_path / "profiles.tsv", rows))
    assert (only.id, only.bases) == ('"a', "GGUA")
    assert fit_densities([only], "turner2004").evidence(only).tolist() == [0, 0, 0, 0]


def drawn_profiles(rng, number):
    """Hairpins whose unpaired bases have a mean reactivity of 1, paired ones of 0.2, exponential."""
    profiles = []
    for k in range(number):
        stem = "".join(rng.choice(list("GC"), 7))
        other = stem[::-1].translate(str.maketrans("GC", "CG"))
        bases = f"AAAA{stem}GAAA{other}AAAA"
        unpaired = np.array([base == "." for base in f"....{'(' * 7}....{')' * 7}...."])
        values = rng.exponential(np.where(unpaired, 1.0, 0.2))
        profiles.append(Profile(str(k), "1M7", bases, values))
    return profiles


def test_densities_are_those_the_reactivities_were_drawn_from():
    profiles = drawn_profiles(np.random.default_rng(1), 300)
    fitted = fit_densities(profiles, "rnass2026")
    probe = Profile("probe", "1M7", "G" * 5, np.array([0.05, 0.3, 0.6, 1.0, np.nan]))
    expected = np.log(np.exp(-probe.reactivities) / (5 * np.exp(-5 * probe.reactivities)))
    found = fitted.evidence(probe)
    np.testing.assert_allclose(found[:4], np.clip(expected[:4], -3, 3), atol=0.8)
    assert found[4] == 0
    assert not fitted.evidence(dataclasses.replace(probe, modifier="DMS")).any()


def test_evidence_is_bounded():
    kind = {("1M7", "A"): np.array([0.5])}
    densities = Densities(kind, {("1M7", "A"): np.array([-9.0, 9.0])})
    found = densities.evidence(Profile("one", "1M7", "AA", np.array([0.0, 1.0])))
    np.testing.assert_array_equal(found, [-3, 3])


@pytest.fixture
def data(tmp_path):
    profiles = drawn_profiles(np.random.default_rng(2), 60)
    rows = [
        row(one.bases, ",".join(map(str, one.reactivities.round(3))), name=f"profile{one.id}")
        for one in profiles
    ]
    known = tmp_path / "known.tsv"
    known.write_text(
        "id\tsequence\tdot_bracket\n"
        + "".join(f"known{k}\tGGGGGGAAAACCCCCC\t((((((....))))))\n" for k in range(20))
    )
    return DataConfig(
        train=(str(known),),
        weights=(3.0,),
        profiles=(table(tmp_path / "profiles.tsv", rows),),
        profile_share=0.5,
        mutation_rate=1.0,
        mutated_share=1.0,
    )


def test_profiles_are_drawn_by_their_share_and_never_mutated(data):
    examples = training_examples(data)
    assert [e.evidence is None for e in examples] == [True] * 20 + [False] * 60
    stream = batches(examples, data, seed=1)
    drawn = [n for _ in range(40) for n in next(stream)]
    share = np.mean([examples[n].evidence is not None for n in drawn])
    assert share == pytest.approx(0.5, abs=0.03)
    changed = mutated(examples, data, seed=1, draw=0)
    assert [a.bases for a in changed[20:]] == [b.bases for b in examples[20:]]
    assert [a.bases for a in changed[:20]] != [b.bases for b in examples[:20]]


def test_a_batch_holds_the_evidence_of_its_profiles_alone(data):
    examples = training_examples(data)
    load = Loader(RNASS)
    batch = load([examples[0], examples[20]])
    assert bool(batch.evidence[0].isnan().all())
    np.testing.assert_array_equal(batch.evidence[1, : len(examples[20].bases)], examples[20].evidence)
    assert load([examples[0]]).evidence is None
