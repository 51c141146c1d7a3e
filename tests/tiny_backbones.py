"""Tiny published checkpoints on disk, laid out from the golden files as their authors would."""

from golden_files import GOLDEN, lay_out, read_golden


def published_checkpoint(name, folder):
    """The file, or the folder where there is a config.json, of one golden file."""
    folder.mkdir(parents=True, exist_ok=True)
    weights, words, _ = read_golden(next(path for path in GOLDEN if path.stem == name))
    file = lay_out(weights, words, folder)
    return folder if words["config"] else file
