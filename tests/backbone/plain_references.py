"""Published arithmetic written out once more, plainly and apart from rnass, where no package can be had.

RNABERT's repository is no package. RNA-FM's structure head is written from its paper and file layout.
AIDO.RNA is here beside its golden files, for sizes those do not have.
"""

import math

import torch
from torch.nn import functional


def _linear(w, name, x):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def _norm(x, weight, bias, eps):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.pow(2).mean(-1, keepdim=True) + eps).sqrt() * weight + bias


def _heads(x, heads):
    b, t, d = x.shape
    return x.reshape(b, t, heads, d // heads).permute(0, 2, 1, 3)


def _attend(q, k, v):
    maps = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1)
    mixed = (maps @ v).permute(0, 2, 1, 3)
    return maps, mixed.reshape(*mixed.shape[:2], -1)


def rnabert(w, tokens, layers, heads):
    """States after each layer, attention maps and scores; every token attended, padding included."""
    e = "module.bert.embeddings."
    x = w[e + "word_embeddings.weight"][tokens] + w[e + "position_embeddings.weight"][: tokens.shape[1]]
    x = x + w[e + "token_type_embeddings.weight"][0]
    x = _norm(x, w[e + "LayerNorm.gamma"], w[e + "LayerNorm.beta"], 1e-12)
    states, all_maps = [x], []
    for k in range(layers):
        p = f"module.bert.encoder.layer.{k}."
        q, key, v = (
            _heads(_linear(w, f"{p}attention.selfattn.{n}", x), heads) for n in ("query", "key", "value")
        )
        maps, mixed = _attend(q, key, v)
        x = x + _linear(w, p + "attention.output.dense", mixed)
        n = p + "attention.output.LayerNorm."
        x = _norm(x, w[n + "gamma"], w[n + "beta"], 1e-12)
        inner = _linear(w, p + "intermediate.dense", x)
        inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
        x = x + _linear(w, p + "output.dense", inner)
        x = _norm(x, w[p + "output.LayerNorm.gamma"], w[p + "output.LayerNorm.beta"], 1e-12)
        states.append(x)
        all_maps.append(maps)
    c = "module.cls.predictions."
    y = _linear(w, c + "transform.dense", x)  # no activation, unlike everybody else
    y = _norm(y, w[c + "transform.LayerNorm.gamma"], w[c + "transform.LayerNorm.beta"], 1e-12)
    return states, all_maps, y @ w[c + "decoder.weight"].T + w[c + "bias"]


def _rotated(x):
    """Pairs (j, j + d/2) turned by position times 10000^(-2j/d), one at a time."""
    d = x.shape[-1]
    out = x.clone()
    for t in range(x.shape[-2]):
        for j in range(d // 2):
            angle = t * 10_000 ** (-2 * j / d)
            a, b = x[..., t, j], x[..., t, j + d // 2]
            out[..., t, j] = a * math.cos(angle) - b * math.sin(angle)
            out[..., t, j + d // 2] = b * math.cos(angle) + a * math.sin(angle)
    return out


def aido_rna(w, tokens, layers, heads):
    """The last hidden state, of unpadded tokens."""
    x = w["bert.embeddings.word_embeddings.weight"][tokens]
    for k in range(layers):
        p = f"bert.encoder.layer.{k}."
        y = _norm(x, w[p + "attention.ln.weight"], w[p + "attention.ln.bias"], 1e-5)
        q, key, v = (
            _heads(_linear(w, f"{p}attention.self.{n}", y), heads) for n in ("query", "key", "value")
        )
        _, mixed = _attend(_rotated(q), _rotated(key), v)
        x = x + _linear(w, p + "attention.output.dense", mixed)
        y = _norm(x, w[p + "ln.weight"], w[p + "ln.bias"], 1e-5)
        gate = _linear(w, p + "mlp.gate_proj", y)
        y = gate * torch.sigmoid(gate) * _linear(w, p + "mlp.up_proj", y)
        x = x + _linear(w, p + "mlp.down_proj", y)
    return _norm(x, w["bert.encoder.ln.weight"], w["bert.encoder.ln.bias"], 1e-5)


HEAD = "downstream_modules.pc-resnet_1_sym_first:r-ss."
"""How the keys of RNA-FM's structure head begin in its authors' file."""


def head_shapes(width=8):
    """The shape of each of its tensors, on embeddings of that width."""
    shapes = {"pre_reduction.weight": (128, width), "pre_reduction.bias": (128,)}
    shapes |= {"proj.first.0.weight": (64, 256, 1, 1), "proj.first.0.bias": (64,)}
    for k in range(32):
        shapes |= {f"proj.resnet.{k}.bn1.{leaf}": (64,) for leaf in ("weight", "bias", "running_mean")}
        shapes |= {f"proj.resnet.{k}.bn1.running_var": (64,)}
        shapes |= {f"proj.resnet.{k}.conv{n}.weight": (64, 64, 3, 3) for n in (1, 2)}
    return shapes | {"proj.final.weight": (1, 64, 3, 3), "proj.final.bias": (1,)}


def rnafm_structure_head(w, embeddings):
    """Logits (L, L) of RNA-FM's structure head from embeddings (L, D) without special tokens."""
    e = _linear(w, "pre_reduction", embeddings)
    length = len(e)
    pairs = torch.stack(
        [torch.stack([torch.cat([e[i], e[j]]) for j in range(length)]) for i in range(length)]
    )
    x = functional.conv2d(pairs.permute(2, 0, 1)[None], w["proj.first.0.weight"], w["proj.first.0.bias"])
    for k in range(32):
        p = f"proj.resnet.{k}."
        mean, spread = w[p + "bn1.running_mean"], (w[p + "bn1.running_var"] + 1e-5).sqrt()
        y = (x - mean[:, None, None]) / spread[:, None, None]
        y = (y * w[p + "bn1.weight"][:, None, None] + w[p + "bn1.bias"][:, None, None]).clamp(min=0)
        y = functional.conv2d(y, w[p + "conv1.weight"], padding=1).clamp(min=0)
        dilation = 2 ** (k % 3)
        x = x + functional.conv2d(y, w[p + "conv2.weight"], padding=dilation, dilation=dilation)
    x = functional.conv2d(x, w["proj.final.weight"], w["proj.final.bias"], padding=1)[0, 0]
    for i in range(length):
        for j in range(i):
            x[i, j] = x[j, i]
    return x


def shaped(shapes, seed=3, scale=0.3):
    """Random tensors of those shapes; what is a norm's weight or a variance stays near 1."""
    generator = torch.Generator().manual_seed(seed)
    near_one = ("gamma", "ln.weight", "bn1.weight", "running_var", "layer_norm.weight")
    made = {}
    for key, shape in shapes.items():
        noise = torch.randn(shape, generator=generator)
        made[key] = 1 + 0.2 * noise.clamp(-2, 2) if key.endswith(near_one) else scale * noise
    return made
