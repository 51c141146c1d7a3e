"""How a run was made, and what its reader must know: from run.json and summary.tsv."""

from collections.abc import Iterable, Mapping
from typing import Any

import rnass
from rnass.errors import ExitStatus

__all__ = ["facts_of", "warnings_of"]


def facts_of(run: Mapping[str, Any], records: str) -> list[tuple[str, str]]:
    """How a run was made, in the order it is read; *records* is how many there are."""
    weights, decoding, versions, options = (
        _mapping(run, name) for name in ("weights", "decoding", "versions", "options")
    )
    inputs = run.get("inputs")
    facts = [
        ("records", records),
        ("started", run.get("started", "")),
        ("time", f"{run['seconds']:.0f} s" if isinstance(run.get("seconds"), int | float) else ""),
        ("inputs", ", ".join(map(str, inputs)) if isinstance(inputs, list) else ""),
        ("weights", f"{weights.get('file', '')} {str(weights.get('sha256', ''))[:12]}".strip()),
        ("decoder", ", ".join(f"{k} {decoding[k]}" for k in ("decoder", "threshold") if k in decoding)),
        ("restraints", _restraints(run)),
        ("families", _mapping(run, "families").get("file", "")),
        ("conditions", run.get("conditions", "")),
        ("alternatives", options.get("alternatives") or ""),
        ("versions", ", ".join(f"{k} {v}" for k, v in versions.items())),
        ("device", str(run.get("device", ""))),
        ("page", f"rnass {rnass.__version__}"),
    ]
    return [(name, str(value)) for name, value in facts if value]


def warnings_of(run: Mapping[str, Any], rows: Iterable[Mapping[str, str]]) -> list[str]:
    """A run that was not finished, records that failed; *rows* of summary.tsv."""
    warnings = [row.get("message", "") for row in rows if row["status"] != "ok"]
    if not run:
        warnings.insert(0, "run.json is missing: the run was stopped before its end")
    elif run.get("exit_status") == ExitStatus.INTERRUPTED:
        warnings.insert(0, "the run was interrupted: the records not reached are missing")
    return warnings


def _restraints(run: Mapping[str, Any]) -> str:
    """The files of constraints and of probing, and how the latter is read; empty if there are none."""
    restraints = _mapping(run, "restraints")
    found = [f"{name} {restraints[name]}" for name in ("constraints", "shape") if restraints.get(name)]
    if restraints.get("shape"):
        found += [str(restraints[name]) for name in ("modifier", "shape_method") if restraints.get(name)]
        found += ["normalized"] if restraints.get("normalize_reactivities") else []
    return ", ".join(found)


def _mapping(run: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of run.json, which anyone may have edited."""
    part = run.get(name)
    return part if isinstance(part, Mapping) else {}
