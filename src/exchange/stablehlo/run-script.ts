/**
 * What stands beside exported programs: a Python script that runs them under JAX, and shows how. Written for JAX 0.10, whose way to
 * compile a text is not among its public ones.
 */
export const RUN_SCRIPT = `# Runs under JAX what halomesh exported here: python run.py [PROGRAM [TIMES]], such as python run.py step.split 5
import json, os, sys
import jax, numpy as np
from jax._src.lib import _jax, xla_client
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from safetensors.numpy import load_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))
name, times = [*sys.argv[1:], *["step", "1"][len(sys.argv) - 1 :]]
told = json.load(open("programs.json"))
program, classes = told["programs"][name], len(told["classes"])
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_num_cpu_devices", program["devices"])  # of the CPU, where it is chosen (JAX_PLATFORMS=cpu)
devices = jax.devices()[: program["devices"]]
mesh = Mesh(np.reshape(devices, [*program["mesh"].values()]), [*program["mesh"]])
options = xla_client.CompileOptions.ParseFromString(open(name + ".options", "rb").read())
run = devices[0].client.compile_and_load(open(name + ".mlir").read(), _jax.DeviceList(tuple(devices)), options)
sharding = lambda port: NamedSharding(mesh, PartitionSpec(*port["axes"]))


def place(port, x):  # "places": where the devices' blocks are not all of one size, they are filled up with zeros
    x = np.pad(x, [(0, 1)] * np.ndim(x))[np.ix_(*port["places"])] if "places" in port else x
    return jax.device_put(np.asarray(x, port["dtype"]), sharding(port))


def whole(port, x):
    return np.asarray(x)[np.ix_(*[np.flatnonzero(np.array(at) >= 0) for at in port["places"]])] if "places" in port else x


held = load_file("weights.safetensors")
held = {port["name"]: place(port, held[port["name"]]) for port in program["arguments"] if port["kind"] == "variable"}
for time in range(int(times)):
    random, step = np.random.default_rng(time), told["steps"] + time
    for port in program["arguments"]:  # put your own image and labels here
        given = {"step": step, "pass": step, "learning_rate": 0.001, "labels": random.integers(classes, size=port["whole"])}
        if port["kind"] == "input":
            held[port["name"]] = place(port, given[port["name"]] if port["name"] in given else random.random(port["whole"]))
    parts = run.execute_sharded([held[port["name"]] for port in program["arguments"]]).disassemble_into_single_device_arrays()
    for port, part in zip(program["results"], parts):
        held[port["name"]] = jax.make_array_from_single_device_arrays(tuple(port["shape"]), sharding(port), part)
        if port["kind"] == "output":
            print(time, port["name"], float(whole(port, held[port["name"]]).mean()))
`;
