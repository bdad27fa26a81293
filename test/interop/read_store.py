"""Reads a store of preprocessed cases with zarr: python read_store.py STORE -> JSON on the standard output."""
import hashlib
import json
import sys

import zarr

store = zarr.open_group(sys.argv[1], mode="r")
cases = {}
for name, case in store.groups():
    arrays = {}
    for key, array in case.arrays():
        voxels = array[:]
        arrays[key] = {
            "shape": voxels.shape,
            "dtype": voxels.dtype.str,
            "sha256": hashlib.sha256(voxels.tobytes()).hexdigest(),
        }
    cases[name] = {"arrays": arrays, "attributes": case.attrs.asdict()}
print(json.dumps({"attributes": store.attrs.asdict(), "cases": cases}))
