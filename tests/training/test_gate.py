"""Fitting the gate: the oracles are worths that depend on one feature, and densities by hand."""

import numpy as np
import pytest
import torch

from rnass.decoding.probing import log_likelihood_ratios
from rnass.network.gate import FEATURES
from rnass.training.gate import SHARES, Judged, fit_gate, likelihood, sampled_profiles
from rnass.training.profiles import Profile

HEADER = "id\tsource\tmodifier\tsequence\treactivity\terror\tsignal_to_noise\ttarget\n"


def judged(rng, number, weight=1.0):
    """Where the first feature is above 0.5 the energies are worth most, else the experts."""
    features = rng.random((number, len(FEATURES)))
    best = np.where(features[:, 0] > 0.5, 1.0, 0.0)
    return Judged("made", weight, features, 1 - abs(best[:, None] - np.array(SHARES)))


def test_the_gate_finds_the_feature_that_tells():
    rng = np.random.default_rng(3)
    gate = fit_gate([judged(rng, 400)])
    probe = judged(rng, 200)
    with torch.no_grad():
        shares = gate(torch.from_numpy(probe.features).float()).numpy()
    unfamiliar = probe.features[:, 0] > 0.5
    assert shares[probe.features[:, 0] > 0.7].min() > 0.7
    assert shares[probe.features[:, 0] < 0.3].max() < 0.3
    assert abs(shares - unfamiliar).mean() < 0.15


def test_a_kind_counts_by_its_weight_not_its_number():
    features = np.ones((300, len(FEATURES)))  # nothing to tell them apart by
    rising, falling = np.array(SHARES), 1 - np.array(SHARES)
    few = Judged("few", 3.0, features[:30], np.tile(rising, (30, 1)))
    many = Judged("many", 1.0, features[30:], np.tile(falling, (270, 1)))
    gate = fit_gate([few, many])
    with torch.no_grad():
        shares = gate(torch.from_numpy(features).float())
    assert shares.mean() > 0.9


def test_the_likelihood_is_that_of_paired_and_unpaired_bases():
    profile = Profile("one", "1M7", "GAAC", np.array([0.0, 1.6, np.nan, 0.4]))
    p = np.zeros((4, 4))
    p[0, 3] = p[3, 0] = 0.7
    ratios = log_likelihood_ratios(profile.reactivities, "GAAC", "1M7")  # paired over unpaired
    expected = [
        np.log(0.7 + 0.3 * np.exp(-ratios[0])),
        np.log(0.02 + 0.98 * np.exp(-ratios[1])),
        np.log(0.7 + 0.3 * np.exp(-ratios[3])),
    ]
    assert likelihood(profile, p) == pytest.approx(np.mean(expected))


def test_profiles_are_sampled_evenly_by_reagent(tmp_path):
    rows = []
    for k in range(10):
        modifier, bases = ("1M7", "GGGA") if k < 6 else ("DMS", "GGGA" * 5)
        values = ",".join("1" for _ in bases)
        rows.append(f"r{k}\tx\t{modifier}\t{bases}\t{values}\t\t{9 - k}\t\n")
    path = tmp_path / "profiles.tsv"
    path.write_text(HEADER + "".join(rows))
    found = sampled_profiles([str(path)], 0.0, 3, 100)
    assert [[one.id for one in kind] for kind in found] == [["r0", "r2", "r5"], ["r6", "r7", "r9"]]
    short = sampled_profiles([str(path)], 4.0, 100, 10)
    assert [[one.id for one in kind] for kind in short] == [["r0", "r1", "r2", "r3", "r4", "r5"]]
