"""Trains predictors of exits (SpecEE) for a model, on one CPU core with numpy alone.

    cargo run --release -p goldcrest-decode --example head_cache -- MODEL.gguf tests/heads/topics.json CACHE 4000 24,26,27,28,29
    python3 tests/heads/train_specee.py CACHE predictors.safetensors --layers 24,26,27,28,29

The cache holds, for tokens whose four candidates were known, the candidates' logits behind each layer. A predictor learns from
them whether the layer's best token is the whole model's, by cross-entropy over the tokens where that best one is a candidate: elsewhere
nothing is taken. Every tenth text is held out.
"""

import argparse
from pathlib import Path

import numpy as np

import safetensors

CANDIDATES = 4


def shares(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def forward(weights, x):
    up, up_bias, down, down_bias = weights
    hidden = np.maximum(x @ up.T + up_bias, 0)
    return hidden, 1 / (1 + np.exp(-(hidden @ down.T + down_bias)))


def train(x, right, width, epochs, rate):
    """One predictor by Adam."""
    rng = np.random.default_rng(1)
    weights = [rng.standard_normal((width, x.shape[1])) * 0.1, np.zeros(width), rng.standard_normal((1, width)) * 0.1, np.zeros(1)]
    moments = [[np.zeros_like(w), np.zeros_like(w)] for w in weights]
    batch, step = 64, 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for at in range(0, len(x), batch):
            some = order[at : at + batch]
            hidden, p = forward(weights, x[some])
            back = (p - right[some, None]) / len(some)
            inner = (back @ weights[2]) * (hidden > 0)
            step += 1
            for value, grad, (m, v) in zip(weights, (inner.T @ x[some], inner.sum(0), back.T @ hidden, back.sum(0)), moments):
                m += 0.1 * (grad - m)
                v += 0.001 * (grad * grad - v)
                value -= rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return weights


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("cache", type=Path)
parser.add_argument("out", type=Path)
parser.add_argument("--layers", required=True, help="those of the cache")
parser.add_argument("--width", type=int, default=32, help="inner width of a predictor; the paper's is 512")
parser.add_argument("--epochs", type=int, default=60)
parser.add_argument("--rate", type=float, default=3e-3)
args = parser.parse_args()
layers = [int(layer) for layer in args.layers.split(",")]

words = 1 + (CANDIDATES + 2) * len(layers)
raw = (args.cache / "exits.bin").read_bytes()
raw = np.frombuffer(raw[: len(raw) // (4 * words) * 4 * words], np.uint32).reshape(-1, words)
text, looks = raw[:, 0], raw[:, 1:].copy().view(np.float32).reshape(len(raw), len(layers), CANDIDATES + 2).astype(np.float64)
held = text % 10 == 0
print(f"{len(raw)} tokens with candidates, {held.sum()} of them held out", flush=True)
tensors, before = {}, None
for k, layer in enumerate(layers):
    logits, known, right = looks[:, k, :CANDIDATES], looks[:, k, CANDIDATES] > 0, looks[:, k, CANDIDATES + 1]
    now = shares(logits)
    x = np.concatenate([logits, now, now - (now if before is None else before)], -1)
    before = now
    learnt, judged = known & ~held, known & held
    # Scaled while it learns; the file's matrix takes the features as they are.
    mean, scale = x[learnt].mean(0), x[learnt].std(0)
    scale[scale == 0] = 1
    up, up_bias, down, down_bias = train((x[learnt] - mean) / scale, right[learnt], args.width, args.epochs, args.rate)
    weights = [up / scale, up_bias - up @ (mean / scale), down, down_bias]
    sure = forward(weights, x[judged])[1][:, 0] > 0.5
    agreed = right[judged][sure].mean() if sure.any() else float("nan")
    print(
        f"layer {layer}: best token a candidate in {known[held].mean():.3f}, then right in {right[judged].mean():.3f}; "
        f"sure in {sure.mean():.3f} of these, then right in {agreed:.3f}",
        flush=True,
    )
    for name, value in zip(("up.weight", "up.bias", "down.weight", "down.bias"), weights):
        tensors[f"exit.{k}.{name}"] = value.astype(np.float32)
safetensors.write(args.out, tensors, {"kind": "specee", "layers": args.layers, "licence": "MIT OR Apache-2.0"})
