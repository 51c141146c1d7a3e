"""Begin to fold a few long RNAs while torch is imported, which takes longer than to fold 500 bases."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from rnass.config import MixtureConfig, ModelConfig, from_mapping
from rnass.errors import RnassError
from rnass.files import is_file
from rnass.io import read_fasta
from rnass.manifest import manifest_entry
from rnass.rna import Rna
from rnass.thermodynamics.folding import FoldInput, folding_early
from rnass.thermodynamics.parameter_sets import OWN_ENERGIES

__all__ = ["early_folds"]

_MOST_BYTES = 100_000  # of a file: it is read once more later
_MOST_RNAS = 8
_SHORT, _LONG = 300, 4000  # bases; a shorter RNA is folded before a process has started
_OTHERWISE = ("constraints", "shape", "baseline", "backbone", "resume")  # options that change the folds
_DEFAULT = "base"


@contextmanager
def early_folds(
    paths: Sequence[str], sequence: str | None, options: Mapping[str, Any]
) -> Iterator[None]:
    """Fold the RNAs in worker processes from now on, if they are few, long and without restraints.

    Which energies the network reads is known of shipped weights alone, by their manifest. Nothing is
    reported: a problem is found again where the RNAs are read to be predicted.

    Args:
        paths: FASTA files.
        sequence: an RNA as text.
        options: of `rnass.jobs.predict.PredictOptions`.
    """
    inputs: list[FoldInput] = []
    sets: tuple[str, ...] = ()
    if options["threads"] != 1 and options["thermodynamics"] and not any(map(options.get, _OTHERWISE)):
        try:
            inputs = [
                FoldInput(rna.text, mfe_bpp=options["plot"] is not None)
                for rna in _few_and_long(paths, sequence)
            ]
            sets = _parameter_sets(options["weights"] or _DEFAULT)
        except (OSError, RnassError, ValueError):
            inputs = []
    with folding_early(inputs, sets) if inputs and sets else nullcontext():
        yield


def _few_and_long(paths: Sequence[str], sequence: str | None) -> list[Rna]:
    """The RNAs of the input that are worth it; none if it is more than a few."""
    if any(not is_file(path) or Path(path).stat().st_size > _MOST_BYTES for path in paths):
        return []
    rnas = [Rna.from_text(sequence)] if sequence is not None else []
    for path in paths:
        rnas += read_fasta(path)[0]
    return [rna for rna in rnas if _SHORT <= len(rna) <= _LONG] if len(rnas) <= _MOST_RNAS else []


def _parameter_sets(weights: str) -> tuple[str, ...]:
    """The sets that shipped weights read; none for others."""
    config = manifest_entry(OWN_ENERGIES.parent / f"rnass-{weights}.safetensors").get("config", {})
    if "experts" in config:
        return from_mapping(MixtureConfig, config).parameter_sets
    return from_mapping(ModelConfig, config).parameter_sets if config else ()
