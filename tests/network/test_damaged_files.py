"""Loaders of files that anybody may have written: whatever is in them, only rnass's own errors come out.

Whole files are damaged at random (seeded) and by hand. A configuration that is still accepted must give
finite numbers, so that none that is wrong passes in silence.
"""

import json
import random
import shutil
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from reading import read_checkpoint
from safetensors import safe_open
from safetensors.torch import save_file
from tiny_backbones import published_checkpoint
from tiny_weights import tiny_model

from rnass.backbone.checkpoint_files import read_stored_model
from rnass.config import MixtureConfig
from rnass.errors import CheckpointError, RnassError
from rnass.manifest import manifest_entry
from rnass.network.backbones import open_backbone
from rnass.network.contact_model import Mixture, collate
from rnass.network.models import load_model, load_pairing_model, save_head, save_mixture, save_model
from rnass.training.config import ProbeConfig
from rnass.training.probe import Probe, _save, load_probe

RNA = "GGGCUAACCC"
JUNK = [
    None,
    True,
    -1,
    0,
    3,
    10**6,
    10**30,
    0.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\x00",
    [],
    {},
]
JUNK += ["", "x", "\x00", [], {}, [1], [[1, 2]], {"a": 1}, "9" * 5000, ["x"] * 100]


def damaged_bytes(data, draw):
    """The same file cut, with bytes changed, put in, taken out or repeated."""
    at, count = draw.randrange(len(data)), draw.choice([1, 2, 8, 100])
    noise = draw.randbytes(count)
    kinds = [data[:at], data[:at] + noise + data[at + count :], data[:at] + noise + data[at:]]
    kinds += [data[:at] + data[at + count :], data + data[:at]]
    return draw.choice(kinds)


def damaged_json(values, draw):
    """The same object with one value, however deep, replaced by another or taken out, or one added."""
    whole = json.loads(json.dumps(values))
    part = whole
    while True:
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        key = draw.choice(keys)
        if isinstance(part[key], dict | list) and part[key] and draw.random() < 0.8:
            part = part[key]
            continue
        kind = draw.random()
        if kind < 0.7:
            part[key] = draw.choice(JUNK)
        elif kind < 0.85 or not isinstance(part, dict):
            del part[key]
        else:
            part["surprise"] = draw.choice(JUNK)
        return whole


def with_metadata(path, change):
    """Rewrite a safetensors file, its metadata (a dictionary of strings) changed in place."""
    with safe_open(path, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        metadata = file.metadata()
    change(metadata)
    save_file(tensors, path, metadata)


def finite(model):
    """Predict or embed, whatever it is; raises for numbers that are not finite."""
    with torch.no_grad():
        if hasattr(model, "probabilities"):
            table = model.backbone.vocabulary
            out = model.probabilities(collate([RNA], None, table))
        elif isinstance(model, Probe):
            out = torch.as_tensor(model.predict(RNA))
        else:
            bases = RNA[: 9 * (model.vocabulary.bases_per_token == 3) or None]
            out = model(torch.tensor([model.vocabulary.encode(bases)]))
    assert torch.isfinite(out).all()


def is_refused(load, path, use=finite):
    """Whether a file is refused by rnass's own error; what is loaded else is put to *use*."""
    try:
        use(load(path))
    except RnassError:
        return True
    return False


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A good file of each kind, and how it is loaded."""
    folder = tmp_path_factory.mktemp("good")
    model = tiny_model()
    save_model(folder / "model.safetensors", model, {"steps": 3})
    config = MixtureConfig(experts=(model.config, model.config), weights=(0.75, 0.25))
    save_mixture(folder / "mixture.safetensors", Mixture(config, [model, tiny_model()]), {})
    own = open_backbone(str(folder / "model.safetensors"))
    save_head(folder / "head.safetensors", model, own, {})
    _save(folder / "probe.safetensors", Probe(ProbeConfig(), 16, ("a", "b")), own)
    here = str(folder / "model.safetensors")
    return {
        folder / "model.safetensors": load_pairing_model,
        folder / "mixture.safetensors": load_pairing_model,
        folder / "head.safetensors": lambda path: load_model(path, here),
        folder / "probe.safetensors": lambda path: load_probe(path, here),
        published_checkpoint("rna-fm-official", folder / "fm"): read_checkpoint,
    }


@pytest.mark.parametrize("kind", range(5), ids=["model", "mixture", "head", "probe", "pickle"])
def test_damaged_bytes(files, kind, tmp_path):
    good, load = list(files.items())[kind]
    finite(load(good))
    data, path = good.read_bytes(), tmp_path / good.name
    draw = random.Random(kind)
    refused = 0
    for _ in range(40):
        path.write_bytes(damaged_bytes(data, draw))
        refused += is_refused(load, path, use=id)  # other weights may be anything
    assert refused > 10


@pytest.mark.parametrize("kind", range(4), ids=["model", "mixture", "head", "probe"])
def test_damaged_metadata(files, kind, tmp_path):
    good, load = list(files.items())[kind]
    path, draw = tmp_path / good.name, random.Random(kind)
    refused = 0
    for _ in range(60):
        shutil.copyfile(good, path)

        def change(metadata):
            key = draw.choice([key for key in metadata if key in ("config", "backbone", "classes")])
            metadata[key] = json.dumps(damaged_json(json.loads(metadata[key]), draw))

        with_metadata(path, change)
        refused += is_refused(load, path)
    assert refused > 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 100_000,
        '{"layers": 1' + "0" * 9999,
    ],
    ids=["empty", "open", "list", "number", "null", "deep", "deep objects", "long", "long number"],
)
@pytest.mark.parametrize("kind", range(4), ids=["model", "mixture", "head", "probe"])
def test_metadata_that_are_no_object(files, kind, text, tmp_path):
    good, load = list(files.items())[kind]
    path = shutil.copyfile(good, tmp_path / good.name)
    with_metadata(path, lambda metadata: metadata.update(config=text))
    with pytest.raises(RnassError, match=rf"{good.name}: "):
        load(path)


@pytest.mark.parametrize(
    "name", ["aido-rna-multimolecule", "plantrna-fm-rotary", "rnabert-multimolecule"]
)
def test_damaged_config_json(name, tmp_path):
    folder = published_checkpoint(name, tmp_path / name)
    finite(read_checkpoint(folder))
    config = json.loads((folder / "config.json").read_text())
    draw, refused = random.Random(0), 0
    for _ in range(30):
        (folder / "config.json").write_text(json.dumps(damaged_json(config, draw)))
        refused += is_refused(read_checkpoint, folder)
    assert refused


@pytest.mark.parametrize(
    "changes",
    [
        {"num_attention_heads": 0},
        {"num_hidden_layers": 10**6},
        {"layer_norm_eps": float("nan")},
        {"position_embedding_type": ["rotary"]},
        {"normalization_type": {"LayerNorm": 1}},
        {"rotary_percent": "all"},
        {"lm_head": {"layer_norm_eps": float("nan")}},
    ],
)
def test_hostile_configurations_are_refused(changes, tmp_path):
    folder = published_checkpoint("aido-rna-multimolecule", tmp_path / "a")
    config = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(RnassError, match=": "):
        read_checkpoint(folder)


def quantised():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to drop them; files hold them still
        return torch.quantize_per_tensor(torch.ones(4, 4), 0.1, 0, torch.qint8)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (quantised(), "expected plain real"),
        (torch.empty(4, 4, device="meta"), "expected plain real"),
        (torch.ones(4, 4).to_sparse(), "expected plain real"),
        (torch.ones(4, 4, dtype=torch.complex64), "expected plain real"),
        (torch.ones(1).expand(10**6, 10**6), "expected one that the file can hold"),
        (torch.full((4, 4), float("nan")), "holds NaN or infinity"),
    ],
    ids=["quantised", "meta", "sparse", "complex", "expanded", "nan"],
)
def test_tensors_that_are_not_plain_are_refused(tensor, message, tmp_path):
    torch.save({"layers.0.self_attn.q_proj.weight": tensor}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=rf"a\.pth: (tensor .*{message}|refused)"):
        read_stored_model(tmp_path / "a.pth")


def test_a_pickle_that_unpacks_to_more_than_it_holds_is_not_unpacked(tmp_path):
    torch.save({"a": torch.zeros(10**6)}, tmp_path / "plain.pth")
    with (
        zipfile.ZipFile(tmp_path / "plain.pth") as plain,
        zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in plain.namelist():
            bomb.writestr(name, plain.read(name))
    assert read_stored_model(tmp_path / "plain.pth").tensors["a"].shape == (10**6,)
    with pytest.raises(CheckpointError, match=r"unpacks to 4,\d+,\d+ bytes; expected"):
        read_stored_model(tmp_path / "bomb.pth")


@pytest.mark.parametrize(
    "arguments", [[1, 2], {1: 2, "encoder_layers": 2}, {"encoder_layers": torch.ones(3)}]
)
def test_arguments_of_any_kind(arguments, tmp_path):
    file = published_checkpoint("rna-fm-official", tmp_path)
    tensors = read_stored_model(file).tensors
    torch.save({"args": arguments, "model": tensors}, file)
    with pytest.raises(RnassError, match=": "):
        read_checkpoint(file)


@pytest.mark.parametrize("shards", [3, {"a": 1}, {"a": "x" * 300}, {"a": "../b"}, {"a": "absent"}])
def test_an_index_of_shards_of_any_kind(shards, tmp_path):
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    with pytest.raises(CheckpointError, match=r"index\.json: "):
        read_stored_model(tmp_path)


@pytest.mark.parametrize(
    "content",
    ["3", "[" * 100_000, '{"m.safetensors": 3}', '{"m.safetensors": {"sha256": 3}}', "9" * 9999],
    ids=["number", "deep", "entry of another kind", "sum of another kind", "long number"],
)
def test_a_manifest_of_any_kind(content, tmp_path):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"manifest\.json: "):
        manifest_entry(tmp_path / "m.safetensors")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "\udcff", "/root/" + "y/" * 3000])
@pytest.mark.parametrize(
    "load",
    [open_backbone, lambda name: load_pairing_model(Path(name)), lambda name: load_probe(Path(name))],
)
def test_names_that_no_file_can_have(name, load):
    with pytest.raises(RnassError, match=": "):
        load(name)
