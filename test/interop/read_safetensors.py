"""Reads a checkpoint with safetensors: python read_safetensors.py FILE -> JSON on the standard output."""
import hashlib
import json
import sys

from safetensors import safe_open

with safe_open(sys.argv[1], framework="numpy") as file:
    tensors = {}
    for name in file.keys():
        array = file.get_tensor(name)
        digest = hashlib.sha256(array.tobytes()).hexdigest()
        tensors[name] = {"shape": array.shape, "dtype": array.dtype.str, "sha256": digest}
    print(json.dumps({"metadata": file.metadata(), "tensors": tensors}))
