"""The loop of a training run: steps, learning rate, validation, and states to go on from.

A stopped run goes on at the very step, see `rnass.training.run_folder`. Under `torchrun` every process
takes its part of the batches, and gradients are averaged (DistributedDataParallel).
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

import torch
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from rnass.config import to_json
from rnass.errors import CheckpointError, ConfigError
from rnass.training.average import MovingAverage
from rnass.training.config import FitConfig, OptimiserConfig, PretrainConfig, TrainConfig
from rnass.training.processes import start_processes
from rnass.training.run_folder import RunFolder

__all__ = ["Run", "learning_rate_factor"]

BatchT = TypeVar("BatchT")
DrawT = TypeVar("DrawT")

_LOG_EVERY = 20  # steps


def learning_rate_factor(step: int, settings: OptimiserConfig) -> float:
    """Linear warm-up to 1, then a cosine to `final_fraction` at the last step."""
    if step < settings.warmup:
        return (step + 1) / settings.warmup
    done = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    low = settings.final_fraction
    return low + (1 - low) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


class Run(Generic[BatchT]):
    """One training run in a folder.

    Args:
        folder: where config, log and state are kept.
        objective: module whose forward takes a batch and returns named losses; "loss" is minimised.
        groups: parameter groups; each holds its own "lr" as a multiple of the learning rate.
        config: the whole configuration; a folder with the state or weights of another one is refused.
        inputs: the sha256 of what is read; a state that was begun with others is refused.

    Attributes:
        per_step: batches that make one step, those of all processes together.
    """

    def __init__(
        self,
        folder: Path,
        objective: nn.Module,
        groups: list[dict[str, object]],
        config: FitConfig | PretrainConfig | TrainConfig,
        inputs: Mapping[str, str] | None = None,
    ) -> None:
        self.objective, self.config = objective, config
        self.settings, self.run = config.optimiser, config.run
        self.device = next(objective.parameters()).device
        self.rank, self.world = start_processes(self.device)
        self.per_step = self.settings.accumulate * self.world
        self.optimisers = _optimisers(objective, groups, self.settings)
        self.names = {
            name: parameter
            for name, parameter in objective.named_parameters()
            if parameter.requires_grad
        }
        self.average = MovingAverage(self.names, self.settings.ema)
        self.step = 0
        self.spent = 0.0
        self.processes = self.world  # that took the last step
        self.folder = RunFolder(folder, config, inputs, writes=self.rank == 0)
        if state := self.folder.state():
            self._resume(*state)
        self.folder.cut_log(self.step)

    def fit(
        self,
        batches: Iterator[DrawT],
        load: Callable[[DrawT], BatchT],
        validate: Callable[[], dict[str, float]],
    ) -> None:
        """Go on to the last step, or to the one to stop at.

        Args:
            batches: the makings of each batch, such as its example numbers, from the first step on,
                taken before or not.
            load: makes a batch of them; called only for those that this process takes.
            validate: called with the moving average of the weights in place.

        Raises:
            ConfigError: a loss, gradient, score or weight that is not finite; the state saved before it
                stays.
        """
        own = islice(batches, self.step * self.per_step + self.rank, None, self.world)
        shared = map(load, own)
        module = self.objective
        if self.world > 1:
            module = nn.parallel.DistributedDataParallel(module)
        whole, stop = self.settings.steps, self.run.stop
        last = whole if stop is None else min(whole, stop)
        began, losses = time.monotonic() - self.spent, []
        scores: dict[str, float] = {}
        with _progress(self.rank) as progress:
            task = progress.add_task("", total=last, completed=self.step, note="")
            while self.step < last:
                losses.append(self._one_step(module, shared))
                self.processes = self.world
                self.step += 1
                self.spent = time.monotonic() - began
                if self.step % _LOG_EVERY == 0:
                    means = {key: sum(one[key] for one in losses) / len(losses) for key in losses[0]}
                    self._log(means)
                    shown = means | scores
                    progress.update(task, note=" ".join(f"{k} {v:.4f}" for k, v in shown.items()))
                    losses.clear()
                progress.update(task, completed=self.step)
                if self.step % self.run.valid_every == 0 or self.step == last:
                    with self.averaged():
                        scores = validate()
                    self._check(scores)
                    self._log(scores)
                if self.step % self.run.save_every == 0 or self.step == last:
                    self._save()

    def made(self) -> dict[str, object]:
        """How the weights came about, for the file that holds them."""
        return {
            "config": to_json(self.config),
            "steps": self.step,
            "seconds": round(self.spent),
            "device": str(self.device),
            "processes": self.processes,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        }

    def averaged(self) -> AbstractContextManager[None]:
        """A context in which the weights are their moving average."""
        return self.average.in_place()

    def _one_step(self, module: nn.Module, batches: Iterator[BatchT]) -> dict[str, float]:
        module.train()
        factor = learning_rate_factor(self.step, self.settings) * self.settings.learning_rate
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = factor * group["relative"]
        fast = self.run.precision == "bfloat16"
        for left in reversed(range(self.settings.accumulate)):
            with _apart(module) if left else nullcontext():
                with torch.autocast(self.device.type, torch.bfloat16, enabled=fast):
                    losses: dict[str, Tensor] = module(next(batches))
                (losses["loss"] / self.settings.accumulate).backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.names.values(), self.settings.clip)
        means = {key: float(value.detach()) for key, value in losses.items()}
        self._check(means | {"norm of the gradient": float(norm)}, self.step + 1)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.average.update(self.step)
        return means

    def _check(self, values: dict[str, float], step: int | None = None) -> None:
        """Stop the run at a value that is not finite, so that the state saved before stays."""
        for name, value in values.items():
            if not math.isfinite(value):
                raise ConfigError(
                    f"{self.folder.path}: {name} {value} at step {step or self.step}; expected a finite "
                    "one, as by a lower optimiser.learning_rate"
                )

    def _log(self, values: dict[str, float]) -> None:
        self.folder.log({"step": self.step, "seconds": round(self.spent, 1)} | values)

    def _save(self) -> None:
        self._check({f"a weight of {name}": float(p.detach().sum()) for name, p in self.names.items()})
        tensors = {"random": torch.get_rng_state()}
        if self.device.type == "cuda":
            tensors["random_cuda"] = torch.cuda.get_rng_state(self.device)
        for name, parameter in self.names.items():
            average = self.average.tensors[name]
            tensors |= {f"weight.{name}": parameter.detach(), f"average.{name}": average}
            for optimiser in self.optimisers:  # none where no gradient ever came
                for key, moment in optimiser.state.get(parameter, {}).items():
                    tensors[f"moment.{key}.{name}"] = moment
        numbers = {"step": self.step, "spent": self.spent, "processes": self.processes}
        self.folder.save(tensors, numbers)

    def _resume(self, tensors: dict[str, Tensor], numbers: dict[str, str]) -> None:
        try:
            self.step, self.spent = int(numbers["step"]), float(numbers["spent"])
            self.processes = int(numbers["processes"])
            torch.set_rng_state(tensors["random"])
            if "random_cuda" in tensors:
                torch.cuda.set_rng_state(tensors["random_cuda"], self.device)
            for name, parameter in self.names.items():
                parameter.data.copy_(tensors[f"weight.{name}"])
                self.average.tensors[name].copy_(tensors[f"average.{name}"])
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            raise CheckpointError(
                f"{self.folder.state_file}: {error}; expected the state of a run like this one"
            ) from error
        owners = {
            id(parameter): optimiser
            for optimiser in self.optimisers
            for group in optimiser.param_groups
            for parameter in group["params"]
        }
        for key, moment in tensors.items():
            kind, _, rest = key.partition(".")
            state, _, name = rest.partition(".")
            if kind == "moment" and (owner := owners.get(id(self.names.get(name)))):
                owner.state[self.names[name]][state] = moment.to(self.device)


def _progress(rank: int) -> Progress:
    """A bar on the first process's terminal, nothing in a pipe."""
    console = Console(stderr=True)
    columns = (
        *Progress.get_default_columns()[:-1],
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    return Progress(*columns, console=console, disable=rank > 0 or not console.is_terminal)


def _apart(module: nn.Module) -> AbstractContextManager[None]:
    """A context in which gradients stay with the process: all batches of a step but the last."""
    if isinstance(module, nn.parallel.DistributedDataParallel):
        return module.no_sync()
    return nullcontext()


def _optimisers(
    objective: nn.Module, groups: list[dict[str, object]], settings: OptimiserConfig
) -> list[torch.optim.Optimizer]:
    """AdamW for every parameter, or Muon for the matrices of linear maps and AdamW for the rest."""
    linear = [module.weight for module in objective.modules() if isinstance(module, nn.Linear)]
    matrices = {id(w) for w in linear if min(w.shape) > 1 and settings.method == "muon"}
    parts: dict[bool, list[dict[str, object]]] = {False: [], True: []}
    for group in groups:
        parameters: list[nn.Parameter] = list(group["params"])  # type: ignore[call-overload]
        for matrix, part in parts.items():
            if chosen := [p for p in parameters if (id(p) in matrices) is matrix]:
                part.append({"params": chosen, "relative": group["lr"]})
    decay = settings.weight_decay
    optimisers: list[torch.optim.Optimizer] = []
    if parts[False]:
        optimisers.append(torch.optim.AdamW(parts[False], weight_decay=decay, betas=(0.9, 0.98)))
    if parts[True]:  # its steps are scaled to the size of AdamW's
        if not hasattr(torch.optim, "Muon"):
            raise ConfigError("optimiser.method: muon; expected torch 2.9 or newer for it")
        optimisers.append(
            torch.optim.Muon(parts[True], weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        )
    return optimisers
