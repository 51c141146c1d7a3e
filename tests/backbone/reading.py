"""Published checkpoints read from disk in one call."""

from rnass.backbone.checkpoint_files import read_stored_model
from rnass.backbone.checkpoints import build


def read_language_model(path, family=None, u_as=None):
    """The encoder and its language-model head, None where there is none."""
    return build(read_stored_model(path), family, u_as=u_as)


def read_checkpoint(path, family=None, u_as=None):
    """The encoder alone."""
    return read_language_model(path, family, u_as)[0]
