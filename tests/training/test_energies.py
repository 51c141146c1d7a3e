"""Fitting energies. Oracles: numeric derivatives of exact ensemble energies, RNAs of known answers."""

import dataclasses
import json
import re

import numpy as np
import pytest
import RNA
import torch

from rnass.errors import ConfigError, InputError
from rnass.structure import Structure
from rnass.thermodynamics.energies import Energies
from rnass.thermodynamics.parameter_sets import TURNER_2004
from rnass.thermodynamics.parameters import Parameters
from rnass.thermodynamics.sampling import sample
from rnass.training.config import DataConfig, FitConfig, OptimiserConfig, RunConfig
from rnass.training.energies import EnergyObjective, fit, foldable
from rnass.training.records import Example

TURNER = Energies.from_text(TURNER_2004)
KT = 0.61632
# no energy model prefers the three pairs to the hairpin of five in its middle
RELUCTANT = ("GGGAAAGGCGCAAAAGCGCCAAACCC", "(((....................)))")

WILLING = ("GGGGAAAACCCC", "((((....))))")


def example(bases, dot_bracket):
    return Example("x", "", bases, Structure.from_dot_bracket(dot_bracket).pairs)


def slope(objective, batch):
    objective.zero_grad()
    objective(batch)["loss"].backward()
    return objective.by.grad.numpy().copy()


def test_the_likelihood_falls_as_its_numeric_derivative_says():
    bases, dot_bracket = RELUCTANT
    config = FitConfig(samples=4000, accuracy_weight=0.0, likelihood_weight=1.0, prior=0.0)
    objective = EnergyObjective(config, TURNER)
    known = example(bases, dot_bracket)
    got = slope(objective, (1, [known]))

    def unlikely(by):
        energies = TURNER.shifted(Parameters.of(TURNER).ties @ by)
        (drawn,) = sample([bases], energies.text(), 0, 0)
        read = energies.count(bases, Structure(len(bases), known.pairs))
        return (energies.energy(read) - drawn.ensemble_energy) / KT / len(bases)

    names = Parameters.of(TURNER).names
    for name in ("stack CG GC", "stack GC GC", "hairpin 4", "internal 6", "hairpin special 4"):
        step = np.zeros(len(names))
        step[names.index(name)] = 0.1
        assert got[names.index(name)] == pytest.approx(
            (unlikely(step) - unlikely(-step)) / 0.2, abs=0.004
        ), name


def test_accuracy_rises_against_its_slope():
    config = FitConfig(samples=1000, accuracy_weight=1.0, likelihood_weight=0.0, prior=0.0)
    objective = EnergyObjective(config, TURNER)
    batch = (1, [example("GGGGAAAACCCC", "((((....))))"), example("GGCAGAAAUGCC", "((((....))))")])
    down = torch.from_numpy(slope(objective, batch))
    before = float(objective(batch)["f1"])
    with torch.no_grad():
        objective.by -= 0.5 * down / down.norm()
    assert float(objective(batch)["f1"]) > before + 0.02


def test_the_prior_holds_parameters_to_where_they_start():
    objective = EnergyObjective(
        FitConfig(samples=2, accuracy_weight=0.0, likelihood_weight=0.0, prior=0.5), TURNER
    )
    with torch.no_grad():
        objective.by += 2.0
    assert slope(objective, (1, [example("GGGGAAAACCCC", "((((....))))")])) == pytest.approx(1.0)


def test_what_energies_can_give_of_a_record():
    knot = example("GAGGCCNACCAUAGGCUAC".replace("N", "A"), "((((..[[[))))...]]]")
    nested = foldable(knot)
    assert nested is not None
    pairs = {(i, j) for i, j in nested.pairs.tolist()}
    assert pairs <= {(i, j) for i, j in knot.pairs.tolist()}
    assert all(knot.bases[i] + knot.bases[j] in {"AU", "UA", "GC", "CG", "GU", "UG"} for i, j in pairs)
    assert not Structure(19, nested.pairs).crossing.any()
    assert foldable(example("GGGNAAACCC", "(((....)))")) is None
    short = foldable(example("GGAACC", "((..))"))
    assert short is not None
    assert short.pairs.tolist() == [[0, 5]]  # the inner hairpin would be of two bases


@pytest.fixture
def config(tmp_path):
    table = tmp_path / "data.tsv"
    rows = [("one", *RELUCTANT), ("two", *WILLING), ("n", "GGGNAAACCC", "(((....)))")]
    lines = [f"{name}\tmade up\t\t{bases}\t{dots}" for name, bases, dots in rows]
    table.write_text("\n".join(["id\tsource\tfamily\tsequence\tdot_bracket", *lines]) + "\n")
    return FitConfig(
        samples=20,
        likelihood_weight=1.0,
        prior=1e-5,
        data=DataConfig(train=(str(table),), valid=(str(table),), min_length=6, padded_pairs=2000),
        optimiser=OptimiserConfig(
            steps=40, learning_rate=0.2, warmup=1, weight_decay=0.0, ema=0.8, clip=100.0
        ),
        run=RunConfig(valid_every=20, save_every=20),
    )


def test_a_fit_finds_energies_by_which_viennarna_folds_the_known_structures(config, tmp_path):
    path = fit(config, tmp_path / "run")
    assert path == tmp_path / "run" / "energies.par"
    for bases, dot_bracket in (RELUCTANT, WILLING):
        (drawn,) = sample([bases], path.read_text(), 200, 1)
        known = Structure.from_dot_bracket(dot_bracket)
        assert np.mean([one == known for one in drawn.structures]) > 0.5
    assert RNA.fold(RELUCTANT[0])[0] != RELUCTANT[1]  # by Turner 2004, whose tables are still in place
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 40
    assert 0 < lines[-1]["valid_f1_0.2"] <= 1


def test_a_fit_goes_on_where_it_was_interrupted(config, tmp_path):
    whole = fit(config, tmp_path / "whole").read_text()
    part = tmp_path / "part"
    interrupted = dataclasses.replace(config, run=dataclasses.replace(config.run, stop=20))
    fit(interrupted, part)
    clock = r'"seconds": \d+'  # of all that the file says, the one thing that a run cannot repeat
    assert re.sub(clock, "", fit(config, part).read_text()) == re.sub(clock, "", whole)


def test_energies_too_extreme_to_fold_with_end_the_fit(config, hairpins, tmp_path):
    paths = (hairpins(8),)
    data = dataclasses.replace(config.data, train=paths, valid=paths)
    extreme = dataclasses.replace(config.optimiser, steps=3, learning_rate=1e5, warmup=0)
    with pytest.raises(ConfigError, match=r"(loss|valid_f1) nan at step [23]; expected a finite one"):
        fit(dataclasses.replace(config, data=data, optimiser=extreme), tmp_path / "run")
    assert not (tmp_path / "run" / "energies.par").exists()


def test_a_start_goes_on_from_its_energies(config, tmp_path):
    start = tmp_path / "start.par"
    start.write_text(TURNER.shifted(np.full(len(TURNER.values), -0.2)).text())
    still = dataclasses.replace(config.optimiser, steps=1, learning_rate=1e-9)
    short = dataclasses.replace(config, start=str(start), optimiser=still)
    assert Energies.from_text(fit(short, tmp_path / "run").read_text()).values == pytest.approx(
        Energies.from_text(start.read_text()).values
    )


def test_what_cannot_be_fitted_is_refused(config, tmp_path):
    bad = tmp_path / "bad.par"
    bad.write_text("no parameter file\n")
    with pytest.raises(ConfigError, match=r"bad\.par.*expected a ViennaRNA parameter file"):
        fit(dataclasses.replace(config, start=str(bad)), tmp_path / "run")
    long = dataclasses.replace(config, data=dataclasses.replace(config.data, min_length=100))
    with pytest.raises(ConfigError, match="no training record is left; expected some of 100 to"):
        fit(long, tmp_path / "other")
    (tmp_path / "n.tsv").write_text("id\tsequence\tdot_bracket\nn\tGGGNAAACCC\t(((....)))\n")
    unknown = dataclasses.replace(config.data, train=(str(tmp_path / "n.tsv"),))
    with pytest.raises(InputError, match="no record without an N"):
        fit(dataclasses.replace(config, data=unknown), tmp_path / "other")
    with pytest.raises(
        InputError, match=r"none\.par: no such file or directory; expected a file to read"
    ):
        fit(dataclasses.replace(config, start=str(tmp_path / "none.par")), tmp_path / "run")
