"""The published RNA language models: facts about each, and how one is found by path or by name.

Facts as of the authors' pages and papers; the licence is that of the weights.
"""

from dataclasses import dataclass
from pathlib import Path

from rnass.errors import CheckpointError
from rnass.files import is_file, is_folder
from rnass.programs import import_package

__all__ = ["PUBLISHED", "Found", "Published", "find_checkpoint", "published"]


@dataclass(frozen=True)
class Published:
    """One published backbone.

    Attributes:
        name: for `--backbone`.
        family: one of `rnass.backbone.checkpoints.FAMILIES`.
        licence: of the weights, with what it forbids.
        parameters: in millions.
        context: longest RNA it was made for, with the unit.
        repository: on the Hugging Face Hub; None where there is none.
        files: what to put into a folder, or to name, to use it without a network.
        source: where to get them.
        citation: of the paper.
    """

    name: str
    family: str
    licence: str
    parameters: float
    context: str
    repository: str | None
    files: tuple[str, ...]
    source: str
    citation: str


@dataclass(frozen=True)
class Found:
    """A checkpoint on disk.

    Attributes:
        path: file or folder for `read_stored_model`.
        family: of a published one; None for a path.
        revision: the commit on the Hub it was fetched from; None for a path.
    """

    path: Path
    family: str | None = None
    revision: str | None = None


_RNA_FM = "Chen et al. 2022, arXiv:2204.00300"
_RNABERT = "Akiyama and Sakakibara 2022, doi:10.1093/nargab/lqac012"
_AIDO = "Zou et al. 2024, doi:10.1101/2024.11.28.625345"
_PLANT = "Yu et al. 2024, doi:10.1038/s42256-024-00946-z"

_MIT = "MIT"
_AGPL = "AGPL-3.0, as multimolecule claims for its conversions"
_GENBIO = "GenBio AI Community Licence: non-commercial"
_NONE = "none stated"

_HUB = "https://huggingface.co/"
_FOLDER = ("config.json", "model.safetensors", "vocab.txt")
_GENBIO_FILES = ("config.json", "pytorch_model.bin or its shards")


def _on_hub(name: str, family: str, licence: str, size: tuple[float, str], citation: str) -> Published:
    """A folder of the Hub's usual files, under the repository's own name."""
    files = _GENBIO_FILES if licence == _GENBIO else _FOLDER
    return Published(name, family, licence, *size, name, files, _HUB + name, citation)


def _pth(name: str, parameters: float, context: str, file: str) -> Published:
    """One of the two official checkpoints of the RNA-FM repository."""
    hub = "cuhkaih/rnafm"
    return Published(name, name, _MIT, parameters, context, hub, (file,), _HUB + hub, _RNA_FM)


PUBLISHED = (
    _pth("rna-fm", 99.5, "1022 nt", "RNA-FM_pretrained.pth"),
    _pth("mrna-fm", 239.0, "1022 codons", "mRNA-FM_pretrained.pth"),
    _on_hub("yangheng/PlantRNA-FM", "plantrna-fm", _MIT, (34.0, "510 nt"), _PLANT),
    Published(
        name="rnabert",
        family="rnabert",
        licence=_NONE,
        parameters=0.5,
        context="440 nt",
        repository=None,
        files=("the .pth of the pre-trained model",),
        source="https://github.com/mana438/RNABERT",
        citation=_RNABERT,
    ),
    _on_hub("genbio-ai/AIDO.RNA-650M", "aido-rna", _GENBIO, (648.0, "1022 nt"), _AIDO),
    _on_hub("genbio-ai/AIDO.RNA-1.6B", "aido-rna", _GENBIO, (1650.0, "1022 nt"), _AIDO),
    _on_hub("multimolecule/rnafm", "rna-fm", _AGPL, (99.5, "1022 nt"), _RNA_FM),
    _on_hub("multimolecule/mrnafm", "mrna-fm", _AGPL, (239.0, "1022 codons"), _RNA_FM),
    _on_hub("multimolecule/rnabert", "rnabert", _AGPL, (0.5, "438 nt"), _RNABERT),
    _on_hub("multimolecule/aido.rna-650m", "aido-rna", _AGPL, (648.0, "1022 nt"), _AIDO),
    _on_hub("multimolecule/aido.rna-1.6b", "aido-rna", _AGPL, (1650.0, "1022 nt"), _AIDO),
)
"""In the order in which `rnass backbones` lists them."""


def published(name: str) -> Published:
    """The published backbone of that name, upper or lower case alike; raises CheckpointError."""
    for one in PUBLISHED:
        if one.name.lower() == name.lower():
            return one
    known = ", ".join(one.name for one in PUBLISHED)
    raise CheckpointError(
        f"backbone {name!r}: neither a file or folder nor known; expected one of {known}"
    )


def find_checkpoint(path_or_name: str) -> Found:
    """The checkpoint at a path, or of a published name: from the Hub's cache, or fetched into it.

    Raises:
        CheckpointError: no such path or name, or the Hub cannot be reached; names the files to put
            where.
        DependencyError: a name that needs huggingface_hub, which is not installed.
    """
    if is_file(path := Path(path_or_name)) or is_folder(path):
        return Found(path)
    one = published(path_or_name)
    if one.repository is None:
        raise CheckpointError(f"backbone {one.name}: not on the Hub; expected {_by_hand(one)}")
    expected = f"it (pip install huggingface-hub), or {_by_hand(one)}"
    hub = import_package("huggingface_hub", f"backbone {one.name}", expected)
    try:
        folder = Path(hub.snapshot_download(one.repository, allow_patterns=_wanted(one)))
    except Exception as error:  # offline, refused, renamed: the way out is the same
        raise CheckpointError(
            f"backbone {one.name}: cannot be fetched: {error}; expected a network, or {_by_hand(one)}"
        ) from error
    single = one.files[0].endswith(".pth")
    return Found(folder / one.files[0] if single else folder, one.family, folder.name)


def _by_hand(one: Published) -> str:
    return (
        f"{' and '.join(one.files)} from {one.source} in a folder, and that folder (or the .pth itself) "
        "given instead of the name"
    )


def _wanted(one: Published) -> list[str]:
    """Patterns of the files to fetch: never the same weights in two formats."""
    if one.files[0].endswith(".pth"):
        return [one.files[0]]
    return ["*.json", "*.txt", "*.bin" if one.files is _GENBIO_FILES else "*.safetensors"]
