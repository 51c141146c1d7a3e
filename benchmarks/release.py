r"""Put trained weights into weights/, and say in weights/manifest.json what they are.

    python benchmarks/release.py runs/train-small/model.safetensors --name small \
        --backbone-run runs/pretrain-small --scores vl0/evaluation.json ts0/evaluation.json

The scores are what `rnass evaluate --data FILE --out FOLDER` writes for these very weights. Data files
are found by the paths in the configuration that the weights carry; run it where the training ran.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from safetensors import safe_open

import rnass
from rnass.dataset import read_examples
from rnass.weights import sha256

WEIGHTS = Path(__file__).parents[1] / "weights"


def main() -> None:
    """Copy the weights and write their entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument(
        "--scores", type=Path, nargs="*", default=[], help="evaluation.json of some sets"
    )
    parser.add_argument("--backbone-run", type=Path, help="folder of the backbone's pre-training")
    arguments = parser.parse_args()
    target = WEIGHTS / f"rnass-{arguments.name}.safetensors"
    WEIGHTS.mkdir(exist_ok=True)
    shutil.copyfile(arguments.model, target)
    manifest = WEIGHTS / "manifest.json"
    entries = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    entries[target.name] = entry(target, arguments.model.parent, arguments.backbone_run)
    checksum = entries[target.name]["sha256"]
    entries[target.name]["scores"] = dict(scores(path, checksum) for path in arguments.scores)
    manifest.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    print(target, entries[target.name]["sha256"])


def entry(weights: Path, run: Path, backbone_run: Path | None) -> dict[str, Any]:
    """What is known of a weights file and of the run that made it."""
    with safe_open(weights, "pt") as file:
        metadata = file.metadata()
        parameters = sum(file.get_tensor(key).numel() for key in file.keys())  # noqa: SIM118 - no mapping
    made = json.loads(metadata["made"])
    training = json.loads(made["config"])
    known = {
        "sha256": sha256(weights),
        "bytes": weights.stat().st_size,
        "parameters": parameters,
        "licence": "MIT",
        "code_version": rnass.__version__,
        "config": json.loads(metadata["config"]),
        "training": training | {"steps_done": made["steps"], "seconds": round(made["seconds"])},
        "data": data_files(training["data"]["train"]),
        "log": last_validation(run),
    }
    if backbone_run:
        pretraining = json.loads((backbone_run / "config.json").read_text(encoding="utf-8"))
        known["pretraining"] = pretraining | {"log": last_validation(backbone_run)}
        known["pretraining_data"] = data_files(pretraining["data"]["train"])
    return known


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
        for line, measures in judged["lines"].items()
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


def last_validation(run: Path) -> dict[str, Any]:
    """The last line of a run's log that holds validation figures."""
    lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
    scored = [json.loads(line) for line in lines if "valid_loss" in line]
    return dict(scored[-1]) if scored else {}


if __name__ == "__main__":
    main()
