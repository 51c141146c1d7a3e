r"""Put trained weights or energies into weights/, with their entry in weights/manifest.json.

    python benchmarks/release.py runs/third/model.safetensors --name small \
        --on rnass-small.safetensors --before runs/first runs/second \
        --scores vl0/evaluation.json ts0/evaluation.json
    python benchmarks/release.py runs/energies/energies.par --name 2026

The scores are what `rnass evaluate --data FILE --out FOLDER` writes for these very weights. Data files
are found by the paths in the configuration that the weights carry; run it where the training ran. A
mixture, which `rnass combine` made, has only the stages of the runs it stands on.
"""

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Any

from safetensors import safe_open

import rnass
from rnass.files import sha256
from rnass.training.records import read_examples

WEIGHTS = Path(__file__).parents[1] / "weights"


def main() -> None:
    """Copy the weights and write their entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument(
        "--scores", type=Path, nargs="*", default=[], help="evaluation.json of some sets"
    )
    parser.add_argument("--before", type=Path, nargs="*", default=[], help="runs it stands on, in order")
    parser.add_argument("--on", help="entry of the manifest whose stages came before those")
    arguments = parser.parse_args()
    fitted = arguments.model.suffix == ".par"
    target = WEIGHTS / (
        f"rnass{arguments.name}.par" if fitted else f"rnass-{arguments.name}.safetensors"
    )
    WEIGHTS.mkdir(exist_ok=True)
    shutil.copyfile(arguments.model, target)
    manifest = WEIGHTS / "manifest.json"
    entries = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    found = energies(target) if fitted else entry(target)
    last = [] if "experts" in found["made"] else [arguments.model.parent]
    earlier = stages_of(entries[arguments.on]) if arguments.on else []
    entries[target.name] = found | {"stages": [*earlier, *map(stage, [*arguments.before, *last])]}
    checksum = entries[target.name]["sha256"]
    entries[target.name]["scores"] = dict(scores(path, checksum) for path in arguments.scores)
    manifest.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    print(target, entries[target.name]["sha256"])


def entry(weights: Path) -> dict[str, Any]:
    """The entry of a weights file, as far as the file itself has it."""
    with safe_open(weights, "pt") as file:
        metadata = file.metadata()
        tensors = [file.get_tensor(key) for key in file.keys()]  # noqa: SIM118 - no mapping
    return {
        "sha256": sha256(weights),
        "bytes": weights.stat().st_size,
        "parameters": sum(one.numel() for one in tensors if one.is_floating_point()),
        "licence": "MIT",
        "code_version": rnass.__version__,
        "config": json.loads(metadata["config"]),
        "made": {key: value for key, value in json.loads(metadata["made"]).items() if key != "config"},
    }


def energies(file: Path) -> dict[str, Any]:
    """The same of an energy parameter file, in which `rnass fit` records how it came about."""
    found = re.search(r"for 37 C only: (.*) \*/", file.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"{file}: does not say how it was made; expected what rnass fit wrote")
    made = json.loads(found[1])
    return {
        "sha256": sha256(file),
        "bytes": file.stat().st_size,
        "licence": "ViennaRNA's: begun from its tables of Turner 2004 (Mathews et al. 2004)",
        "code_version": rnass.__version__,
        "config": json.loads(made.pop("config")),
        "made": made,
    }


def stages_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The stages of an entry that others can stand on; the last one made its weights, if one did."""
    if "experts" in entry["made"]:
        return list(entry["stages"])
    *before, last = entry["stages"]
    calibrated_only = entry["made"].get("steps") == 0
    return before if calibrated_only else [*before, last | {"made": entry["made"]}]


def stage(run: Path) -> dict[str, Any]:
    """One training run: its configuration, its data, its validation scores and what it ran on."""
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    log = run / "log.jsonl"  # none where nothing was trained, only calibrated
    lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    scored = [json.loads(line) for line in lines if "valid_" in line]
    return {
        "config": config,
        "data": data_files(config["data"]["train"]),
        "validated": scored,
        **({"made": entry(model)["made"]} if (model := run / "model.safetensors").is_file() else {}),
    }


def scores(evaluation: Path, checksum: str) -> tuple[str, dict[str, Any]]:
    """The set that was evaluated, and the figures of every line on it that fit a manifest."""
    judged = json.loads(evaluation.read_text(encoding="utf-8"))
    if judged["weights"]["sha256"] != checksum:
        raise SystemExit(f"{evaluation}: of other weights; expected sha256 {checksum}")
    name = "+".join(file["file"] for file in judged["data"]["files"])
    lines = {
        line: {
            "strict_mean_f1": measures["strict"]["mean"]["f1"],
            "shifted_mean_f1": measures["shifted"]["mean"]["f1"],
            "strict_pooled_f1": measures["strict"]["pooled"]["f1"],
        }
        for line, measures in judged["methods"].items()
    }
    return name, {
        "records": judged["data"]["judged"],
        "lines": lines,
        "expected_calibration_error": judged["calibration"]["rnass"]["error"],
        "confidence_pearson": judged["confidence"]["rnass"]["pearson"],
    }


def data_files(paths: list[str]) -> dict[str, dict[str, Any]]:
    """Checksum and number of records of each data file, by its name."""
    return {
        Path(path).name: {"sha256": sha256(Path(path)), "records": len(read_examples((path,)))}
        for path in paths
    }


if __name__ == "__main__":
    main()
