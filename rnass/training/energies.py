"""Fit nearest-neighbour energies to known structures: a parameter set for ViennaRNA.

ViennaRNA samples structures of each RNA with the present energies. The gradient of the expected F1 of a
sampled structure is the covariance of F1 and the entries of the tables that it uses (score function,
Williams 1992, doi:10.1007/BF00992696); that of the likelihood of the known structure is the difference
between the entries that it uses and those that the sampled ones use on average (Do, Woods & Batzoglou
2006, doi:10.1093/bioinformatics/btl246). Parameters that shift many entries at once, and a prior that
holds them to where they start, keep the fit from memorising families.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rnass.config import DecodingConfig
from rnass.errors import ConfigError, InputError
from rnass.files import check_target, read_lines, sha256, write_text
from rnass.metrics import score
from rnass.rna import CANONICAL_PAIRS, KT, MIN_HAIRPIN
from rnass.structure import Structure
from rnass.thermodynamics.energies import Energies
from rnass.thermodynamics.parameter_sets import TURNER_2004
from rnass.thermodynamics.parameters import Parameters
from rnass.thermodynamics.sampling import Sample, sample
from rnass.training.calibration import mean_f1
from rnass.training.config import FitConfig
from rnass.training.loop import Run
from rnass.training.processes import first_process_first, sole_run
from rnass.training.records import Example, checksums, read_examples, spread, training_examples
from rnass.training.sampling import batches

__all__ = ["EnergyObjective", "fit", "foldable"]


class EnergyObjective(nn.Module):
    """Energies that differ from those they start from by parameters, and their loss on known structures.

    Args:
        config: weights of the parts of the loss, and how many structures are sampled.
        start: the energies at first.

    Attributes:
        by: shape (n,), the parameters of `rnass.thermodynamics.parameters.Parameters`, in kcal/mol.
    """

    def __init__(self, config: FitConfig, start: Energies) -> None:
        super().__init__()
        self.config, self.start = config, start
        self.parameters_of_entries = Parameters.of(start)
        self.by = nn.Parameter(torch.zeros(len(self.parameters_of_entries.names)))

    @property
    def energies(self) -> Energies:
        """The energies with the present parameters."""
        by = self.by.detach().cpu().double().numpy()
        return self.start.shifted(self.parameters_of_entries.ties @ by)

    def forward(self, batch: tuple[int, list[Example]]) -> dict[str, Tensor]:
        """The loss, the expected F1 and the negative log-likelihood per base, means over the batch.

        Args:
            batch: a seed, and nested RNAs of canonical pairs (see `foldable`).
        """
        seed, examples = batch
        energies, config = self.energies, self.config
        sampled = sample([e.bases for e in examples], energies.text(), config.samples, seed)
        slope = np.zeros(len(energies.values))
        scores = [self._one(energies, e, one, slope) for e, one in zip(examples, sampled, strict=True)]
        accuracy, unlikely = np.mean(scores, 0).tolist()
        value = config.likelihood_weight * unlikely - config.accuracy_weight * accuracy
        by_parameter = self.parameters_of_entries.ties.T @ (slope / len(examples))
        sloped = self.by @ torch.from_numpy(by_parameter).to(self.by)  # has that gradient
        prior = config.prior / 2 * (self.by**2).sum()
        return {
            "loss": value + prior + sloped - sloped.detach(),
            "f1": torch.tensor(accuracy),
            "unlikely": torch.tensor(unlikely),
        }

    def _one(
        self, energies: Energies, example: Example, sampled: Sample, slope: NDArray[np.float64]
    ) -> tuple[float, float]:
        """Expected F1 and negative log-likelihood per base of one RNA; its part is added to *slope*."""
        length = len(example.bases)
        known = Structure(length, example.pairs)
        f1 = np.array([score(known, one).f1 for one in sampled.structures])
        better = (f1 - f1.mean()) * len(f1) / (len(f1) - 1)
        own = self.config.likelihood_weight / length
        gains = (self.config.accuracy_weight * better - own) / len(f1)
        read = energies.count(example.bases, known)
        counted = [(read, own)]
        for one, gain in zip(sampled.structures, gains.tolist(), strict=True):
            counted.append((energies.count(example.bases, one), gain))
        for counts, weight in counted:
            np.add.at(slope, counts.entry, weight / KT * counts.times)
        unlikely = (energies.energy(read) - sampled.ensemble_energy) / KT / length
        return float(f1.mean()), unlikely


def foldable(example: Example) -> Example | None:
    """A record with its nested canonical pairs, all that an energy model has; None of one with an N."""
    if "N" in example.bases:
        return None
    nested = Structure(len(example.bases), example.pairs).up_to_order(0).pairs
    kept = [
        (i, j)
        for i, j in nested.tolist()
        if j - i > MIN_HAIRPIN and example.bases[i] + example.bases[j] in CANONICAL_PAIRS
    ]
    return replace(example, pairs=np.array(kept, dtype=np.int64).reshape(-1, 2))


def fit(config: FitConfig, folder: Path) -> Path:
    """Fit in *folder* (resumed where a state is found); gives the ViennaRNA parameter file.

    Raises:
        ConfigError: `start` is not a parameter file; another configuration or other data than those of
            the state; no record to sample; a loss that is not finite.
        InputError: a file that cannot be read, or no record that can be folded.
        OutputError: the folder cannot be written, another run has it, or it holds energies of no
            known run.
    """
    with sole_run(folder, torch.device("cpu")):
        return _fit(config, folder)


def _fit(config: FitConfig, folder: Path) -> Path:
    path = folder / "energies.par"
    check_target(path, (config.start,), overwrite=True)
    torch.manual_seed(config.run.seed)
    data = config.data
    with first_process_first(torch.device("cpu")):
        found = training_examples(data)
    examples = [one for one in map(foldable, found) if one is not None]
    if found and not examples:
        raise InputError("data: no record without an N; expected some to fit energies to")
    valid = read_examples(data.valid, data.min_length, data.max_length)
    objective = EnergyObjective(config, _start(config.start))
    groups: list[dict[str, object]] = [{"params": [objective.by], "lr": 1.0}]
    inputs = checksums(data, examples, valid)
    inputs |= {"start": sha256(Path(config.start))} if config.start else {}
    valid = spread(valid, data.valid_limit)
    run: Run[tuple[int, list[Example]]] = Run(folder, objective, groups, config, inputs)

    def numbered(sampled: tuple[int, list[int]]) -> tuple[int, list[Example]]:
        draw, numbers = sampled
        return config.run.seed + draw, [examples[n] for n in numbers]

    sampled = batches(examples, data, config.run.seed, run.per_step)
    run.fit(enumerate(sampled), numbered, lambda: _validate(objective.energies, valid))
    if run.rank == 0:
        with run.averaged():
            about = f"fitted by rnass fit, for 37 C only: {json.dumps(run.made())}"
            write_text(path, objective.energies.text(about))
    return path


def _start(path: str | None) -> Energies:
    if path is None:
        return Energies.from_text(TURNER_2004)
    try:
        return Energies.from_text("\n".join(read_lines(path)))
    except ConfigError as error:
        raise ConfigError(f"start: {path}: {error}; expected a ViennaRNA parameter file") from error


def _validate(energies: Energies, valid: list[Example]) -> dict[str, float]:
    """The strict F1 of what the base-pair probabilities are decoded to, at two thresholds.

    NaN where the energies are too extreme for probabilities.
    """
    if not valid:
        return {}
    folded = sample([e.bases for e in valid], energies.text(), 0, 0)
    maps: list[NDArray[np.floating]] = [one.bpp.dense() for one in folded]
    if not all(np.isfinite(one).all() for one in maps):
        return {"valid_f1": np.nan}
    return {
        f"valid_f1_{threshold}": mean_f1(maps, valid, DecodingConfig(threshold=threshold))
        for threshold in (0.2, 0.4)
    }
