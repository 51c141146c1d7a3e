"""The options of `rnass evaluate` and `rnass compare`, and the methods that they name."""

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from pathlib import Path

from rnass.errors import ConfigError
from rnass.evaluation.methods import Methods
from rnass.network.heap import keep_freed_memory
from rnass.prediction.limits import MAX_LENGTH
from rnass.prediction.options import ModelOptions
from rnass.prediction.restraints import RestraintOptions
from rnass.prediction.windows import Windows
from rnass.structure import Structure

__all__ = ["EvaluateOptions", "MethodOptions", "load_methods"]


@dataclass(frozen=True, kw_only=True)
class MethodOptions(ModelOptions):
    """The methods, and how they predict.

    Attributes:
        predictions: file or folder of each other program, by the name of the method.
        rnass, vienna: whether these are among the methods.
        also: further decoders of rnass's map, each a method of its own.
        overwrite: replace the files of an earlier run in the folder.
    """

    predictions: Mapping[str, Path] = field(default_factory=dict)
    rnass: bool = True
    vienna: bool = True
    also: tuple[str, ...] = ()
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(MethodOptions, RestraintOptions):
    """The methods, the records they are judged on, and the restraints on these.

    Attributes:
        columns, max_length, limit: see `rnass.evaluation.read_references`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    max_length: int | None = None
    limit: int | None = None


def load_methods(
    options: MethodOptions, others: Mapping[str, Items[Structure | None]] | None = None
) -> Methods:
    """The methods of the options; *others* are the structures of other programs, by name.

    Raises:
        ConfigError: no method, one name twice, or decoders of a map that is not computed.
        CheckpointError: the weights are not there, or altered.
    """
    predictor = None
    if options.also and not options.rnass:
        raise ConfigError("--also: decodes rnass's map; expected rnass among the methods")
    if options.rnass:
        keep_freed_memory()
        predictor = options.load(baseline=options.vienna, windows=Windows(most=MAX_LENGTH))
    methods = Methods(predictor, thermodynamic=options.vienna, also=options.also, others=others)
    if not methods.names:
        raise ConfigError("no method to judge; expected rnass, ViennaRNA or --predictions NAME=PATH")
    if twice := methods.decoded_from.keys() & methods.others.keys():
        raise ConfigError(f"--predictions: the name {twice.pop()!r} is taken; expected another")
    return methods
