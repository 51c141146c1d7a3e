"""Put trained weights into weights/, and say in weights/manifest.json what they are.

    python benchmarks/release.py runs/train-small/model.safetensors --name small --scores vl0.json

The scores are the JSON that `rnass evaluate --data VL0 --out FOLDER` writes. Data files are found by the
paths in the configuration that the weights carry; run it where the training ran.
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
    parser.add_argument("--scores", type=Path, help="JSON of rnass evaluate on the validation records")
    parser.add_argument("--backbone-run", type=Path, help="folder of the backbone's pre-training")
    arguments = parser.parse_args()
    target = WEIGHTS / f"rnass-{arguments.name}.safetensors"
    WEIGHTS.mkdir(exist_ok=True)
    shutil.copyfile(arguments.model, target)
    manifest = WEIGHTS / "manifest.json"
    entries = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    entries[target.name] = entry(target, arguments.model.parent, arguments.backbone_run)
    if arguments.scores:
        entries[target.name]["scores"] = json.loads(arguments.scores.read_text(encoding="utf-8"))
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
