"""Fit nearest-neighbour energies to known structures: a parameter set for ViennaRNA.

Each RNA's structures are drawn by ViennaRNA with the energies as they are. What raises the expected F1
of a drawn structure is their covariance with its F1 (Williams 1992, doi:10.1007/BF00992696); what raises
the likelihood of the known structure is the difference between what it reads of the tables and what the
drawn ones read in the mean (Do, Woods & Batzoglou 2006, doi:10.1093/bioinformatics/btl246). Parameters
that shift many entries at once, and a prior that holds them to where they start, keep the fit from
learning families by heart.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rnass.config import DecodingConfig, FitConfig
from rnass.dataset import Example, batches, read_examples, training_examples
from rnass.energies import Energies, Parameters
from rnass.errors import ConfigError, InputError
from rnass.io.files import write_text
from rnass.matching import decode
from rnass.metrics import score
from rnass.optimise import Run
from rnass.sequence import MIN_HAIRPIN
from rnass.structure import Structure
from rnass.vienna import TURNER_2004, sample

__all__ = ["EnergyObjective", "fit", "foldable"]

_KT = 0.61632  # kcal/mol at 37 C, ViennaRNA's
_CANONICAL = {"AU", "UA", "GC", "CG", "GU", "UG"}


class EnergyObjective(nn.Module):
    """Energies that differ from those they start from by parameters, and their loss on known structures.

    Args:
        config: weights of the parts of the loss, and how many structures are drawn.
        start: the energies at first.

    Attributes:
        by: shape (n,), the parameters of `rnass.energies.Parameters`, in kcal/mol.
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
        energies = self.energies
        slope = np.zeros(len(energies.values))
        drawn = sample([e.bases for e in examples], energies.text(), self.config.samples, seed)
        accuracy = unlikely = 0.0
        for example, structures, energy in (
            (e, s.structures, s.ensemble_energy) for e, s in zip(examples, drawn, strict=True)
        ):
            known = Structure(len(example.bases), example.pairs)
            read = energies.count(example.bases, known)
            own = self.config.likelihood_weight / len(example.bases)
            np.add.at(slope, read.entry, own * read.times)
            f1 = np.array([score(known, one).f1 for one in structures])
            better = (f1 - f1.mean()) * len(f1) / (len(f1) - 1)
            for one, gain in zip(structures, self.config.accuracy_weight * better - own, strict=True):
                counts = energies.count(example.bases, one)
                np.add.at(slope, counts.entry, gain / len(f1) * counts.times)
            accuracy += float(f1.mean())
            unlikely += (energies.energy(read) - energy) / _KT / len(example.bases)
        accuracy, unlikely = accuracy / len(examples), unlikely / len(examples)
        value = self.config.likelihood_weight * unlikely - self.config.accuracy_weight * accuracy
        descent = self.parameters_of_entries.ties.T @ (slope / _KT / len(examples))
        prior = self.config.prior / 2 * (self.by**2).sum()
        sloped = self.by @ torch.from_numpy(descent).to(self.by)  # a loss of that gradient
        return {
            "loss": value + prior + sloped - sloped.detach(),
            "f1": torch.tensor(accuracy),
            "unlikely": torch.tensor(unlikely),
        }


def foldable(example: Example) -> Example | None:
    """What an energy model can give of a record: nested canonical pairs; None of one with an N."""
    from dataclasses import replace

    if "N" in example.bases:
        return None
    nested = Structure(len(example.bases), example.pairs).up_to_order(0).pairs
    kept = [
        (i, j)
        for i, j in nested.tolist()
        if j - i > MIN_HAIRPIN and example.bases[i] + example.bases[j] in _CANONICAL
    ]
    return replace(example, pairs=np.array(kept, dtype=np.int64).reshape(-1, 2))


def fit(config: FitConfig, folder: Path) -> Path:
    """Fit in *folder* (resumed where a state is found); gives the ViennaRNA parameter file.

    Raises:
        ConfigError: `start` is not a parameter file.
        InputError: a data file that cannot be read, or no record that can be folded.
    """
    torch.manual_seed(config.run.seed)
    data = config.data
    examples = [one for one in map(foldable, training_examples(data)) if one is not None]
    if not examples:
        raise InputError("data: no record without an N; expected some to fit energies to")
    valid = read_examples(data.valid, data.min_length, data.max_length)
    objective = EnergyObjective(config, _start(config.start))
    groups: list[dict[str, object]] = [{"params": [objective.by], "lr": 1.0}]
    run: Run[tuple[int, list[Example]]] = Run(folder, objective, groups, config)

    def numbered(drawn: tuple[int, list[int]]) -> tuple[int, list[Example]]:
        draw, numbers = drawn
        return config.run.seed + draw, [examples[n] for n in numbers]

    drawn = batches(examples, data, config.run.seed, run.per_step)
    run.fit(
        enumerate(drawn), numbered, lambda: _validate(objective.energies, valid[: data.valid_limit])
    )
    path = folder / "energies.par"
    if run.rank == 0:
        with run.averaged():
            write_text(path, objective.energies.text("Fitted by rnass fit; for 37 C only."))
    return path


def _start(path: str | None) -> Energies:
    if path is None:
        return Energies.from_text(TURNER_2004)
    try:
        return Energies.from_text(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ConfigError(f"start: {path}: {error}; expected a ViennaRNA parameter file") from error


def _validate(energies: Energies, valid: list[Example]) -> dict[str, float]:
    """The strict F1 of what the base-pair probabilities are decoded to, at two thresholds."""
    if not valid:
        return {}
    maps = list(_maps(energies, valid))
    return {
        f"valid_f1_{threshold}": float(
            np.mean(
                [
                    score(Structure(len(e.bases), e.pairs), decode(one, e.bases, choice)).f1
                    for e, one in zip(valid, maps, strict=True)
                ]
            )
        )
        for threshold in (0.2, 0.4)
        for choice in [DecodingConfig(threshold=threshold)]
    }


def _maps(energies: Energies, examples: list[Example]) -> Iterator[NDArray[np.float32]]:
    for one in sample([e.bases for e in examples], energies.text(), 0, 0):
        yield one.base_pairs.dense()
