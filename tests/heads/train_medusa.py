"""Trains a Medusa head of two guesses for a model with tied embeddings, on one CPU core with numpy alone.

    cargo run --release -p goldcrest-decode --example head_cache -- MODEL.gguf tests/heads/topics.json CACHE
    python3 tests/heads/train_medusa.py CACHE tests/heads/smollm2-medusa.safetensors

The cache holds text that the model wrote itself, greedily, with the hidden row behind each token. Head k learns the token
k + 1 behind the one that the row itself gives, by cross-entropy over a draft vocabulary of the cache's most frequent tokens;
the output matrix is the model's own and stays as it is. Every tenth text is held out.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import safetensors


def texts(path):
    """(tokens, hidden rows) of each whole record."""
    data, at = path.read_bytes(), 0
    width = None
    while at + 8 <= len(data):
        n = int.from_bytes(data[at + 4 : at + 8], "little")
        tokens = np.frombuffer(data, np.uint32, n, at + 8) if at + 8 + 4 * n <= len(data) else None
        end = at + 8 + 4 * n + 2 * n * WIDTH
        if tokens is None or end > len(data):
            return
        yield tokens.astype(np.int64), np.frombuffer(data, np.float16, n * WIDTH, at + 8 + 4 * n).reshape(n, WIDTH)
        at = end


def samples(some, ahead, place):
    """Rows, and the draft number of the token `ahead` behind the one that each row gives."""
    rows, targets = [], []
    for tokens, hidden in some:
        target = place[tokens[ahead:]]
        known = np.flatnonzero(target >= 0)
        rows.append(hidden[: len(target)][known])
        targets.append(target[known])
    return np.concatenate(rows), np.concatenate(targets)


def silu(x):
    return x / (1 + np.exp(-x))


def forward(weight, bias, h, output):
    inner = h @ weight.T + bias
    return inner, (h + silu(inner)) @ output.T


def accuracy(weight, bias, rows, targets, output):
    """How often the target is the best guess, and among the best four."""
    first = fourth = 0
    for at in range(0, len(rows), 512):
        h, t = rows[at : at + 512].astype(np.float32), targets[at : at + 512]
        logits = forward(weight, bias, h, output)[1]
        rank = (logits > logits[np.arange(len(t)), t][:, None]).sum(1)
        first += (rank < 1).sum()
        fourth += (rank < 4).sum()
    return first / len(rows), fourth / len(rows)


def train(rows, targets, held, output, epochs, rate, minutes):
    """One head by Adam with a cosine schedule."""
    rng = np.random.default_rng(1)
    n = rows.shape[1]
    weight, bias = np.zeros((n, n), np.float32), np.zeros(n, np.float32)
    moments = [[np.zeros_like(p), np.zeros_like(p)] for p in (weight, bias)]
    batch, step, begun = 256, 0, time.time()
    steps = epochs * (len(rows) // batch)
    for epoch in range(epochs):
        order, loss = rng.permutation(len(rows)), 0.0
        for at in range(0, len(rows) - batch + 1, batch):
            if time.time() - begun > minutes * 60:
                print("out of time", flush=True)
                return weight, bias
            some = order[at : at + batch]
            h, t = rows[some].astype(np.float32), targets[some]
            inner, logits = forward(weight, bias, h, output)
            logits -= logits.max(1, keepdims=True)
            p = np.exp(logits)
            p /= p.sum(1, keepdims=True)
            loss -= np.log(np.maximum(p[np.arange(batch), t], 1e-9)).mean()
            p[np.arange(batch), t] -= 1
            sigmoid = 1 / (1 + np.exp(-inner))
            back = (p @ output / batch) * sigmoid * (1 + inner * (1 - sigmoid))
            step += 1
            lr = rate * 0.5 * (1 + np.cos(np.pi * step / steps)) * min(1, step / 50)
            for value, grad, (m, v) in zip((weight, bias), (back.T @ h, back.sum(0)), moments):
                m += 0.1 * (grad - m)
                v += 0.001 * (grad * grad - v)
                value -= lr * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        first, fourth = accuracy(weight, bias, *held, output)
        minute = (time.time() - begun) / 60
        print(f"  epoch {epoch + 1}: loss {loss / (len(rows) // batch):.3f}, held out {first:.3f} best, {fourth:.3f} of four, {minute:.1f} min", flush=True)
    return weight, bias


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("cache", type=Path)
parser.add_argument("out", type=Path)
parser.add_argument("--heads", type=int, default=2)
parser.add_argument("--draft", type=int, default=4096, help="tokens of the draft vocabulary")
parser.add_argument("--width", type=int, default=576, help="width of the model's rows")
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--rate", type=float, default=1e-3)
parser.add_argument("--minutes", type=float, default=20, help="longest training of one head")
args = parser.parse_args()
WIDTH = args.width

every = list(texts(args.cache / "cache.bin"))
train_texts = [text for i, text in enumerate(every) if i % 10]
held_texts = every[::10]
embeddings = np.fromfile(args.cache / "embeddings.f16", np.float16).reshape(-1, WIDTH)
counts = np.bincount(np.concatenate([tokens for tokens, _ in train_texts]), minlength=len(embeddings))
draft = np.sort(np.argsort(-counts, kind="stable")[: args.draft])
draft = draft[counts[draft] > 0]
place = np.full(len(embeddings), -1)
place[draft] = np.arange(len(draft))
output = embeddings[draft].astype(np.float32)
covered = np.mean(place[np.concatenate([tokens for tokens, _ in held_texts])] >= 0)
print(f"{len(every)} texts, {counts.sum()} tokens to learn from, {len(draft)} of them drafted, {covered:.3f} of the held out", flush=True)
tensors = {"d2t": (draft - np.arange(len(draft))).astype(np.int32)}
for k in range(args.heads):
    rows, targets = samples(train_texts, k + 1, place)
    held = samples(held_texts, k + 1, place)
    print(f"head {k}: {len(rows)} rows", flush=True)
    weight, bias = train(rows, targets, held, output, args.epochs, args.rate, args.minutes)
    tensors[f"head.{k}.linear.weight"] = weight.astype(np.float16)
    tensors[f"head.{k}.linear.bias"] = bias.astype(np.float16)
safetensors.write(args.out, tensors, {"kind": "medusa", "licence": "MIT OR Apache-2.0"})
