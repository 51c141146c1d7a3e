"""The folder of a training run: `config.json`, `log.jsonl` and `state.safetensors`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from rnass.backbone.checkpoint_files import read_safetensors
from rnass.config import from_mapping, to_json
from rnass.errors import ConfigError, OutputError
from rnass.files import (
    is_file,
    is_there,
    make_folder,
    read_json,
    reason,
    write_atomically,
    write_text,
)
from rnass.training.config import FitConfig, PretrainConfig, TrainConfig, decisive

__all__ = ["RunFolder"]

_RESULTS = ("backbone.safetensors", "energies.par", "model.safetensors")
_SUM = "sha256 of {}"  # key in the state


class RunFolder:
    """Where a run keeps its configuration, its log and the state that it goes on from.

    Args:
        path: of the folder, which is made.
        config: the whole configuration. Settings that only control how a run goes on may differ from
            those of the state, see `decisive`; keys it was begun without have their defaults.
        inputs: the sha256 of what the run reads, by the words for it in messages; see `checksums`.
        writes: this process writes; of several, one does.

    Raises:
        OutputError: the folder cannot be made, or holds a state or weights without a config.json.
        ConfigError: they are of a run with another configuration, or config.json is not one.
    """

    def __init__(
        self,
        path: Path,
        config: FitConfig | PretrainConfig | TrainConfig,
        inputs: Mapping[str, str] | None = None,
        *,
        writes: bool = True,
    ) -> None:
        self.path, self.inputs, self.writes = path, inputs or {}, writes
        self.state_file, self.log_file = path / "state.safetensors", path / "log.jsonl"
        make_folder(path)
        kept = path / "config.json"
        made = [name for name in (self.state_file.name, *_RESULTS) if is_there(path / name)]
        if is_there(kept):
            begun = from_mapping(type(config), read_json(kept, error=ConfigError), str(kept))
            if made and decisive(begun) != decisive(config):
                raise ConfigError(
                    f"{kept}: begun with another configuration; expected the same or a new folder"
                )
        elif made:
            raise OutputError(f"{path / made[0]}: there without a config.json; expected a new folder")
        if writes and not made:
            write_text(kept, to_json(config))

    def log(self, values: dict[str, int | float]) -> None:
        """Add a line to the log; raises OutputError."""
        if self.writes:
            with _written(self.log_file), self.log_file.open("a", encoding="utf-8") as log:
                log.write(json.dumps(values) + "\n")

    def cut_log(self, step: int) -> None:
        """Drop what a run that was killed has logged of steps beyond *step*; raises OutputError."""
        if self.writes and is_file(self.log_file):
            with _written(self.log_file):
                text = self.log_file.read_text(encoding="utf-8", errors="replace")
            kept = "".join(line for line in text.splitlines(keepends=True) if _until(line, step))
            if kept != text:
                write_text(self.log_file, kept)

    def save(self, tensors: dict[str, Tensor], numbers: dict[str, int | float]) -> None:
        """Replace the state, whole or not at all."""
        if self.writes:
            contiguous = {key: tensor.cpu().contiguous().clone() for key, tensor in tensors.items()}
            values = {key: str(value) for key, value in numbers.items()}
            values |= {_SUM.format(name): value for name, value in self.inputs.items()}
            with write_atomically(self.state_file) as file:
                file.write(save(contiguous, values))

    def state(self) -> tuple[dict[str, Tensor], dict[str, str]] | None:
        """Tensors (on the processor) and numbers as `save` wrote them; None where nothing was saved.

        Raises:
            CheckpointError: the file cannot be read.
            ConfigError: it is of a run that read something else.
        """
        if not is_file(self.state_file):
            return None
        numbers, tensors = read_safetensors(self.state_file)
        for name, value in self.inputs.items():
            if numbers.get(_SUM.format(name), value) != value:
                raise ConfigError(
                    f"{self.state_file}: begun with another content of {name}; expected the same or a "
                    "new folder"
                )
        return tensors, numbers


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: {reason(error)}; expected a file that can be written") from error


def _until(line: str, step: int) -> bool:
    """Whether a line of the log is whole, and of that step or one before."""
    with suppress(ValueError, LookupError, TypeError):
        return line.endswith("\n") and bool(json.loads(line)["step"] <= step)
    return False
