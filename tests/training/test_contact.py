"""Training a contact model: hairpins learnt, backbone frozen, calibration, choice of the threshold."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_backbones import published_checkpoint

from rnass.backbone.vocabulary import RNASS
from rnass.config import HeadConfig, ModelConfig
from rnass.errors import CheckpointError, ConfigError, OutputError
from rnass.locks import LOCK, locked
from rnass.network.backbones import open_backbone, save_backbone
from rnass.network.models import load_model, save_model
from rnass.training import contact as training
from rnass.training.calibration import (
    mean_f1,
)
from rnass.training.config import DataConfig, OptimiserConfig, RunConfig, TrainConfig
from rnass.training.contact import TrainObjective, _groups, _start, _validate, train
from rnass.training.records import Example, Loader, read_examples

CPU = torch.device("cpu")


@pytest.fixture
def config(encoder_config, hairpins, tmp_path):
    """Twelve hairpins to memorise, without ViennaRNA's help."""
    path = hairpins(12)
    return TrainConfig(
        encoder=encoder_config,
        freeze_backbone=False,
        head=HeadConfig(channels=8, blocks=2, dilations=(1, 2), outer_rank=4, parameter_sets=()),
        data=DataConfig(
            train=(path,), valid=(path,), min_length=1, padded_pairs=10_000, cache=str(tmp_path / "kept")
        ),
        optimiser=OptimiserConfig(steps=100, learning_rate=2e-2, warmup=10, ema=0.9),
        run=RunConfig(precision="float32", valid_every=50),
    )


def short(config, **changes):
    """The same for three steps."""
    optimiser = dataclasses.replace(config.optimiser, steps=3)
    return dataclasses.replace(config, optimiser=optimiser, **changes)


def probabilities_of(model, examples):
    load = Loader(RNASS)
    with torch.no_grad():
        return [model.probabilities(load([e]).rnas)[0].numpy() for e in examples]


def test_hairpins_are_memorised(config, tmp_path):
    model = load_model(train(config, tmp_path / "run", CPU))
    examples = read_examples(config.data.valid)
    assert mean_f1(probabilities_of(model, examples), examples, model.config.decoding) > 0.9
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    scored = [line for line in lines if "valid_loss" in line]
    assert [line["step"] for line in scored] == [50, 100]
    assert scored[1]["valid_loss"] < scored[0]["valid_loss"]
    assert scored[1]["valid_f1"] > 0.9


def test_the_saved_model_is_calibrated_and_made_of_the_moving_average(config, tmp_path, monkeypatch):
    fitted = ModelConfig(encoder=config.encoder, head=config.head, temperature=1.75, offset=-0.5)
    monkeypatch.setattr(training, "calibrate", lambda *_: fitted)
    model = load_model(train(short(config), tmp_path / "run", CPU))
    assert model.config == fitted
    state = load_file(tmp_path / "run" / "state.safetensors")
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, state[f"average.model.{name}"].half().float()), name


def test_viennarnas_share_is_the_configurations_or_that_of_the_start(config, tmp_path):
    shared = short(config, bpp_weight=0.25)
    first = train(shared, tmp_path / "first", CPU)
    assert load_model(first).config.bpp_weight == 0.25
    on = short(config, encoder=None, start=str(first))
    assert load_model(train(on, tmp_path / "second", CPU)).config.bpp_weight == 0.25


def test_u_is_read_as_the_configuration_says(config, tmp_path):
    path = str(published_checkpoint("aido-rna-official", tmp_path / "m"))
    config = short(
        config, backbone=path, family="aido-rna", encoder=None, freeze_backbone=True, u_as="U"
    )
    kept = train(config, tmp_path / "run", CPU)
    assert load_model(kept, path).backbone.vocabulary.name == "aido-rna-u"
    with pytest.raises(ConfigError, match="reads U otherwise than u_as;"):
        train(dataclasses.replace(config, start=str(kept), u_as="T"), tmp_path / "next", CPU)


def test_records_of_other_than_whole_codons_are_left_out_and_counted(config, tmp_path, caplog):
    caplog.set_level("WARNING", "rnass")
    path = str(published_checkpoint("mrna-fm-official", tmp_path / "m"))
    lines = [f"x{k}\t{'GC' + 'A' * k}\t{'.' * (k + 2)}" for k in range(1, 8)]
    (tmp_path / "t.tsv").write_text("\n".join(["id\tsequence\tdot_bracket", *lines]) + "\n")
    data = dataclasses.replace(config.data, train=(str(tmp_path / "t.tsv"),), valid=(), max_length=48)
    config = short(config, backbone=path, encoder=None, freeze_backbone=True, data=data)
    train(config, tmp_path / "run", CPU)
    assert "4 of 7 training records left out, not of whole codons" in caplog.text


def test_a_finished_run_gives_the_same_model_again_and_folds_nothing_twice(config, tmp_path):
    config = short(
        config,
        head=dataclasses.replace(config.head, parameter_sets=("turner2004",)),
        bpp_dropout=0.5,
    )
    first, again = (load_model(train(config, tmp_path / "run", CPU)) for _ in range(2))
    assert again.config == first.config
    for name, parameter in first.named_parameters():
        assert torch.equal(again.get_parameter(name), parameter), name
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 1  # trained and validated on


def test_a_run_without_validation_records_is_saved_uncalibrated(config, tmp_path):
    config = short(config, data=dataclasses.replace(config.data, valid=()))
    model = load_model(train(config, tmp_path / "run", CPU))
    assert (model.config.temperature, model.config.offset) == (1.0, 0.0)


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "trained along"])
def test_a_frozen_backbone_keeps_its_bits(config, model, tmp_path, frozen):
    path = tmp_path / "backbone.safetensors"
    save_backbone(path, model.backbone, {})
    config = short(config, backbone=str(path), encoder=None, freeze_backbone=frozen)
    before = open_backbone(str(path)).encoder.state_dict()
    after = load_model(train(config, tmp_path / "run", CPU)).backbone.state_dict()
    same = [torch.equal(after[key], before[key]) for key in before]
    assert all(same) if frozen else not all(same)


@pytest.mark.parametrize("changed", ["train", "valid", "backbone", "start"])
def test_a_run_does_not_go_on_with_another_input(config, model, tmp_path, changed):
    save_backbone(tmp_path / "b.safetensors", model.backbone, {})
    save_model(tmp_path / "m.safetensors", model, {})
    files = {key: tmp_path / f"{key}.tsv" for key in ("train", "valid")}
    for file in files.values():
        file.write_bytes(Path(config.data.train[0]).read_bytes())
    data = dataclasses.replace(config.data, **{key: (str(file),) for key, file in files.items()})
    start = {"backbone": str(tmp_path / "b.safetensors")}
    if changed == "start":
        start = {"start": str(tmp_path / "m.safetensors")}
    config = short(config, encoder=None, data=data, **start)
    train(config, tmp_path / "run", CPU)
    train(config, tmp_path / "run", CPU)
    state = (tmp_path / "run" / "state.safetensors").read_bytes()
    if changed in files:
        lines = files[changed].read_text().splitlines()
        files[changed].write_text("\n".join(lines[:-1]) + "\n")
    else:
        model.backbone.tokens.weight.data += 1
        save_backbone(tmp_path / "b.safetensors", model.backbone, {})
        save_model(tmp_path / "m.safetensors", model, {})
    with pytest.raises(
        ConfigError, match=rf"another content of (data\.)?{changed}; expected the same or"
    ):
        train(config, tmp_path / "run", CPU)
    assert (tmp_path / "run" / "state.safetensors").read_bytes() == state


def test_a_run_never_replaces_its_start(config, model, tmp_path):
    save_model(tmp_path / "model.safetensors", model, {})
    config = short(config, encoder=None, start=str(tmp_path / "model.safetensors"))
    with pytest.raises(OutputError, match=r"model\.safetensors: is read; expected another name"):
        train(config, tmp_path, CPU)


def test_a_run_that_fails_at_once_leaves_its_folder_free(config, tmp_path):
    data = dataclasses.replace(config.data, min_length=400)
    with pytest.raises(ConfigError, match="no training record is left; expected some of 400 to 512 b"):
        train(short(config, data=data), tmp_path / "run", CPU)
    train(short(config), tmp_path / "run", CPU)


def test_two_runs_in_one_folder_are_refused(config, tmp_path):
    with (
        locked(tmp_path / "run"),
        pytest.raises(OutputError, match="run: another run is writing into it; expected another folder"),
    ):
        train(short(config), tmp_path / "run", CPU)
    train(short(config), tmp_path / "run", CPU)
    assert not (tmp_path / "run" / LOCK).exists()


def test_an_unfrozen_backbone_has_its_own_rate(config, model):
    groups = _groups(model, dataclasses.replace(config, backbone_rate=0.125))
    assert [group["lr"] for group in groups] == [1.0, 0.125]
    assert [len(group["params"]) for group in groups] == [
        len([*model.head.parameters(), *model.pair_features.parameters()]),
        len([*model.backbone.parameters()]),
    ]
    assert len(_groups(model, dataclasses.replace(config, freeze_backbone=True))) == 1
    assert not any(p.requires_grad for p in model.backbone.parameters())


@pytest.mark.parametrize("switch", ["attention_maps", "outer_product"])
def test_parts_of_the_backbone_that_get_no_gradient_are_no_hindrance(config, tmp_path, switch):
    config = short(config, head=dataclasses.replace(config.head, **{switch: False}))
    train(config, tmp_path / "run", CPU)
    train(config, tmp_path / "run", CPU)  # taken up again from the saved state


def test_training_starts_from_a_whole_model(model, tmp_path):
    path = tmp_path / "start.safetensors"
    save_model(path, model, {})
    started, published = _start(TrainConfig(start=str(path)))
    assert published is None
    assert started.config == model.config
    for key, tensor in load_model(path).state_dict().items():
        assert torch.equal(started.state_dict()[key], tensor)


@pytest.mark.parametrize("ahead", [True, False])
def test_records_are_folded_before_the_first_step_or_as_they_are_drawn(config, tmp_path, ahead):
    data = dataclasses.replace(config.data, valid=(), fold_ahead=ahead)
    head = dataclasses.replace(config.head, parameter_sets=("turner2004",))
    model = load_model(train(short(config, head=head, data=data), tmp_path / str(ahead), CPU))
    assert (tmp_path / "kept").is_dir() is ahead
    if ahead:
        return
    again = dataclasses.replace(data, fold_ahead=True)
    same = load_model(train(short(config, head=head, data=again), tmp_path / "same", CPU))
    for name, parameter in same.named_parameters():
        assert torch.equal(model.get_parameter(name), parameter), name


def test_training_needs_something_to_start_from():
    with pytest.raises(ConfigError, match="one of the keys backbone, encoder, start"):
        _start(TrainConfig())
    with pytest.raises(CheckpointError, match="nowhere"):
        _start(TrainConfig(backbone="nowhere"))


def test_a_new_model_and_one_to_go_on_from_have_the_settings_that_are_given(encoder_config, tmp_path):
    given = {"second_fold_weight": 0.5, "one_partner": True}
    new = TrainConfig(encoder=encoder_config, **given)
    model = _start(new)[0]
    assert (model.config.second_fold_weight, model.config.one_partner) == (0.5, True)
    path = tmp_path / "start.safetensors"
    save_model(path, model, {})
    assert _start(TrainConfig(start=str(path)))[0].config == model.config
    other = _start(TrainConfig(start=str(path), second_fold_weight=0, one_partner=False))[0].config
    assert (other.second_fold_weight, other.one_partner) == (0, False)
    bare = dataclasses.replace(new, head=HeadConfig(parameter_sets=()))
    with pytest.raises(ConfigError, match="training: second_fold_weight: no set in parameter_sets"):
        _start(bare)


def test_dropped_base_pair_probabilities_are_not_seen(model, hairpins, tmp_path):
    path = hairpins(40)
    examples = read_examples([path])
    load = Loader(RNASS, ("turner2004",), tmp_path)
    load.annotate([path], examples)
    batch = load(examples)
    seen = []
    objective = TrainObjective(model, 0.25)
    model.forward = lambda rnas: seen.append(rnas.bpp) or torch.zeros_like(batch.contacts)
    torch.manual_seed(0)
    objective(batch)
    kept = seen[0].flatten(1).any(1)
    assert 25 <= int(kept.sum()) <= 35
    assert torch.equal(seen[0][kept], batch.rnas.bpp[kept])
    TrainObjective(model)(batch)
    assert torch.equal(seen[1], batch.rnas.bpp)


def test_a_first_step_too_far_is_an_error_of_that_step(config, tmp_path):
    optimiser = dataclasses.replace(config.optimiser, steps=1, learning_rate=1e8, warmup=0)
    with pytest.raises(
        ConfigError, match="valid_loss nan at step 1; expected a finite one, as by a low"
    ):
        train(dataclasses.replace(config, optimiser=optimiser), tmp_path / "run", CPU)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"config.json"}


def test_validation_of_nothing_says_nothing(model):
    assert _validate(model, Loader(RNASS), [], CPU) == {}


def test_a_profile_counts_by_its_weight(one_partner_model):
    bases, helix = "GGGGAAAACCCC", np.array([[0, 11], [1, 10], [2, 9], [3, 8]])
    known = Example("hp", "", bases, helix)
    evidence = np.linspace(-2, 2, len(bases)).astype(np.float32)
    profile = Example("p", "", bases, helix[:0], evidence=evidence)
    load = Loader(RNASS)

    def loss(chosen, weight):
        with torch.no_grad():
            return float(TrainObjective(one_partner_model, 0.0, weight)(load(chosen))["loss"])

    structure, alone = loss([known], 1.0), loss([profile], 1.0)
    assert loss([profile], 0.5) == pytest.approx(alone / 2, rel=1e-4)
    assert loss([known, profile], 3.0) == pytest.approx((structure + 3 * alone) / 2, rel=1e-3)


@pytest.fixture
def one_partner_model(model):
    model.config = dataclasses.replace(model.config, one_partner=True)
    return model


@pytest.fixture
def on_rna_fm(config, tmp_path):
    """Training of a head on RNA-FM's golden file, which has room for 14 bases."""
    path = published_checkpoint("rna-fm-official", tmp_path / "rna-fm")
    records = ["id\tsequence\tdot_bracket"]
    records += [f"x{k}\t{base}GCAAAAGC\t.((....))" for k, base in enumerate("ACGU")]
    (tmp_path / "short.tsv").write_text("\n".join(records) + "\n")
    table = (str(tmp_path / "short.tsv"),)
    data = dataclasses.replace(config.data, train=table, valid=table, max_length=14)
    return short(config, backbone=str(path), encoder=None, freeze_backbone=True, data=data)


def test_a_head_on_a_published_backbone_is_kept_without_it(on_rna_fm, tmp_path):
    kept = train(on_rna_fm, tmp_path / "run", CPU)
    with pytest.raises(CheckpointError, match="expected its backbone beside it"):
        load_model(kept)
    model = load_model(kept, on_rna_fm.backbone)
    wanted = open_backbone(on_rna_fm.backbone).encoder.state_dict()
    assert all(torch.equal(wanted[key], one) for key, one in model.backbone.state_dict().items())
    assert kept.stat().st_size < 40_000
    again = _start(dataclasses.replace(on_rna_fm, start=str(kept)))[0]
    assert torch.equal(again.head.logit.weight, model.head.logit.weight)


def test_features_from_the_cache_train_as_those_computed(on_rna_fm, tmp_path):
    losses = {}
    for gigabytes, kept in ((0.0, 0), (1.0, 4)):
        data = dataclasses.replace(on_rna_fm.data, feature_cache_gb=gigabytes)
        folder = tmp_path / f"run-{kept}"
        train(dataclasses.replace(on_rna_fm, data=data), folder, CPU)
        assert len(list((tmp_path / "kept" / "features").rglob("*.safetensors"))) == kept
        lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        losses[kept] = lines[-1]["valid_loss"]
    assert losses[4] == pytest.approx(losses[0], rel=1e-3)
    assert losses[4] != losses[0]  # the cache was used: it is rounded to float16


def test_an_unfrozen_published_backbone_is_kept_whole(on_rna_fm, tmp_path):
    kept = train(dataclasses.replace(on_rna_fm, freeze_backbone=False), tmp_path / "run", CPU)
    assert load_model(kept).backbone.vocabulary.name == "rna-fm"


def test_rnas_that_a_backbone_cannot_read_are_refused_at_once(on_rna_fm, tmp_path):
    data = dataclasses.replace(on_rna_fm.data, max_length=100)
    with pytest.raises(ConfigError, match=r"data\.max_length is 100; expected at most 1\d"):
        train(dataclasses.replace(on_rna_fm, data=data), tmp_path / "run", CPU)
