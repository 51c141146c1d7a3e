"""ViennaRNA's energy parameters: the sets there are, their files, verification, loading.

Energies are in kcal/mol, at 37 C and 1.021 M NaCl unless other conditions are given. The tables are
variables of the whole process in ViennaRNA, so a set is loaded under a lock, scaled, and given to each
fold compound by hand; those of Turner 2004 stay.
"""

import hashlib
import logging
from collections.abc import Callable
from functools import cache, lru_cache
from threading import Lock
from typing import Any

import RNA

from rnass.errors import CheckpointError, ConfigError
from rnass.files import is_file
from rnass.manifest import MANIFEST, SHIPPED, check_content
from rnass.thermodynamics.conditions import STANDARD, Conditions
from rnass.thermodynamics.energies import Energies

__all__ = [
    "DEFAULT_PARAMETERS",
    "GLOBAL_STATE",
    "OWN_ENERGIES",
    "OWN_NAME",
    "PARAMETER_SETS",
    "TURNER_2004",
    "Scaled",
    "fingerprint",
    "parameter_text",
    "scaled",
    "scaled_text",
    "version",
]

log = logging.getLogger("rnass")

Scaled = tuple[Any, Any, Any]
"""Model details, energies and Boltzmann weights of a parameter set, as ViennaRNA holds them."""

DEFAULT_PARAMETERS = "turner2004"
"""The set of the minimum free energy structure and of `free_energy.energy`."""

OWN_NAME = "rnass2026"
"""The set that `rnass fit` made of Turner 2004's, for 37 C and 1.021 M NaCl only; see
`rnass.training.energies`."""

_PLACES = [folder / f"{OWN_NAME}.par" for folder in SHIPPED]
OWN_ENERGIES = next(filter(is_file, _PLACES), _PLACES[-1])
"""The ViennaRNA parameter file of `OWN_NAME`: that of the installed package, else of the checkout."""

TURNER_2004: str = RNA.parameter_set_rna_turner2004
"""The default parameters as a ViennaRNA parameter file."""

GLOBAL_STATE = Lock()
"""Held while variables of the whole process in ViennaRNA are changed: energy tables, plot type."""


def _own_text() -> str:
    """The file of rnass's own energies, verified against the manifest beside it."""
    try:
        content = OWN_ENERGIES.read_bytes()
        checked = check_content(OWN_ENERGIES, content)
        text = content.decode()
        Energies.from_text(text)  # ViennaRNA crashes on some damaged files
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        raise CheckpointError(f"{OWN_ENERGIES}: {error}; expected rnass's energies") from error
    if not checked:
        log.warning("%s: not checked, as no %s beside it has an entry for it", OWN_ENERGIES, MANIFEST)
    return text


PARAMETER_SETS: dict[str, Callable[[], str]] = {
    "turner2004": lambda: TURNER_2004,
    "andronescu2007": lambda: str(RNA.parameter_set_rna_andronescu2007),
    "langdon2018": lambda: str(RNA.parameter_set_rna_langdon2018),
    OWN_NAME: _own_text,
}
"""The parameter file of each set: Mathews et al. 2004 (doi:10.1073/pnas.0401799101), Andronescu et al.
2007 (doi:10.1093/bioinformatics/btm223), Langdon, Petke & Lorenz 2018 (EuroGP), and rnass's own."""


def version() -> str:
    """The version of ViennaRNA."""
    return str(RNA.__version__)


@cache
def parameter_text(name: str) -> str:
    """The ViennaRNA parameter file of a set.

    Raises:
        ConfigError: an unknown set.
        CheckpointError: the file of rnass's own energies is missing, altered or damaged.
    """
    if name not in PARAMETER_SETS:
        raise ConfigError(
            f"parameters: {name!r} is unknown; expected one of {', '.join(PARAMETER_SETS)}"
        )
    return PARAMETER_SETS[name]()


def fingerprint(name: str) -> str:
    """A digest of what decides a set's base-pair probabilities: its file, ViennaRNA's version."""
    return hashlib.blake2b(f"{version()}\n{parameter_text(name)}".encode(), digest_size=8).hexdigest()


@lru_cache(maxsize=32)
def scaled(name: str, max_span: int | None = None, conditions: Conditions = STANDARD) -> Scaled:
    """A parameter set ready for fold compounds; raises what `parameter_text` raises.

    Args:
        name: of `PARAMETER_SETS`.
        max_span: most bases that a pair spans, both ends counted; None for no bound.
        conditions: to which the energies are rescaled.

    Raises:
        ConfigError: rnass's own energies at other conditions than those that they were fitted for.
    """
    if name == OWN_NAME and not conditions.standard:
        raise ConfigError(
            f"parameters: {OWN_NAME} at {conditions}; expected {STANDARD}, as it has no enthalpies"
        )
    return _scaled(parameter_text(name), name, max_span, conditions)


def scaled_text(text: str, *, sampled: bool = False) -> Scaled:
    """The parameters of a file's text at 37 C; *sampled*: structures are to be sampled with them.

    Raises:
        ConfigError: the text is no ViennaRNA parameter file.
    """
    return _scaled(text, "given", sampled=sampled)


def _scaled(
    text: str,
    name: str,
    max_span: int | None = None,
    conditions: Conditions = STANDARD,
    *,
    sampled: bool = False,
) -> Scaled:
    with GLOBAL_STATE:
        try:
            _load(text, name)
            model = RNA.md()
            model.max_bp_span = max_span or -1
            model.uniq_ML = int(sampled)
            model.temperature, model.salt = conditions.temperature, conditions.salt
            return model, RNA.param(model), RNA.exp_param(model)
        finally:
            _load(TURNER_2004, DEFAULT_PARAMETERS)


def _load(text: str, name: str) -> None:
    """Load parameters so that they take effect.

    ViennaRNA 2.7.2 keeps the last energies it scaled and hands them out again for the same model
    details, even after another set was loaded; scaling once for another temperature displaces them.
    """
    if not RNA.params_load_from_string(text, name):
        raise ConfigError(f"parameters {name}: ViennaRNA cannot read them; expected a parameter file")
    other = RNA.md()
    other.temperature += 1
    RNA.param(other)
    RNA.exp_param(other)
