"""Draft heads of random weights in `tiny/` and what they must compute, in float64: `python3 tests/heads/golden.py`.

Every guess is computed from scratch over the whole sequence that leads to it, so that nothing is shared with the incremental
implementation: no cells, no slots, no rollback.
"""

import json
from pathlib import Path

import numpy as np

import safetensors

N, VOCAB, FF, HEADS, KV = 8, 12, 12, 2, 1
THETA, EPS = 10000.0, 1e-5
TOKENS = [3, 7, 1, 11, 4, 9, 2]  # rows stand before tokens 1.. of these
DRAFT = [1, 2, 4, 5, 7, 9, 11]
PATHS = [[], [4], [9], [4, 7], [9, 1], [4, 7, 2]]  # guesses behind the newest token
FOLDER = Path(__file__).parent / "tiny"


def silu(x):
    return x / (1 + np.exp(-x))


def norm(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPS) * weight


def rotated(x, positions):
    """x is [rows, heads, size]; pairs stand half a head apart."""
    half = x.shape[-1] // 2
    angle = np.outer(positions, THETA ** (-np.arange(half) / half))[:, None, :]
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], -1)


def attention(w, prefix, x, positions):
    """Causal attention over all rows at once."""
    get = lambda name: w[f"{prefix}.{name}.weight"]
    rows = len(x)
    q = rotated((x @ get("attn_q").T).reshape(rows, HEADS, -1), positions)
    k = rotated((x @ get("attn_k").T).reshape(rows, KV, -1), positions)
    v = (x @ get("attn_v").T).reshape(rows, KV, -1)
    out = []
    for head in range(HEADS):
        scores = q[:, head] @ k[:, head * KV // HEADS].T / np.sqrt(q.shape[-1])
        scores = np.where(np.tril(np.ones((rows, rows))) > 0, scores, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        out.append(shares / shares.sum(-1, keepdims=True) @ v[:, head * KV // HEADS])
    return np.concatenate(out, -1) @ get("attn_output").T


def layer(w, prefix, x, stream, positions):
    """A causal decoder layer over all rows at once."""
    get = lambda name: w[f"{prefix}.{name}.weight"]
    if f"{prefix}.input_norm.weight" in w:
        x = norm(x, get("input_norm"))
    y = stream + attention(w, prefix, x, positions)
    h = norm(y, get("post_norm"))
    return y + (silu(h @ get("ffn_gate").T) * (h @ get("ffn_up").T)) @ get("ffn_down").T


def layer_weights(rng, prefix, columns, with_norm):
    shapes = {
        "attn_q": (N, columns),
        "attn_k": (N // HEADS * KV, columns),
        "attn_v": (N // HEADS * KV, columns),
        "attn_output": (N, N),
        "post_norm": (N,),
        "ffn_gate": (FF, N),
        "ffn_up": (FF, N),
        "ffn_down": (N, FF),
    }
    if with_norm:
        shapes["input_norm"] = (columns,)
    return {f"{prefix}.{name}.weight": random(rng, *shape) for name, shape in shapes.items()}


def random(rng, *shape):
    return (rng.standard_normal(shape) * (0.5 if len(shape) > 1 else 1)).astype(np.float32)


def medusa(w, h, e, path):
    k = len(path)
    return h[-1] + silu(w[f"head.{k}.linear.weight"] @ h[-1] + w[f"head.{k}.linear.bias"])


def hydra(w, h, e, path):
    k = len(path)
    first = layer(w, "prefix", h, h, range(len(h)))[-1]
    z = np.concatenate([first] + [e[t] for t in [TOKENS[-1]] + path])
    y = w[f"head.{k}.residual.weight"] @ z + silu(w[f"head.{k}.linear.weight"] @ z + w[f"head.{k}.linear.bias"])
    for _ in range(2):
        y = y + silu(w[f"head.{k}.block.weight"] @ y + w[f"head.{k}.block.bias"])
    return y


def clover(w, h, e, path):
    def mixed(s, emb):
        q, k, v = ((w[f"mix.{part}.weight"] @ x).reshape(2, -1) for part, x in zip("qkv", (s, emb, emb)))
        cos = (q * k).sum(-1) / np.sqrt((q * q).sum(-1) * (k * k).sum(-1))
        return s + (cos[:, None] * v).ravel()

    x = np.stack([mixed(row, e[t]) for row, t in zip(h, TOKENS[1:])])
    for number in range(2):
        x = layer(w, f"layer.{number}", x, x, range(len(x)))
    s = x[-1]
    out = w["first.weight"] @ s
    for token in path:
        s = mixed(s, e[token])
        out = w["later.weight"] @ np.concatenate([s, e[token]])
    return norm(out, w["norm.weight"])


def chimera(w, h, e, path):
    text = TOKENS + path
    rows = list(h)
    for end in range(len(TOKENS), len(text) + 1):
        z = np.concatenate([e[t] for t in text[end - 3 : end]])
        rows.append(w["trigram.down.weight"] @ (z + silu(w["trigram.linear.weight"] @ z + w["trigram.linear.bias"])))
    rows = np.stack(rows)
    return np.concatenate([h[-1], layer(w, "layer", rows, rows, range(len(rows)))[-1]])


def eagle(w, h, e, path):
    fuse = lambda f, t: w["fc.weight"] @ np.concatenate([e[t], f]) + w["fc.bias"]
    rows = [fuse(f, t) for f, t in zip(h, TOKENS[1:])]
    out = layer(w, "layer", np.stack(rows), np.stack(rows), range(len(rows)))[-1]
    for token in path:
        rows.append(fuse(out, token))
        out = layer(w, "layer", np.stack(rows), np.stack(rows), range(len(rows)))[-1]
    return out


def eagle3(w, h, e, path):
    def taken(f, t):
        return np.concatenate([norm(e[t], w["embedding_norm.weight"]), norm(f, w["hidden_norm.weight"])])

    stream = [w["fc.weight"] @ f for f in h]
    rows = [taken(f, t) for f, t in zip(stream, TOKENS[1:])]
    out = layer(w, "layer", np.stack(rows), np.stack(stream), range(len(rows)))[-1]
    for token in path:
        stream.append(out)
        rows.append(taken(out, token))
        out = layer(w, "layer", np.stack(rows), np.stack(stream), range(len(rows)))[-1]
    return norm(out, w["norm.weight"])


def fspad(w, h, e, path):
    def gated(f, t):
        both = np.concatenate([e[t], f])
        return w["down.weight"] @ (silu(w["gate.weight"] @ both) * (w["up.weight"] @ both))

    rows = [gated(f, t) for f, t in zip(h, TOKENS[1:])]
    out = layer(w, "layer", np.stack(rows), np.stack(rows), range(len(rows)))[-1]
    for token in path:
        rows.append(gated(w["feature.weight"] @ out, token))
        out = layer(w, "layer", np.stack(rows), np.stack(rows), range(len(rows)))[-1]
    return w["logits.weight"] @ out


def kangaroo(w, rows):
    """The adapter behind an exit layer, over all rows at once."""
    x = norm(rows, w["input_norm.weight"])
    return norm(rows + attention(w, "adapter", x, range(len(rows))), w["norm.weight"])


def main():
    rng = np.random.default_rng(7)
    FOLDER.mkdir(exist_ok=True)
    e = random(rng, VOCAB, N) * 2
    r = lambda *shape: random(rng, *shape)
    steps = range(1 + max(map(len, PATHS)))
    own = {"n_head": HEADS, "n_head_kv": KV, "rope_theta": THETA, "eps": EPS}
    heads = {
        "medusa": (medusa, {f"head.{k}.linear.{part}": r(*shape) for k in steps for part, shape in (("weight", (N, N)), ("bias", (N,)))}, {}, N),
        "hydra": (
            hydra,
            layer_weights(rng, "prefix", N, True)
            | {
                f"head.{k}.{part}": r(*shape)
                for k in steps
                for part, shape in (
                    ("residual.weight", (N, (k + 2) * N)),
                    ("linear.weight", (N, (k + 2) * N)),
                    ("linear.bias", (N,)),
                    ("block.weight", (N, N)),
                    ("block.bias", (N,)),
                )
            },
            own | {"blocks": 2},
            N,
        ),
        "clover": (
            clover,
            {f"mix.{part}.weight": r(N, N) for part in "qkv"}
            | {"first.weight": r(N, N), "later.weight": r(N, 2 * N), "norm.weight": r(N)}
            | layer_weights(rng, "layer.0", N, True)
            | layer_weights(rng, "layer.1", N, True),
            own | {"n_mix": 2},
            N,
        ),
        "chimera": (
            chimera,
            {"trigram.linear.weight": r(3 * N, 3 * N), "trigram.linear.bias": r(3 * N), "trigram.down.weight": r(N, 3 * N)}
            | {"lm_head.weight": r(len(DRAFT), 2 * N)}
            | layer_weights(rng, "layer", N, True),
            own,
            N,
        ),
        "eagle": (eagle, {"fc.weight": r(N, 2 * N), "fc.bias": r(N)} | layer_weights(rng, "layer", N, False), own, N),
        "eagle3": (
            eagle3,
            {"fc.weight": r(N, 3 * N), "embedding_norm.weight": r(N), "hidden_norm.weight": r(N), "norm.weight": r(N)}
            | {"lm_head.weight": r(len(DRAFT), N)}
            | layer_weights(rng, "layer", 2 * N, False),
            own | {"layers": "1,2,3"},
            3 * N,
        ),
        "fspad": (
            fspad,
            {"gate.weight": r(20, 2 * N), "up.weight": r(20, 2 * N), "down.weight": r(N, 20)}
            | {"feature.weight": r(N, N), "logits.weight": r(N, N)}
            | layer_weights(rng, "layer", N, False),
            own,
            N,
        ),
    }
    d2t = np.array(DRAFT) - np.arange(len(DRAFT))
    golden = {"tokens": TOKENS, "draft": DRAFT, "paths": PATHS, "embeddings": rounded(e), "heads": {}}
    for name, (forward, weights, settings, columns) in heads.items():
        h = r(len(TOKENS) - 1, columns) * 2
        safetensors.write(FOLDER / f"{name}.safetensors", weights | {"d2t": d2t}, {"kind": name} | settings)
        w = {key: value.astype(np.float64) for key, value in weights.items()}
        output = w.get("lm_head.weight", e[DRAFT].astype(np.float64))
        exact, wide = h.astype(np.float64), e.astype(np.float64)
        logits = [rounded(output @ forward(w, exact, wide, path)) for path in PATHS]
        golden["heads"][name] = {"hidden": rounded(h), "logits": logits}
    safetensors.write(FOLDER / "ppd.safetensors", {"prompt_emb": r(3, N)}, {"kind": "ppd"})
    transfers = {f"transfer.{k}.weight": r(N, N) for k in range(2)}
    safetensors.write(FOLDER / "hidden_transfer.safetensors", transfers, {"kind": "hidden_transfer", "layers": "1,2"})
    weights = {name: w for name, w in layer_weights(rng, "adapter", N, False).items() if ".attn_" in name}
    weights |= {"input_norm.weight": r(N), "norm.weight": r(N)}
    safetensors.write(FOLDER / "kangaroo.safetensors", weights | {"d2t": d2t}, {"kind": "kangaroo", "layer": 2} | own)
    rows = r(9, N) * 2
    out = kangaroo({name: w.astype(np.float64) for name, w in weights.items()}, rows.astype(np.float64))
    golden["adapter"] = {"rows": rounded(rows), "logits": rounded(out @ e[DRAFT].astype(np.float64).T)}
    (FOLDER / "golden.json").write_text(json.dumps(golden) + "\n")


def rounded(values):
    """Nine digits bring every float32 back."""
    return np.vectorize(lambda v: float(f"{v:.9g}"))(np.asarray(values, dtype=np.float64)).tolist()


if __name__ == "__main__":
    main()
