/**
 * What stands beside exported programs: a Python script that runs them under JAX, and shows how. Written for JAX 0.10, whose way to
 * compile a text is not among its public ones.
 */
export const RUN_SCRIPT = `# Runs under JAX what halomesh exported here: python run.py [PROGRAM [TIMES]], such as python run.py step.split 5
import json
import os
import pathlib
import sys

here = pathlib.Path(__file__).resolve().parent
told = json.loads((here / "programs.json").read_text())
wanted = (sys.argv[1] if len(sys.argv) > 1 else "step") + ".mlir"
program = next(one for one in told["programs"] if one["file"] == wanted)
if os.environ.get("JAX_PLATFORMS") == "cpu":
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={program['devices']}"

import jax  # noqa: E402
import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402
from jax._src.lib import _jax, xla_client  # noqa: E402
from jax._src.sharding_impls import GSPMDSharding  # noqa: E402

jax.config.update("jax_enable_x64", True)
TYPES = {"f32": np.float32, "f64": np.float64, "bf16": ml_dtypes.bfloat16, "u8": np.uint8, "i32": np.int32}
devices = tuple(jax.devices()[: program["devices"]])


def compiled():
    """The program for its devices, and where its arguments and results lie."""
    count = len(devices)
    options = xla_client.CompileOptions()
    options.num_replicas, options.num_partitions = 1, count
    options.device_assignment = xla_client.DeviceAssignment.create(np.arange(count).reshape(1, count))
    options.executable_build_options.use_spmd_partitioning = count > 1
    options.executable_build_options.use_shardy_partitioner = program["shardy"]
    ids = np.array([device.id for device in devices]).reshape(1, count)
    options.device_assignment = xla_client.DeviceAssignment.create(ids)
    text = (here / program["file"]).read_text()
    loaded = devices[0].client.compile_and_load(text, _jax.DeviceList(devices), options)
    one = jax.sharding.SingleDeviceSharding(devices[0])

    def places(shardings, ports):
        return [GSPMDSharding(devices, s) for s in shardings] if shardings else [one] * len(ports)

    takes = places(loaded.get_parameter_shardings(), program["arguments"])
    return loaded, takes, places(loaded.get_output_shardings(), program["results"])


def blocks(port, whole):
    """A whole tensor as the program takes it: the blocks of all devices behind one another, where it is split by halomesh."""
    whole = np.asarray(whole, TYPES[port["dtype"]]).reshape(port["shape"])
    if "boxes" not in port:
        return whole
    all_blocks = np.zeros([len(port["boxes"]), *port["block"]], whole.dtype)
    for block, box in zip(all_blocks, port["boxes"]):
        block[tuple(slice(end - start) for start, end in box)] = whole[tuple(slice(*r) for r in box)]
    return all_blocks.reshape([-1, *port["block"][1:]])


def whole(port, array):
    """The other way round."""
    if "boxes" not in port:
        return np.asarray(array)
    out = np.zeros(port["shape"], TYPES[port["dtype"]])
    for block, box in zip(np.asarray(array).reshape([-1, *port["block"]]), port["boxes"]):
        out[tuple(slice(*r) for r in box)] = block[tuple(slice(end - start) for start, end in box)]
    return out


def weights():
    """Tensors of weights.safetensors by name."""
    data = (here / "weights.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    kinds = {"F32": np.float32, "F64": np.float64}
    return {
        name: np.frombuffer(data, kinds[at["dtype"]], offset=8 + length + at["data_offsets"][0], count=int(np.prod(at["shape"])))
        for name, at in header.items()
        if name != "__metadata__"
    }


def feeds(time):
    """Inputs of a run: put your own image and labels here."""
    random = np.random.default_rng(time)
    shapes = {port["name"]: port["shape"] for port in program["arguments"]}
    given = {name: random.random(shape) for name, shape in shapes.items()}
    step = told["steps"] + time
    classes = len(told["classes"])
    return given | {"labels": random.integers(classes, size=shapes.get("labels", ())), "step": step, "pass": step, "learning_rate": 0.001}


def main():
    run, takes, gives = compiled()
    state = weights()
    held = {
        port["name"]: jax.device_put(blocks(port, state[port["name"]]), place)
        for port, place in zip(program["arguments"], takes)
        if port["kind"] == "variable"
    }
    for time in range(int(sys.argv[2]) if len(sys.argv) > 2 else 1):
        given = feeds(time)
        arguments = [
            held[port["name"]] if port["kind"] == "variable" else jax.device_put(blocks(port, given[port["name"]]), place)
            for port, place in zip(program["arguments"], takes)
        ]
        parts = run.execute_sharded(arguments).disassemble_into_single_device_arrays()
        for port, place, part in zip(program["results"], gives, parts):
            shape = tuple(port["shape"])
            if "boxes" in port:
                shape = (len(port["boxes"]) * port["block"][0], *port["block"][1:])
            array = jax.make_array_from_single_device_arrays(shape, place, part)
            if port["kind"] == "variable":
                held[port["name"]] = array
            elif shape == ():
                print(time, port["name"], float(array))
            else:
                print(time, port["name"], whole(port, array).shape, float(whole(port, array).mean()))


main()
`;
