"""`rnass fit`, `rnass pretrain`, `rnass train` and `rnass combine`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rnass.cli import shared
from rnass.cli.options import set_threads

__all__ = ["combine", "fit", "pretrain", "train"]


ConfigFile = Annotated[Path, typer.Argument(help="TOML file of settings; configs/ holds some.")]
RunFolder = Annotated[
    Path,
    typer.Option("--out", "-o", help="Folder for the run; one that was interrupted there goes on."),
]

FoldingProcesses = Annotated[
    int, typer.Option(help="Worker processes that fold the data by ViennaRNA; 0: none.", min=0)
]


def pretrain(
    config: ConfigFile,
    out: RunFolder,
    device: shared.Device = "auto",
    threads: shared.Threads = 0,
) -> None:
    """Pre-train an RNA language model (a backbone): to guess masked bases, and structures."""
    from rnass.config import read_toml
    from rnass.training.config import PretrainConfig
    from rnass.training.pretrain import pretrain as run

    settings = read_toml(PretrainConfig, config)
    typer.echo(run(settings, out, _training_device(device, threads)))


def train(
    config: ConfigFile,
    out: RunFolder,
    backbone: Annotated[
        str | None,
        typer.Option(
            help="RNA language model, instead of the configuration's: a path, or a name of rnass backbones."
        ),
    ] = None,
    family: shared.Family = None,
    u_as: shared.UAs = None,
    task: Annotated[
        Literal["contact", "token", "sequence"],
        typer.Option(
            help="What is trained: contact, base pairs; token, a label of each base or codon; sequence, a "
            "label of each RNA."
        ),
    ] = "contact",
    device: shared.Device = "auto",
    threads: shared.Threads = 0,
    processes: FoldingProcesses = 0,
) -> None:
    """Train the network that predicts base pairs (a contact head on a backbone), and calibrate it.

    With --task token or sequence: train a small head on frozen embeddings, and print its scores; rnass
    label uses it.
    """
    from rnass.config import read_toml
    from rnass.training.config import ProbeConfig, TrainConfig

    given = {"backbone": backbone, "family": family, "u_as": u_as}
    chosen = {key: value for key, value in given.items() if value}
    if task != "contact":
        from rnass.training.probe import train_probe

        probe = read_toml(ProbeConfig, config, chosen | {"task": task})
        typer.echo(train_probe(probe, out, _training_device(device, threads)), nl=False)
        return
    from rnass.training.contact import train as run

    settings = read_toml(TrainConfig, config, chosen)
    typer.echo(run(settings, out, _training_device(device, threads), processes))


def fit(
    config: ConfigFile,
    out: RunFolder,
) -> None:
    """Fit ViennaRNA's energy parameters to known structures; writes a parameter file for 37 C."""
    from rnass.config import read_toml
    from rnass.training.config import FitConfig
    from rnass.training.energies import fit as run

    typer.echo(run(read_toml(FitConfig, config), out))


def combine(
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", "-o", help="Weights file to write.")],
    device: shared.Device = "auto",
    threads: shared.Threads = 0,
    processes: FoldingProcesses = 0,
    overwrite: shared.OverwriteFiles = False,
) -> None:
    """Combine trained contact models into an ensemble in one weights file, and calibrate it."""
    from rnass.config import read_toml
    from rnass.files import check_target, make_folder
    from rnass.network.weights import find_weights
    from rnass.training.combine import combine as run
    from rnass.training.config import CombineConfig

    settings = read_toml(CombineConfig, config)
    experts = map(find_weights, settings.experts)
    data = (*settings.trained, *settings.profiles, *settings.valid)
    check_target(out, (config, *experts, *data), overwrite=overwrite)
    make_folder(out.parent)
    run(settings, out, _training_device(device, threads), processes)
    typer.echo(out)


def _training_device(device: shared.Device, threads: int) -> Any:
    """The device of this process, with memory and threads set for a long run."""
    from rnass.network.device import choose_device
    from rnass.network.heap import keep_freed_memory
    from rnass.training.processes import own_device

    keep_freed_memory()
    set_threads(threads)
    return own_device(choose_device(device))
