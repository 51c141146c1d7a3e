"""Whether shipped files are as they were released: their sha256 beside the one in manifest.json.

`manifest.json` lies in the folder of the files and holds one object per file name.
"""

import hashlib
from pathlib import Path
from typing import Any

from rnass.errors import CheckpointError
from rnass.files import is_file, read_json, sha256

__all__ = ["MANIFEST", "SHIPPED", "check_content", "manifest_entry", "verdict"]

MANIFEST = "manifest.json"
"""Name of the file that lists the others of its folder."""

SHIPPED = (Path(__file__).parent / "_weights", Path(__file__).parents[1] / "weights")
"""Folders of shipped files, in the order of the search: of the installed package, of the checkout."""


def manifest_entry(path: Path) -> dict[str, Any]:
    """The entry of a file in the manifest beside it; empty where there is none.

    Raises:
        CheckpointError: the manifest cannot be read, or is not a JSON object of objects.
    """
    manifest = path.parent / MANIFEST
    if not is_file(manifest):
        return {}
    entry = read_json(manifest, error=CheckpointError).get(path.name, {})
    if not isinstance(entry, dict) or not isinstance(entry.get("sha256", ""), str):
        raise CheckpointError(f"{manifest}: {path.name}: expected a JSON object with its sha256")
    return entry


def check_content(path: Path, content: bytes) -> bool:
    """Compare the bytes of a file with the manifest beside it; False where that has no entry.

    Raises:
        CheckpointError: the bytes are not those of the release.
    """
    expected = manifest_entry(path).get("sha256")
    if expected is None:
        return False
    if expected != hashlib.sha256(content).hexdigest():
        raise CheckpointError(
            f"{path}: altered or damaged, its sha256 differs; expected {expected} as in {MANIFEST}"
        )
    return True


def verdict(path: Path) -> str:
    """Whether a file is as released: `as in manifest.json`, `ALTERED: ...` or `not checked: ...`."""
    expected = manifest_entry(path).get("sha256")
    if expected is not None:
        altered = f"ALTERED: {MANIFEST} has {expected}"
        return f"as in {MANIFEST}" if expected == sha256(path) else altered
    listed = is_file(path.parent / MANIFEST)
    return f"not checked: {f'no entry in {MANIFEST}' if listed else f'no {MANIFEST} beside it'}"
