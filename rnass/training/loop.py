"""The optimiser's side of a training run: steps, schedule, moving average, saved states, log.

A run folder holds `config.json`, `log.jsonl` (a line per logged step) and `state.safetensors`, from
which a stopped run goes on at the very step. Under `torchrun` every process takes its share of the
batches and gradients are averaged (DistributedDataParallel).
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

import torch
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeRemainingColumn
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, distributed, nn

from rnass.config import FitConfig, OptimiserConfig, PretrainConfig, TrainConfig, from_mapping, to_json
from rnass.errors import ConfigError
from rnass.files import write_atomically, write_text

__all__ = ["Run", "learning_rate_factor", "start_processes"]

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


def start_processes(device: torch.device) -> tuple[int, int]:
    """Join the processes that torchrun started; rank and number of processes, (0, 1) without it."""
    if "WORLD_SIZE" not in os.environ:
        return 0, 1
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return distributed.get_rank(), distributed.get_world_size()


class Run(Generic[BatchT]):
    """One training run in a folder.

    Args:
        folder: where config, log and state are kept.
        objective: module whose forward takes a batch and returns named losses; "loss" is minimised.
        groups: parameter groups; each holds its own "lr" as a multiple of the learning rate.
        config: the whole configuration; a folder begun with another one is refused.

    Attributes:
        per_step: batches that make one step, those of all processes together.
    """

    def __init__(
        self,
        folder: Path,
        objective: nn.Module,
        groups: list[dict[str, object]],
        config: FitConfig | PretrainConfig | TrainConfig,
    ) -> None:
        self.folder, self.objective, self.config = folder, objective, config
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
        self.average = {name: p.detach().clone() for name, p in self.names.items()}
        self.step = 0
        self.spent = 0.0
        self.processes = self.world  # that took the last step
        self._open(config)

    def fit(
        self,
        batches: Iterator[DrawT],
        load: Callable[[DrawT], BatchT],
        validate: Callable[[], dict[str, float]],
    ) -> None:
        """Go on to the last step, or to the one to stop at.

        Args:
            batches: what each batch is made of (its example numbers, say) from the first step on,
                taken before or not.
            load: makes a batch of them; called only for those that this process takes.
            validate: called with the moving average of the weights in place.
        """
        own = islice(batches, self.step * self.per_step + self.rank, None, self.world)
        shared = map(load, own)
        module = self.objective
        if self.world > 1:
            module = nn.parallel.DistributedDataParallel(module)
        last = min(self.settings.steps, self.run.stop or self.settings.steps)
        began, losses = time.monotonic() - self.spent, []
        scores: dict[str, float] = {}
        with self._progress() as progress:
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

    def averaged(self) -> "_Averaged":
        """A context in which the weights are their moving average."""
        return _Averaged(self.names, self.average if self.settings.ema else {})

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
        nn.utils.clip_grad_norm_(self.names.values(), self.settings.clip)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, parameter in self.names.items():
                self.average[name].lerp_(parameter, 1 - decay)
        return {key: float(value.detach()) for key, value in losses.items()}

    def _open(self, config: FitConfig | PretrainConfig | TrainConfig) -> None:
        """Make the folder, or take up the state in it; keys it was begun without have their defaults."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = self.folder / "config.json"
        if kept.is_file():
            before = from_mapping(type(config), json.loads(kept.read_text(encoding="utf-8")), str(kept))
            if before != config:
                raise ConfigError(
                    f"{kept}: begun with another configuration; expected the same or a new folder"
                )
        elif self.rank == 0:
            write_text(kept, to_json(config))
        state = self.folder / "state.safetensors"
        if state.is_file():
            self._resume(state)

    def _save(self) -> None:
        if self.rank:
            return
        tensors = {"random": torch.get_rng_state()}
        if self.device.type == "cuda":
            tensors["random_cuda"] = torch.cuda.get_rng_state(self.device)
        for name, parameter in self.names.items():
            tensors |= {f"weight.{name}": parameter.detach(), f"average.{name}": self.average[name]}
            for optimiser in self.optimisers:  # none where no gradient ever came
                for key, moment in optimiser.state.get(parameter, {}).items():
                    tensors[f"moment.{key}.{name}"] = moment
        contiguous = {key: tensor.cpu().contiguous().clone() for key, tensor in tensors.items()}
        with write_atomically(self.folder / "state.safetensors") as file:
            known = {"step": self.step, "spent": self.spent, "processes": self.processes}
            file.write(save(contiguous, {key: str(value) for key, value in known.items()}))

    def _resume(self, path: Path) -> None:
        with safe_open(path, "pt", device=str(self.device)) as file:
            held = set(file.keys())
            known = file.metadata()
            self.step, self.spent = int(known["step"]), float(known["spent"])
            self.processes = int(known.get("processes", self.world))
            torch.set_rng_state(file.get_tensor("random").cpu())
            if "random_cuda" in held:
                torch.cuda.set_rng_state(file.get_tensor("random_cuda").cpu(), self.device)
            for name, parameter in self.names.items():
                parameter.data.copy_(file.get_tensor(f"weight.{name}"))
                self.average[name].copy_(file.get_tensor(f"average.{name}"))
            by_name = {id(parameter): name for name, parameter in self.names.items()}
            moments = [key.split(".", 2)[1:] for key in held if key.startswith("moment.")]
            for optimiser in self.optimisers:
                own = {by_name[id(p)]: p for group in optimiser.param_groups for p in group["params"]}
                for key, name in moments:
                    if name in own:
                        moment = file.get_tensor(f"moment.{key}.{name}")
                        optimiser.state[own[name]][key] = moment

    def _log(self, values: dict[str, float]) -> None:
        if self.rank == 0:
            line = {"step": self.step, "seconds": round(self.spent, 1)} | values
            with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")

    def _progress(self) -> Progress:
        """A bar on a terminal, nothing in a pipe."""
        console = Console(stderr=True)
        columns = (
            *Progress.get_default_columns()[:-1],
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        return Progress(*columns, console=console, disable=self.rank > 0 or not console.is_terminal)


def _apart(module: nn.Module) -> AbstractContextManager[None]:
    """A context in which gradients stay with the process; the last batch of a step shares them."""
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


class _Averaged:
    """Swaps weights for their moving average and back."""

    def __init__(self, names: dict[str, nn.Parameter], average: dict[str, Tensor]) -> None:
        self._names, self._average = names, average

    def __enter__(self) -> None:
        self._swap()

    def __exit__(self, *_: object) -> None:
        self._swap()

    def _swap(self) -> None:
        for name, average in self._average.items():
            weight = self._names[name].data
            kept = weight.clone()
            weight.copy_(average)
            average.copy_(kept)
