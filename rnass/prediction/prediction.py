"""The prediction of one RNA: the map, the structure, and what people want of both."""

from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from rnass.config import DecodingConfig
from rnass.decoding import Alternative, alternatives, base_confidence, expected_f1
from rnass.errors import InputError, StructureError, counted
from rnass.files import make_folder
from rnass.io import file_names, write_bpseq, write_ct, write_dot_bracket, write_map
from rnass.prediction import limits
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.folding import Folded
from rnass.thermodynamics.free_energy import IMPOSSIBLE
from rnass.thermodynamics.free_energy import energy as free_energy

if TYPE_CHECKING:
    from rnass.figures import Axes, Look

__all__ = ["Kind", "Prediction"]

Kind = Literal["arcs", "drawing", "map"]
"""Of a figure, see `rnass.prediction.drawing`."""


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """The prediction of one RNA.

    Attributes:
        rna: the RNA, L bases, with its restraints.
        probabilities: (L, L) float32, symmetric: the calibrated probability that two bases pair; a row
            adds up to at most 1, a pair that cannot form has 0. Sparse (scipy's csr_array) of an RNA
            of more than `rnass.prediction.limits.MAX_LENGTH` bases.
        structure: the base pairs decoded from them.
        thermodynamics: ViennaRNA's folding of the same RNA, without base-pair probabilities by the
            network's parameter sets where it was predicted in windows. Of an RNA whose maps are sparse
            there is none: its energy is NaN, its structure without pairs.
        seconds: time taken, its share of a batch.
        decoded_map: (L, L): the map that the structure was decoded from, with ViennaRNA's probabilities
            mixed in and shifted by reactivities and the family; *probabilities* itself without these.
        decoding: how it was decoded.
        windows: the number of windows that it was predicted in; 1: whole.
        energy_share: the share of ViennaRNA's log-odds in *probabilities*, in [0, 1], which the weights'
            gate chose: the larger, the less the RNA looks like those of the training data. None where
            the weights have no gate, or read no base-pair probabilities.
    """

    rna: Rna
    probabilities: NDArray[np.float32] | csr_array
    structure: Structure
    thermodynamics: Folded
    seconds: float
    decoded_map: NDArray[np.floating] | csr_array
    decoding: DecodingConfig
    windows: int = 1
    energy_share: float | None = None

    @property
    def dot_bracket(self) -> str:
        """The structure in dot-bracket, pseudoknots in further brackets, `&` between two strands."""
        return self.rna.mark(self.structure.dot_bracket)

    @property
    def sparse(self) -> bool:
        """Whether the maps are sparse, and ViennaRNA's MFE structure unknown: the RNA is too long."""
        return bool(issparse(self.probabilities))

    @property
    def maps(self) -> dict[str, NDArray[np.floating] | csr_array]:
        """*probabilities* and, where evidence changed it, *decoded_map*, by the suffix of their files.

        `.npy` and `.decoded.npy`; of a *sparse* one `.npz` and `.decoded.npz`.
        """
        end = ".npz" if self.sparse else ".npy"
        found: dict[str, NDArray[np.floating] | csr_array] = {end: self.probabilities}
        if self.decoded_map is not self.probabilities:
            found[f".decoded{end}"] = self.decoded_map
        return found

    @cached_property
    def confidence(self) -> float:
        """The F1 to be expected of the structure by the probabilities, in [0, 1]."""
        return expected_f1(self.decoded_map, self.structure)

    @cached_property
    def base_confidence(self) -> NDArray[np.float64]:
        """The probability that each base is paired, or unpaired, as in the structure, (L,)."""
        return base_confidence(self.decoded_map, self.structure)

    @cached_property
    def unpaired(self) -> NDArray[np.float64]:
        """The probability that each base is unpaired in the decoded map, (L,)."""
        return np.asarray(np.clip(1 - self.decoded_map.sum(1, dtype=np.float64), 0, 1))

    @cached_property
    def energy(self) -> float | None:
        """The free energy of the structure without its pseudoknots, in kcal/mol, by Turner 2004.

        The same energies as of the MFE, at the same conditions, without those of reactivities; None
        where they exclude a loop.
        """
        found = free_energy(self.rna.text, self.structure, self.thermodynamics.conditions)
        return found if found < IMPOSSIBLE else None

    def __repr__(self) -> str:
        pairs = counted(len(self.structure.pairs), "pair")
        sizes = f"{counted(len(self.rna), 'base')}, {pairs}"
        return f"Prediction({self.rna.id!r}: {sizes}, confidence {self.confidence:.2f})"

    def _repr_html_(self) -> str:
        """For notebooks: drawing (unless the map is sparse), sequence and structure, confidence."""
        from rnass.figures import svg_of

        lines = f"{self.rna.text}\n{self.dot_bracket}\n{self!r}"
        drawing = svg_of(self.draw("drawing")) if not self.sparse else ""
        return f"{drawing}<pre>{escape(lines)}</pre>"

    def to_dict(self) -> dict[str, Any]:
        """The prediction but for its map, as JSON or a row of a table.

        `pairs` holds i, j and the probability of each pair, 0-based; `unpaired` one value for each base;
        `structure` is None where it has more levels than dot-bracket has brackets for; `energy_kcal_mol`
        is `energy`. `temperature_celsius` and `salt_molar` are the conditions.
        """
        whole, mfe = not self.sparse, self.thermodynamics
        pairs = self.structure.pairs.tolist()
        try:
            structure = self.dot_bracket
        except StructureError:
            structure = None
        return {
            "id": self.rna.id,
            "sequence": self.rna.text,
            "structure": structure,
            "pairs": [[i, j, round(float(self.decoded_map[i, j]), 4)] for i, j in pairs],
            "unpaired": self.unpaired.round(4).tolist(),
            "confidence": round(self.confidence, 4),
            "energy_share": None if self.energy_share is None else round(self.energy_share, 4),
            "energy_kcal_mol": self.energy,
            "mfe_kcal_mol": mfe.mfe if whole else None,
            "mfe_structure": self.rna.mark(mfe.mfe_structure.dot_bracket) if whole else None,
            "temperature_celsius": mfe.conditions.temperature,
            "salt_molar": mfe.conditions.salt,
        }

    def save(self, folder: str | Path) -> list[Path]:
        """Write `NAME.ct`, `NAME.dbn`, `NAME.bpseq` and `maps`, as `rnass predict` does.

        NAME is the RNA's id as a safe file name. Files of that name are replaced.

        Returns:
            the paths of the files.

        Raises:
            OutputError: the folder or a file cannot be written.
            StructureError: dot-bracket has too few kinds of brackets.
        """
        make_folder(folder)
        stem = Path(folder) / file_names([self.rna.id])[0]
        maps = {stem.with_name(f"{stem.name}{suffix}"): one for suffix, one in self.maps.items()}
        ct, dbn, bpseq = (stem.with_name(f"{stem.name}{suffix}") for suffix in (".ct", ".dbn", ".bpseq"))
        write_ct(ct, self.rna, self.structure)
        write_dot_bracket(dbn, [(self.rna, self.structure)])
        write_bpseq(bpseq, self.rna, self.structure)
        for path, one in maps.items():
            write_map(path, one)
        return [ct, dbn, bpseq, *maps]

    def draw(
        self, kind: Kind = "arcs", *, look: "Look | None" = None, axes: "Axes | None" = None
    ) -> "Axes":
        """Draw it as arcs, as a drawing in the plane or as a map; see `rnass.prediction.drawing`."""
        from rnass.prediction.drawing import draw  # matplotlib takes half a second to load

        return draw(self, kind, look=look, axes=axes)

    def alternatives(self, n: int) -> list[Alternative]:
        """Up to *n* distinct structures, the predicted one first; see `rnass.decoding.suboptimal`.

        Raises:
            InputError: its map is sparse.
        """
        if self.sparse:
            raise InputError(
                f"{self.rna.id}: suboptimal structures of {counted(len(self.rna), 'base')}; expected at "
                f"most {limits.MAX_LENGTH}"
            )
        return alternatives(
            self.decoded_map,
            self.rna.bases,
            n,
            self.decoding,
            constraints=self.rna.constraints,
            nick=self.rna.nick,
        )
