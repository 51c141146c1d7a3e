"""Temperature and salt concentration at which an RNA folds. Imports neither ViennaRNA nor torch."""

from dataclasses import dataclass
from numbers import Real

from rnass.errors import ConfigError

__all__ = ["SALT", "STANDARD", "TEMPERATURE", "Conditions"]

TEMPERATURE = 37.0
"""Of the energy parameters, in degrees Celsius."""

SALT = 1.021
"""Of the energy parameters, in mol/l of NaCl."""

_TEMPERATURES = (0.0, 100.0)  # beyond, energies that grow linearly with temperature mean nothing
_SALTS = (0.001, 10.0)  # at less, ViennaRNA's corrections exclude every structure


@dataclass(frozen=True)
class Conditions:
    """The conditions of a fold.

    ViennaRNA rescales energies to another temperature by their enthalpies (Mathews et al. 2004,
    doi:10.1073/pnas.0401799101), and to another salt concentration by the electrostatics of a charged
    rod (Yao et al. 2023, doi:10.1186/s13015-023-00236-0).

    Attributes:
        temperature: in degrees Celsius, 0 to 100.
        salt: concentration of NaCl in mol/l, 0.001 to 10.

    Raises:
        ConfigError: one of them is no number or out of range.
    """

    temperature: float = TEMPERATURE
    salt: float = SALT

    def __post_init__(self) -> None:
        for name, value, (least, most), unit in (
            ("temperature", self.temperature, _TEMPERATURES, "C"),
            ("salt", self.salt, _SALTS, "M"),
        ):
            if not isinstance(value, Real):
                raise ConfigError(f"{name}: {value!r}; expected a number")
            if not least <= value <= most:  # nor is NaN
                raise ConfigError(f"{name}: {value:g} {unit}; expected {least:g} to {most:g} {unit}")

    @property
    def standard(self) -> bool:
        """Whether they are those of the energy parameters and of the network's training."""
        return self == STANDARD

    def __str__(self) -> str:
        return f"{self.temperature:g} C, {self.salt:g} M NaCl"


STANDARD = Conditions()
"""37 C and 1.021 M NaCl."""
