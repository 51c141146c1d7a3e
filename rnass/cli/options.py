"""Panels of options, --quiet and --verbose of every command, and what commands do with options."""

import logging
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial, wraps
from inspect import Parameter, signature
from itertools import pairwise
from typing import Annotated, Any, TextIO, TypeVar

import typer
from typer.core import TyperCommand, TyperOption

from rnass.errors import visible

__all__ = [
    "Commands",
    "in_decoding",
    "in_input",
    "in_model",
    "in_output",
    "in_restraints",
    "in_run",
    "listed",
    "log_to_stderr",
    "paths_of",
    "set_threads",
    "take_decoding",
]

F = TypeVar("F", bound=Callable[..., Any])

# the panels of a command's help
_PANELS = ("Input", "Output", "Model", "Decoding", "Restraints and probing", "Run")
in_input, in_output, in_model, in_decoding, in_restraints, in_run = (
    partial(typer.Option, rich_help_panel=panel) for panel in _PANELS
)


Quiet = Annotated[bool, in_run("--quiet", "-q", help="Errors only.")]
Verbose = Annotated[bool, in_run("--verbose", help="Details too, and where an error comes from.")]


class _Command(TyperCommand):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer's; refuses empty text, which an unset variable of a shell leaves.

        Also an option of one value that stands twice, of which the first would have no effect.
        """
        for before, given in pairwise([self.name or "", *args]):
            if not given or (given.startswith("--") and given.endswith("=")):
                raise typer.BadParameter(f"{given or before}: empty; expected a value", ctx=ctx)
        *_, order = self.make_parser(ctx).parse_args(args=[*args])
        for option, times in Counter(order).items():
            single = isinstance(option, TyperOption) and not (option.multiple or option.is_flag)
            if single and times > 1:
                raise typer.BadParameter(f"{option.opts[0]}: given twice; expected it once", ctx=ctx)
        return super().parse_args(ctx, args)


class Commands(typer.Typer):
    """Commands that also take --quiet and --verbose, for their log."""

    def command(self, name: str | None = None, **settings: Any) -> Callable[[F], F]:
        """As Typer's."""

        def register(function: F) -> F:
            @wraps(function)
            def run(*, quiet: bool, verbose: bool, **given: Any) -> Any:
                log_to_stderr(quiet=quiet, verbose=verbose)
                return function(**given)

            flags = {"quiet": Quiet, "verbose": Verbose}
            own = signature(function)
            added = [
                Parameter(flag, Parameter.POSITIONAL_OR_KEYWORD, default=False, annotation=kind)
                for flag, kind in flags.items()
            ]
            run.__annotations__ = {**function.__annotations__, **flags}
            run.__signature__ = own.replace(  # type: ignore[attr-defined]  # what inspect looks for
                parameters=[*own.parameters.values(), *added]
            )
            super(Commands, self).command(name, cls=_Command, **settings)(run)
            return function

        return register


class _Visible(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the moment: a progress bar stands in for it, and steps aside."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)  # the other one's would keep today's

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def log_to_stderr(*, quiet: bool, verbose: bool = False) -> None:
    """Send messages to standard error: information and warnings, errors only, or details too."""
    handler = _StandardError()
    handler.setFormatter(_Visible("rnass: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # of other packages only warnings are of interest
    level = logging.ERROR if quiet else logging.DEBUG if verbose else logging.INFO
    logging.getLogger("rnass").setLevel(level)


def set_threads(threads: int) -> None:
    """Let the network use so many processor threads; 0: as many as it would."""
    import torch

    if threads:
        torch.set_num_threads(threads)


def paths_of(inputs: list[str] | None, sequence: str | None) -> list[str]:
    """The files of a command line; one that names no RNA is refused."""
    if not inputs and sequence is None:
        raise typer.BadParameter("no input: name FASTA files, - for standard input, or --sequence")
    return inputs or []


def listed(texts: list[str] | None) -> tuple[str, ...]:
    """The distinct values of an option that may be repeated and may have commas between values.

    >>> listed(["ct, dbn", "ct", "npy"])
    ('ct', 'dbn', 'npy')
    """
    values = (part.strip() for text in texts or () for part in text.split(","))
    return tuple(dict.fromkeys(value for value in values if value))


def take_decoding(given: dict[str, Any]) -> dict[str, Any]:
    """Take the options of decoding out of those given: the settings to put over those of the weights.

    Contradictory ones are refused.
    """
    settings = {
        name: value
        for name in ("decoder", "min_helix", "max_order", "max_span")
        if (value := given.pop(name, None)) is not None
    }
    threshold = given.pop("threshold")
    if threshold != "auto":
        try:
            settings["threshold"] = float(threshold)
        except ValueError:
            raise typer.BadParameter(f"threshold {threshold!r}; expected auto or a number") from None
        if not 0 < settings["threshold"] < 1:
            raise typer.BadParameter(f"threshold {threshold}; expected a number between 0 and 1")
    if (noncanonical := given.pop("noncanonical")) is not None:
        settings["canonical"] = not noncanonical
    if given.pop("no_pseudoknots", False):
        if "max_order" in settings:
            raise typer.BadParameter("--no-pseudoknots and --max-order; expected one of them")
        settings["max_order"] = 0  # of the matching, the best nested structure
    if given.pop("exact", False):
        if (decoder := settings.get("decoder", "matching")) != "matching":
            raise typer.BadParameter(f"--exact: not with --decoder {decoder}; expected matching")
        settings["exact"] = True
    return settings
