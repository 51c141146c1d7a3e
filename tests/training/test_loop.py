"""Training runs: schedule, steps against torch alone, stopping and going on, moving average, log."""

import dataclasses
import itertools
import json
import math

import pytest
import torch
from safetensors.torch import load_file, save
from torch import nn

from rnass.errors import ConfigError, OutputError, RnassError
from rnass.training.config import OptimiserConfig, PretrainConfig, RunConfig
from rnass.training.loop import Run, learning_rate_factor
from rnass.training.processes import own_device

SETTINGS = OptimiserConfig(
    steps=6, learning_rate=0.1, warmup=2, weight_decay=0.1, clip=0.5, accumulate=2, ema=0.9
)
FLOAT32 = RunConfig(precision="float32", save_every=3, valid_every=100)


class Regression(nn.Module):
    """A loss that draws random numbers; rates differ, one parameter has no gradient, one no use."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(5, generator=generator))
        self.mix = nn.Linear(5, 5)
        self.mix.weight.data = torch.randn(5, 5, generator=generator)
        self.mix.bias.data = torch.randn(5, generator=generator)
        self.slow = nn.Parameter(torch.ones(1))
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)
        self.unused = nn.Parameter(torch.ones(1))

    def forward(self, batch):
        noise = torch.rand(batch.shape)
        error = (self.mix(batch + noise) @ self.weight * self.slow * self.frozen - 1) ** 2
        return {"loss": error.mean(), "twice": 2 * error.mean()}


def stream():
    """Batches of example numbers without end."""
    return ([k, k + 1, k + 2] for k in itertools.count())


def loaded(numbers):
    return torch.stack([torch.sin(torch.arange(5.0) + n) for n in numbers])


def groups_of(model):
    return [
        {"params": [model.weight, model.unused, model.mix.weight], "lr": 1.0},
        {"params": [model.slow, model.mix.bias], "lr": 0.25},
    ]


def begin(folder, settings=SETTINGS, run=FLOAT32):
    torch.manual_seed(1)
    model = Regression()
    return Run(folder, model, groups_of(model), PretrainConfig(optimiser=settings, run=run))


def finish(run, load=loaded, validate=dict):
    run.fit(stream(), load, validate)
    return {name: p.detach().clone() for name, p in run.objective.named_parameters()}


def test_the_learning_rate_warms_up_then_follows_a_cosine():
    settings = OptimiserConfig(steps=110, warmup=10, final_fraction=0.1)
    factors = [learning_rate_factor(step, settings) for step in range(111)]
    assert factors[:10] == pytest.approx([0.1 * (k + 1) for k in range(10)])
    assert factors[10] == 1
    assert factors[60] == pytest.approx(0.55)
    assert factors[35] == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.pi / 4)) / 2)
    assert factors[110] == pytest.approx(0.1)
    assert learning_rate_factor(500, settings) == pytest.approx(0.1)
    assert learning_rate_factor(0, dataclasses.replace(settings, warmup=0)) == 1


@pytest.mark.parametrize("method", ["adamw", "muon"])
def test_steps_are_those_of_torch_alone(tmp_path, method):
    run = begin(tmp_path, dataclasses.replace(SETTINGS, method=method))
    got = finish(run)

    torch.manual_seed(1)
    model = Regression()
    fast, slow = groups_of(model)
    if method == "muon":
        matrices = [fast["params"].pop()]
        muon = torch.optim.Muon(matrices, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    optimiser = torch.optim.AdamW([fast, slow], weight_decay=0.1, betas=(0.9, 0.98))
    average = model.weight.detach().clone()
    batches = map(loaded, stream())
    for step in range(6):
        factor = 0.1 * learning_rate_factor(step, SETTINGS)
        optimiser.param_groups[0]["lr"], optimiser.param_groups[1]["lr"] = factor, factor / 4
        optimiser.zero_grad()
        (sum(model(next(batches))["loss"] for _ in range(2)) / 2).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimiser.step()
        if method == "muon":
            muon.param_groups[0]["lr"] = factor
            muon.step()
            muon.zero_grad()
        decay = min(0.9, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * model.weight.detach()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(got[name], parameter.detach(), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(run.average.tensors["weight"], average, atol=1e-6, rtol=1e-6)
    assert not torch.equal(got["weight"], Regression().weight)


@pytest.mark.parametrize("method", ["adamw", "muon"])
def test_a_stopped_run_goes_on_to_the_same_bits(tmp_path, method):
    settings = dataclasses.replace(SETTINGS, method=method)
    whole = begin(tmp_path / "whole", settings)
    expected = finish(whole)

    taken = []

    def stopped(numbers):
        taken.append(numbers[0])
        if len(taken) == 9:  # two batches a step: the fifth is not finished, the third was saved
            raise KeyboardInterrupt
        return loaded(numbers)

    with pytest.raises(KeyboardInterrupt):
        finish(begin(tmp_path / "parts", settings), stopped)
    resumed = begin(tmp_path / "parts", settings)
    assert resumed.step == 3
    taken.clear()

    def recorded(numbers):
        taken.append(numbers[0])
        return loaded(numbers)

    got = finish(resumed, recorded)
    assert taken == list(range(6, 12))  # what the first three steps took is not even loaded
    assert all(torch.equal(got[name], expected[name]) for name in expected)
    states = [load_file(tmp_path / part / "state.safetensors") for part in ("whole", "parts")]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_an_older_torch_is_named_where_it_lacks_the_method(tmp_path, monkeypatch):
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(ConfigError, match=r"muon; expected torch 2\.9 or newer"):
        begin(tmp_path, dataclasses.replace(SETTINGS, method="muon"))


def test_a_run_can_end_early_at_the_rate_of_the_whole_one(tmp_path):
    validated = []
    early = begin(tmp_path / "early", run=dataclasses.replace(FLOAT32, stop=4, save_every=100))
    got = finish(early, validate=lambda: validated.append(early.step) or {})
    assert (early.step, validated) == (4, [4])
    assert (tmp_path / "early" / "state.safetensors").is_file()
    whole = begin(tmp_path / "whole", run=dataclasses.replace(FLOAT32, valid_every=4))
    kept = []
    finish(whole, validate=lambda: kept.append(whole.objective.slow.item()) or {})
    with early.averaged():
        assert early.objective.slow.item() == kept[0]
    assert got["slow"].item() != kept[0]  # which is of the moving average


def test_a_finished_run_takes_no_step_more(tmp_path):
    expected = finish(begin(tmp_path))
    again = finish(begin(tmp_path), load=lambda _: pytest.fail("a batch was loaded"))
    assert all(torch.equal(again[name], expected[name]) for name in expected)


def test_a_folder_of_another_configuration_is_refused(tmp_path):
    finish(begin(tmp_path))
    begin(tmp_path)
    kept = tmp_path / "config.json"
    before = kept.read_text()
    with pytest.raises(ConfigError, match=r"config\.json: begun with another configuration"):
        begin(tmp_path, dataclasses.replace(SETTINGS, steps=7))
    assert kept.read_text() == before
    (tmp_path / "state.safetensors").rename(tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match=r"config\.json: begun with another configuration"):
        begin(tmp_path, dataclasses.replace(SETTINGS, steps=7))


@pytest.mark.parametrize(
    "name", ["state.safetensors", "backbone.safetensors", "energies.par", "model.safetensors"]
)
def test_a_folder_of_no_known_run_is_refused(tmp_path, name):
    (tmp_path / name).write_text("kept")
    with pytest.raises(OutputError, match=rf"{name}: there without a config\.json; expected a new"):
        begin(tmp_path)
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    with pytest.raises(ConfigError, match=r"config\.json: architectures: .*expected a key of Pretrain"):
        begin(tmp_path)
    assert (tmp_path / "config.json").read_text() == '{"architectures": ["BertModel"]}'


def test_a_run_goes_on_under_another_control(tmp_path):
    expected = finish(begin(tmp_path / "whole"))
    finish(begin(tmp_path / "parts", run=dataclasses.replace(FLOAT32, stop=4)))
    control = dataclasses.replace(FLOAT32, save_every=1, valid_every=2)
    got = finish(begin(tmp_path / "parts", run=control))
    assert all(torch.equal(got[name], expected[name]) for name in expected)
    assert finish(begin(tmp_path / "none", run=dataclasses.replace(FLOAT32, stop=0))).keys()
    assert not (tmp_path / "none" / "state.safetensors").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", b"[" * 100_000, r"config\.json: .*expected JSON"),
        ("config.json", b"[]", r"config\.json: JSON of a list"),
        ("state.safetensors", b"junk", r"state\.safetensors: .*expected a safetensors file"),
        ("state.safetensors", save({}, {"step": "1"}), r"state\.safetensors: .*expected the state"),
    ],
)
def test_a_damaged_folder_is_named(tmp_path, name, content, message):
    finish(begin(tmp_path))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RnassError, match=message):
        begin(tmp_path)


def test_a_folder_without_a_state_is_free(tmp_path):
    begin(tmp_path)
    other = dataclasses.replace(SETTINGS, steps=7)
    assert finish(begin(tmp_path, other)).keys()
    assert json.loads((tmp_path / "config.json").read_text())["optimiser"]["steps"] == 7


def test_a_folder_begun_before_a_key_existed_goes_on(tmp_path):
    finish(begin(tmp_path))
    kept = tmp_path / "config.json"
    values = json.loads(kept.read_text())
    del values["mask_fraction"]
    kept.write_text(json.dumps(values))
    begin(tmp_path)


@pytest.mark.parametrize("where", ["loss", "gradient", "score"])
def test_a_number_that_is_not_finite_ends_the_run_and_leaves_the_state(tmp_path, where):
    broken = False

    class Breaks(Regression):
        def forward(self, batch):
            loss = super().forward(batch)["loss"]
            if broken and where == "gradient":  # of a square root at 0
                loss = loss + (0 * self.weight).sqrt().sum()
            return {"loss": loss + math.inf if broken and where == "loss" else loss}

    def load(numbers):
        nonlocal broken
        broken = numbers[0] == 9  # the last batch of step 5
        return loaded(numbers)

    model = Breaks()
    config = PretrainConfig(
        optimiser=SETTINGS, run=dataclasses.replace(FLOAT32, save_every=2, valid_every=5)
    )
    run = Run(tmp_path, model, groups_of(model), config)
    scores = {"valid_loss": math.nan if where == "score" else 1.0}
    with pytest.raises(ConfigError, match=r"(loss|gradient) (nan|inf) at step 5; expected a finite one"):
        run.fit(stream(), load, lambda: scores)
    kept, numbers = run.folder.state()
    assert numbers["step"] == "4"
    assert all(bool(tensor.isfinite().all()) for tensor in kept.values())


def test_the_moving_average_is_put_in_place_and_taken_out_again(tmp_path):
    run = begin(tmp_path)
    before = finish(run)
    average = run.average.tensors["weight"].clone()
    with run.averaged():
        assert torch.equal(run.objective.weight, average)
        assert not torch.equal(run.objective.weight, before["weight"])
    assert torch.equal(run.objective.weight, before["weight"])
    assert torch.equal(run.average.tensors["weight"], average)
    with pytest.raises(ZeroDivisionError), run.averaged():
        _ = 1 / 0
    assert torch.equal(run.objective.weight, before["weight"])


def test_without_a_moving_average_the_weights_stay_in_place(tmp_path):
    run = begin(tmp_path, dataclasses.replace(SETTINGS, ema=0.0))
    before = finish(run)
    with run.averaged():
        assert torch.equal(run.objective.weight, before["weight"])


def test_validation_sees_the_moving_average(tmp_path):
    run = begin(tmp_path)
    seen = []
    finish(run, validate=lambda: seen.append(run.objective.weight.detach().clone()) or {})
    assert len(seen) == 1
    assert torch.equal(seen[0], run.average.tensors["weight"])


def test_the_log_has_means_of_twenty_steps_and_every_validation(tmp_path):
    settings = dataclasses.replace(SETTINGS, steps=45, accumulate=1)
    finish(
        begin(tmp_path, settings, dataclasses.replace(FLOAT32, valid_every=30)),
        validate=lambda: {"valid_loss": 0.5},
    )
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [20, 30, 40, 45]
    for line in (lines[0], lines[2]):
        assert line.keys() == {"step", "seconds", "loss", "twice"}
        assert line["twice"] == pytest.approx(2 * line["loss"])
    for line in (lines[1], lines[3]):
        assert line["valid_loss"] == 0.5
    assert lines[0]["seconds"] <= lines[3]["seconds"]


def test_the_log_has_no_step_twice_after_a_kill(tmp_path):
    settings = dataclasses.replace(SETTINGS, steps=60, accumulate=1)
    control = dataclasses.replace(FLOAT32, save_every=30)

    def killed(numbers):
        if numbers[0] == 55:
            raise KeyboardInterrupt
        return loaded(numbers)

    with pytest.raises(KeyboardInterrupt):
        finish(begin(tmp_path, settings, control), killed)
    log = tmp_path / "log.jsonl"
    with log.open("a") as file:
        file.write('{"step": 4')
    assert [line[:10] for line in log.read_text().splitlines()][1] == '{"step": 4'
    finish(begin(tmp_path, settings, control), validate=lambda: {"valid_loss": 0.5})
    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert steps == [20, 40, 60, 60]


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"log\.jsonl: is a directory; expected a file that can be"):
        finish(begin(tmp_path, dataclasses.replace(SETTINGS, steps=20)))


def test_the_first_logged_loss_is_the_mean_of_the_first_twenty(tmp_path):
    losses = []

    class Known(Regression):
        def forward(self, batch):
            given = super().forward(batch)
            losses.append(float(given["loss"].detach()))
            return given

    model = Known()
    settings = dataclasses.replace(SETTINGS, steps=20, accumulate=1)
    Run(tmp_path, model, groups_of(model), PretrainConfig(optimiser=settings, run=FLOAT32)).fit(
        stream(), loaded, dict
    )
    line = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])
    assert line["loss"] == pytest.approx(sum(losses) / 20)


def test_bfloat16_is_used_only_where_asked(tmp_path):
    kinds = []

    class Spy(Regression):
        def forward(self, batch):
            kinds.append((batch @ batch.mT).dtype)
            return super().forward(batch)

    for precision in ("bfloat16", "float32"):
        model = Spy()
        run = RunConfig(precision=precision)
        settings = dataclasses.replace(SETTINGS, steps=1, accumulate=1)
        Run(
            tmp_path / precision, model, groups_of(model), PretrainConfig(optimiser=settings, run=run)
        ).fit(stream(), loaded, dict)
    assert kinds == [torch.bfloat16, torch.float32]
    assert model.weight.dtype == torch.float32


def test_under_torchrun_each_process_has_a_device_of_its_own(monkeypatch):
    assert own_device(torch.device("cuda")) == torch.device("cuda")
    monkeypatch.setenv("LOCAL_RANK", "2")
    assert own_device(torch.device("cuda")) == torch.device("cuda", 2)
    assert own_device(torch.device("cpu")) == torch.device("cpu")
