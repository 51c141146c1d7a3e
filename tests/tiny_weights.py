"""A contact model of a few thousand weights that says roughly what ViennaRNA says, so it finds pairs."""

from pathlib import Path

import torch

from rnass.config import EncoderConfig, HeadConfig, ModelConfig
from rnass.network.contact_model import ContactModel
from rnass.network.models import save_model


def tiny_model(parameter_sets: tuple[str, ...] = ("turner2004",)) -> ContactModel:
    """Every part is at work; ViennaRNA's base-pair probability outweighs the rest."""
    torch.manual_seed(5)
    encoder = EncoderConfig(layers=2, width=16, heads=2, ffn_width=24, ffn="swiglu")
    head = HeadConfig(
        channels=4, blocks=2, dilations=(1, 2), outer_rank=3, parameter_sets=parameter_sets
    )
    model = ContactModel(ModelConfig(encoder=encoder, head=head))
    features = model.pair_features
    with torch.no_grad():
        features.bases.weight.mul_(0.1)
        features.bases.weight[:, 1] = 1
        features.distance.weight.mul_(0.1)
        features.bpp.weight.zero_()
        features.bpp.weight[0, 0] = 4
        model.head.logit.weight.copy_(torch.tensor([[6.0, 0.3, -0.3, 0.3]]))
    return model.eval()


def save_tiny_weights(path: Path) -> Path:
    """Write them to *path* and give it back."""
    save_model(path, tiny_model(), {"how": "by hand"})
    return path
