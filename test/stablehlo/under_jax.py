# Runs StableHLO programs under JAX: python under_jax.py REQUEST.json ANSWER.json
#
# The request is a list of programs:
#   {name, text, devices, shardy, runs: [[bytes]], arguments: [{dtype, sizes, from}], results: [{dtype, sizes}]}
# A run gives the bytes of each argument, in base64; an argument without any takes the result of the run before that `from` numbers.
# The answer is, for each program, either {error} or {runs: [[bytes]], sends}: whether devices send each other boxes.
import base64
import json
import os
import sys

requests = json.load(open(sys.argv[1]))
devices = max(request["devices"] for request in requests)
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import ml_dtypes  # noqa: E402
import numpy as np  # noqa: E402
from jax._src.lib import _jax, xla_client  # noqa: E402
from jax._src.sharding_impls import GSPMDSharding  # noqa: E402
from jax.sharding import SingleDeviceSharding  # noqa: E402

jax.config.update("jax_enable_x64", True)
TYPES = {"f32": np.float32, "f64": np.float64, "bf16": ml_dtypes.bfloat16, "u8": np.uint8, "i32": np.int32}


def run(request):
    count = request["devices"]
    own = tuple(jax.devices()[:count])
    options = xla_client.CompileOptions()
    options.num_replicas, options.num_partitions = 1, count
    options.device_assignment = xla_client.DeviceAssignment.create(np.arange(count).reshape(1, count))
    options.executable_build_options.use_spmd_partitioning = count > 1
    options.executable_build_options.use_shardy_partitioner = request["shardy"]
    compiled = own[0].client.compile_and_load(request["text"], _jax.DeviceList(own), options)

    def shardings(told, count):
        if told is None:
            return [SingleDeviceSharding(own[0])] * count
        return [GSPMDSharding(own, one) for one in told]

    takes = shardings(compiled.get_parameter_shardings(), len(request["arguments"]))
    gives = shardings(compiled.get_output_shardings(), len(request["results"]))
    answers, last = [], []
    for given in request["runs"]:
        arguments = []
        for port, data, sharding in zip(request["arguments"], given, takes):
            if data is None:
                arguments.append(last[port["from"]])
                continue
            array = np.frombuffer(base64.b64decode(data), TYPES[port["dtype"]]).reshape(port["sizes"])
            arguments.append(jax.device_put(array, sharding))
        results = compiled.execute_sharded(arguments).disassemble_into_single_device_arrays()
        last = [
            jax.make_array_from_single_device_arrays(tuple(port["sizes"]), sharding, parts)
            for port, sharding, parts in zip(request["results"], gives, results)
        ]
        answers.append([base64.b64encode(np.asarray(array).tobytes()).decode() for array in last])
    return {"runs": answers, "sends": "collective-permute" in compiled.hlo_modules()[0].to_string()}


def tried(request):
    try:
        return run(request)
    except Exception as error:  # told in the answer, program by program
        return {"error": f"{type(error).__name__}: {error}"[:4000]}


json.dump([tried(request) for request in requests], open(sys.argv[2], "w"))
