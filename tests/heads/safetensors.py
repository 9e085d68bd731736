"""Writes safetensors files: the header's length, the header as JSON, the values."""

import json

import numpy as np

DTYPES = {"float16": "F16", "float32": "F32", "int32": "I32", "int64": "I64"}


def write(path, tensors, settings):
    header = {"__metadata__": {key: str(value) for key, value in settings.items()}}
    at, parts = 0, []
    for name, values in tensors.items():
        values = np.ascontiguousarray(values)
        part = values.tobytes()
        header[name] = {
            "dtype": DTYPES[values.dtype.name],
            "shape": list(values.shape),
            "data_offsets": [at, at + len(part)],
        }
        at += len(part)
        parts.append(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(len(text).to_bytes(8, "little") + text + b"".join(parts))
