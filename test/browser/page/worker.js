import url from '../../../native/wasm/halomesh.wasm?url';
import { wasmDevice } from '../../../src/browser.ts';
import { smallTraining } from '../small-training.ts';

const bytes = await (await fetch(url)).arrayBuffer();
const device = wasmDevice({ module: await WebAssembly.compile(bytes) });
postMessage({ isa: device.instructionSet, losses: await smallTraining(device) });
