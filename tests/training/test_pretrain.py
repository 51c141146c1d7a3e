"""Pre-training: masks, both losses, a tiny set memorised, two processes as good as one."""

import dataclasses
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from distributed_pretrain import every_third_masked, two_steps
from safetensors.torch import load_file

from rnass.backbone.language_head import fill_masks
from rnass.backbone.vocabulary import RNASS
from rnass.config import from_mapping
from rnass.network.backbones import open_backbone, save_backbone
from rnass.network.contact_head import contact_loss
from rnass.structure import Structure
from rnass.training import pretrain as training
from rnass.training.config import DataConfig, OptimiserConfig, PretrainConfig, RunConfig
from rnass.training.loop import Run
from rnass.training.pretrain import PretrainObjective, _validate, pretrain
from rnass.training.records import Example, Loader, read_examples

HERE = Path(__file__).parent


@pytest.fixture
def config(encoder_config):
    return PretrainConfig(encoder=encoder_config)


@pytest.fixture
def objective(config):
    torch.manual_seed(0)
    return PretrainObjective(config)


@pytest.fixture
def batch(hairpins):
    return Loader(RNASS)(read_examples([hairpins(6)]))


def test_fifteen_of_a_hundred_bases_are_chosen_most_of_them_masked(objective):
    torch.manual_seed(0)
    tokens = torch.tensor([RNASS.encode("ACGU" * 5000 + "N" * 500)])
    hidden, chosen = objective._masked(tokens)
    bases = (tokens >= RNASS.row("A")) & (tokens <= RNASS.row("U"))
    assert not chosen[~bases].any()
    assert torch.equal(hidden[~chosen], tokens[~chosen])
    assert chosen[bases].float().mean() == pytest.approx(0.15, abs=0.01)
    before, after = tokens[chosen], hidden[chosen]
    masked = after == RNASS.mask
    assert masked.float().mean() == pytest.approx(0.8, abs=0.02)
    # 10 % replaced by one of four bases, which is the same one in a quarter of the cases
    assert ((after != before) & ~masked).float().mean() == pytest.approx(0.075, abs=0.015)
    replaced = after[(after != before) & ~masked]
    assert set(replaced.tolist()) == {RNASS.row(base) for base in "ACGU"}


def test_something_is_always_chosen_where_there_is_a_base(config):
    objective = PretrainObjective(dataclasses.replace(config, mask_fraction=0.0))
    tokens = torch.tensor([RNASS.encode("NACN")])
    assert objective._masked(tokens)[1].tolist() == [[False, False, True, True, False, False]]


def test_rnas_of_n_alone_have_finite_losses(objective):
    example = Example("x", "", "NNNNNNNN", Structure(8).pairs)
    losses = objective(Loader(RNASS)([example]))
    assert losses["language"] == 0
    assert torch.isfinite(losses["loss"])
    losses["loss"].backward()
    assert all(torch.isfinite(p.grad).all() for p in objective.parameters())


def test_the_loss_is_the_weighted_sum_of_both(config, batch):
    weighted = dataclasses.replace(config, structure_weight=0.5, masked_language_weight=3.0)
    losses = PretrainObjective(weighted)(batch)
    expected = 0.5 * losses["structure"] + 3 * losses["language"]
    torch.testing.assert_close(losses["loss"], expected)


def test_every_weight_but_those_of_unseen_tokens_learns(objective, batch):
    objective(batch)["loss"].backward()
    assert [name for name, p in objective.named_parameters() if p.grad is None] == []
    assert [name for name, p in objective.named_parameters() if not p.grad.any()] == []


def test_padding_changes_no_loss(objective, hairpins, monkeypatch):
    monkeypatch.setattr(PretrainObjective, "_masked", every_third_masked)
    examples = read_examples([hairpins(6)])
    load = Loader(RNASS)
    together = objective(load(examples))["structure"]
    alone = [objective(load([example]))["structure"] for example in examples]
    torch.testing.assert_close(together, torch.stack(alone).mean(), atol=1e-5, rtol=1e-5)


def test_validation_masks_alike_each_time_and_leaves_the_random_state(objective, batch):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = _validate(objective, [batch, batch])
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert _validate(objective, [batch, batch]) == first
    assert first.keys() == {"valid_loss", "valid_structure", "valid_language"}
    assert _validate(objective, []) == {}


def test_a_tiny_set_is_learnt_and_its_moving_average_saved(config, hairpins, tmp_path):
    path = hairpins(8)
    config = dataclasses.replace(
        config,
        data=DataConfig(train=(path,), valid=(path,), min_length=1, padded_pairs=10_000),
        optimiser=OptimiserConfig(steps=150, learning_rate=2e-2, warmup=10, ema=0.9),
        run=RunConfig(precision="float32"),
    )
    backbone = pretrain(config, tmp_path / "run", torch.device("cpu"))
    last = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    learnt = Loader(RNASS)(read_examples([path]))
    share = float(learnt.contacts.sum() / (learnt.rnas.mask.sum(1) ** 2).sum())
    constant = torch.full_like(learnt.contacts, math.log(share / (1 - share)))
    blind = contact_loss(constant, learnt.contacts, learnt.rnas.mask)
    assert last["valid_structure"] < 0.6 * float(blind)
    assert last["valid_language"] < 0.7 * math.log(4)
    state = load_file(tmp_path / "run" / "state.safetensors")
    for key, tensor in open_backbone(str(backbone)).encoder.state_dict().items():
        assert torch.equal(tensor, state[f"average.encoder.{key}"].half().float()), key


def test_validation_is_spread_over_the_records(config, hairpins, tmp_path, monkeypatch):
    path = hairpins(9)
    seen = []
    monkeypatch.setattr(training, "_validate", lambda _, loaded: seen.append(loaded) or {})
    data = DataConfig(train=(path,), valid=(path,), valid_limit=3, min_length=1)
    optimiser = OptimiserConfig(steps=1)
    config = dataclasses.replace(config, data=data, optimiser=optimiser)
    pretrain(config, tmp_path / "run", torch.device("cpu"))
    lengths = [len(example.bases) for example in read_examples([path])]
    assert [batch.contacts.shape[1] for batch in seen[0]] == lengths[::3]
    assert len(set(lengths)) > 3


def test_two_processes_learn_what_one_does(hairpins, tmp_path, monkeypatch):
    data = hairpins(30)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*command, str(HERE / "distributed_pretrain.py"), data, str(tmp_path / "two")],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    monkeypatch.setattr(PretrainObjective, "_masked", every_third_masked)
    two_steps(data, tmp_path / "one", processes=1)

    one, two = (load_file(tmp_path / part / "state.safetensors") for part in ("one", "two"))
    torch.manual_seed(1)
    untrained = PretrainObjective(
        PretrainConfig(
            encoder=open_backbone(str(tmp_path / "one" / "backbone.safetensors")).encoder.config
        )
    )
    for name, parameter in untrained.named_parameters():
        torch.testing.assert_close(
            two[f"weight.{name}"], one[f"weight.{name}"], atol=1e-6, rtol=0, msg=name
        )
        assert not torch.equal(one[f"weight.{name}"], parameter), name
    for part, processes in (("one", 1), ("two", 2)):
        config = json.loads((tmp_path / part / "config.json").read_text())
        taken_up = Run(tmp_path / part, untrained, [], from_mapping(PretrainConfig, config))
        assert taken_up.made()["processes"] == processes  # those that trained, not this one
    assert (tmp_path / "two" / "order").read_text() == "01"  # the first process before the other
    files = {path.name for path in (tmp_path / "two").iterdir()} - {"order"}
    assert files == {"config.json", "log.jsonl", "state.safetensors", "backbone.safetensors"}
    logs = [(tmp_path / part / "log.jsonl").read_text().splitlines() for part in ("one", "two")]
    assert len(logs[0]) == len(logs[1]) == 1
    assert json.loads(logs[0][0])["valid_loss"] == pytest.approx(json.loads(logs[1][0])["valid_loss"])


def test_only_bases_within_the_mask_are_asked_for(objective, monkeypatch):
    example = Example("x", "", "GGGAAACCCAAA", Structure(12).pairs, mask="000111000000")
    batch = Loader(RNASS)([example])
    seen = {}
    encode = objective.encoder.each_layer
    monkeypatch.setattr(
        objective.encoder, "each_layer", lambda t, maps: encode(seen.setdefault("tokens", t), maps=maps)
    )
    everything = (batch.rnas.tokens >= RNASS.row("A")) & (batch.rnas.tokens <= RNASS.row("U"))
    masked = batch.rnas.tokens.where(~everything, torch.tensor(RNASS.mask))
    monkeypatch.setattr(objective, "_masked", lambda _: (masked, everything.clone()))
    objective(batch)
    hidden = (seen["tokens"] == RNASS.mask)[0].tolist()
    assert hidden == [False] * 4 + [True] * 3 + [False] * 7  # one special token before, one after
    none = dataclasses.replace(batch, maskable=torch.zeros(1, 12))
    assert objective(none)["language"] == 0


def test_the_language_head_that_is_kept_scores_as_the_objective_did(objective, shaken, tmp_path):
    shaken(objective)
    for parameter in objective.parameters():
        parameter.data = parameter.data.half().float()
    path = tmp_path / "backbone.safetensors"
    save_backbone(path, objective.encoder, {}, objective.language_head())
    found = open_backbone(str(path))
    encoder, head = found.encoder, found.language
    tokens = torch.tensor([RNASS.encode("GGC")])
    tokens[0, 2] = RNASS.mask
    with torch.no_grad():
        states = objective.language(objective.encoder(tokens)[0, 2])
        scores = states @ objective.encoder.tokens.weight.T + objective.language_bias
        wanted = scores[[RNASS.row(base) for base in "ACGU"]].softmax(-1)
    (got,) = fill_masks(encoder, head, "G<mask>C", top=10)
    assert dict(got) == pytest.approx(dict(zip("ACGU", wanted.tolist(), strict=True)), abs=1e-5)
