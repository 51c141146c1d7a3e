"""Combining contact models: the file holds them all, calibrated on the records that were given."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from tiny_weights import save_tiny_weights, tiny_model

from rnass.errors import CheckpointError, ConfigError
from rnass.files import sha256
from rnass.io import format_dot_bracket
from rnass.io.tsv import read_labelled_tsv
from rnass.network.backbones import save_backbone
from rnass.network.contact_model import ContactModel, Mixture
from rnass.network.familiarity import packed
from rnass.network.models import load_model, load_pairing_model, save_model
from rnass.training.calibration import calibrated_probabilities, logit_maps, mean_f1, with_temperature
from rnass.training.combine import combine
from rnass.training.config import CombineConfig
from rnass.training.records import Loader, read_examples

CPU = torch.device("cpu")


@pytest.fixture
def experts(tmp_path):
    """Two weights files: ViennaRNA's opinion by one parameter set, and by another, half as loud."""
    quiet = tiny_model(("langdon2018",))
    quiet.config = dataclasses.replace(quiet.config, temperature=2.0)
    save_model(tmp_path / "quiet.safetensors", quiet, {})
    return (str(save_tiny_weights(tmp_path / "loud.safetensors")), str(tmp_path / "quiet.safetensors"))


@pytest.fixture
def config(experts, hairpins, tmp_path):
    return CombineConfig(
        experts=experts, weights=(0.75, 0.25), valid=(hairpins(8),), cache=str(tmp_path / "kept")
    )


def test_the_file_asks_all_members_and_is_calibrated(config, experts, tmp_path):
    path = tmp_path / "both.safetensors"
    combine(config, path, CPU)
    both = load_pairing_model(path)
    assert isinstance(both, Mixture)
    assert both.config.weights == (0.75, 0.25)
    assert both.config.parameter_sets == ("turner2004", "langdon2018")
    examples = read_examples(config.valid)
    for expert, file in zip(both.experts, experts, strict=True):
        alone = load_model(Path(file))
        load = Loader(alone.backbone.vocabulary, alone.config.parameter_sets, tmp_path / "kept")
        load.annotate(config.valid, examples)
        fitted = with_temperature(alone.config, logit_maps(alone, load, examples, CPU), examples)
        assert expert.config == fitted
        assert fitted.temperature != alone.config.temperature
    load = Loader(both.backbone.vocabulary, both.config.parameter_sets, tmp_path / "kept")
    load.annotate(config.valid, examples)
    maps = logit_maps(both, load, examples, CPU)
    found = calibrated_probabilities(both.config, maps, examples)
    assert mean_f1(found, examples, both.config.decoding) > 0.95
    # the pairs that are expected are as many as there are
    expected, known = sum(p.sum() / 2 for p in found), sum(len(e.pairs) for e in examples)
    assert expected == pytest.approx(known, rel=0.2)
    with safe_open(path, "pt") as file:
        made = json.loads(file.metadata()["made"])
    assert made["experts"] == {expert: sha256(tmp_path / expert) for expert in experts}
    assert json.loads(made["config"])["weights"] == [0.75, 0.25]


def test_members_read_other_energies_where_that_is_asked_for(config, tmp_path):
    other = dataclasses.replace(config, parameter_sets=("rnass2026",), bpp_weight=0.5)
    combine(other, tmp_path / "other", CPU)
    both = load_pairing_model(tmp_path / "other")
    assert both.config.parameter_sets == ("rnass2026",)
    assert [m.config.bpp_weight for m in both.experts] == [0.5, 0.5]


def test_a_mixture_with_one_partner_each_expects_no_more_pairs_than_bases(config, tmp_path):
    combine(dataclasses.replace(config, one_partner=True), tmp_path / "one", CPU)
    both = load_pairing_model(tmp_path / "one")
    assert both.config.one_partner
    examples = read_examples(config.valid)
    load = Loader(both.backbone.vocabulary, both.config.parameter_sets, tmp_path / "kept")
    with torch.no_grad():
        found = [both.probabilities(load([example]).rnas)[0] for example in examples]
    assert max(float(one.sum(1).max()) for one in found) <= 1 + 1e-6
    assert mean_f1([one.numpy() for one in found], examples, both.config.decoding) > 0.95


def test_a_gate_is_fitted_to_records_and_profiles(config, tmp_path):
    bases = "GGGCGCAAAAGCGCCC"
    values = ",".join("0.05" if mark != "." else "1.2" for mark in "((((((....))))))")
    columns = "id\tsource\tmodifier\tsequence\treactivity\terror\tsignal_to_noise\ttarget"
    records = read_labelled_tsv(config.valid[0])
    text = "".join(format_dot_bracket(one.sequence, one.structure) for one in records[:4])
    (tmp_path / "some.dbn").write_text(text)
    (tmp_path / "profiles.tsv").write_text(f"{columns}\none\tx\t1M7\t{bases}\t{values}\t\t9\t\n")
    gated = dataclasses.replace(
        config,
        parameter_sets=("rnass2026",),
        gated=True,
        second_fold_weight=0.5,
        one_partner=True,
        profiles=(str(tmp_path / "profiles.tsv"),),
        trained=(str(tmp_path / "some.dbn"),),
        valid_weights=(2.0,),
    )
    combine(gated, tmp_path / "gated", CPU)
    both = load_pairing_model(tmp_path / "gated")
    assert both.config.gated
    held = [one.sequence.bases for one in records[:4]]
    assert both.known.packed.tolist() == packed(held).tolist()
    assert both.config.known_kmers == len(both.known.packed)
    assert both.config.parameter_sets == ("rnass2026", "rnass2026+second")
    assert [expert.config.bpp_weight for expert in both.experts] == [0.0, 0.0]
    examples = read_examples(config.valid)
    load = Loader(both.backbone.vocabulary, both.config.parameter_sets, tmp_path / "kept")
    with torch.no_grad():
        found = [both.pairing(load([example]).rnas) for example in examples]
    assert all(0 < float(share) < 1 for _, share in found)
    assert mean_f1([one[0].numpy() for one, _ in found], examples, both.config.decoding) > 0.95


def test_members_that_cannot_be_combined_are_named(config, model, tmp_path):
    save_backbone(tmp_path / "backbone.safetensors", model.backbone, {})
    alone = (config.experts[0], str(tmp_path / "backbone.safetensors"))
    with pytest.raises(CheckpointError, match=r"backbone\.safetensors: holds a backbone; expected"):
        combine(dataclasses.replace(config, experts=alone), tmp_path / "out", CPU)
    encoder = dataclasses.replace(
        model.config.encoder, vocabulary="multimolecule-26", vocabulary_size=26
    )
    other = ContactModel(dataclasses.replace(model.config, encoder=encoder))
    save_model(tmp_path / "other.safetensors", other, {})
    unlike = (config.experts[0], str(tmp_path / "other.safetensors"))
    with pytest.raises(ConfigError, match=r"other\.safetensors reads other tokens than .*loud"):
        combine(dataclasses.replace(config, experts=unlike), tmp_path / "out", CPU)
    assert not (tmp_path / "out").exists()


def test_the_command_replaces_nothing_that_it_reads(rna, config, tmp_path):
    names = ", ".join(f'"{name}"' for name in config.experts)
    text = (
        f'experts = [{names}]\nweights = [0.75, 0.25]\nvalid = ["{config.valid[0]}"]\ncache = "kept"\n'
    )
    (tmp_path / "c.toml").write_text(text)
    for target in ("c.toml", config.experts[1], config.valid[0]):
        before = Path(tmp_path, target).read_bytes()
        status, _, err = rna("combine", "c.toml", "--out", target, "--overwrite")
        assert status == 2
        assert err.endswith("is read; expected another name\n")
        assert Path(tmp_path, target).read_bytes() == before
    assert rna("combine", "c.toml", "--out", "both")[0] == 0
    status, _, err = rna("combine", "c.toml", "--out", "both")
    assert status == 2
    assert err == "rnass: both: is there already; expected another name, or --overwrite\n"
    assert rna("combine", "c.toml", "--out", "both", "--overwrite")[0] == 0
