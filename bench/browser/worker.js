import * as ort from 'onnxruntime-web/wasm';
import oneThread from '../../native/wasm/halomesh.wasm?url';
import manyThreads from '../../native/wasm/halomesh-threads.wasm?url';
import { openGiven, scanAmong } from '../../src/app/given-scan.ts';
import { segmentScan } from '../../src/app/segment.ts';
import { mesh } from '../../src/core/index.ts';
import { wasmDevice } from '../../src/machine/wasm/index.ts';
import { Session, Tracer } from '../../src/run/index.ts';
import { kernelTimes } from '../../src/run/trace-table.ts';
import { voxelBox } from '../../src/train/predict/volume-parts.ts';
import { readWebRun, webGraph } from '../../src/train/record/web-run.ts';
import { interleaved } from '../../src/train/samples/interleaved.ts';

// A run on a scan: by the kernels in WebAssembly, or by ONNX Runtime Web as the run was exported.

async function bytesOf(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
let pass;
let image;
let tracer;

async function open({ threads, onnx }) {
  const opened = readWebRun(await bytesOf('/run.safetensors'), 'run');
  const given = new Map([['scan.nii.gz', await bytesOf('/scan.nii.gz')]]);
  const source = await openGiven(scanAmong(given, opened.run.channels), opened.run.prepare);
  const feed = (box) => interleaved(box[4], (channel) => source.image(voxelBox(box), channel));
  if (onnx) {
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.wasmPaths = '/ort/';
    const session = await ort.InferenceSession.create(await bytesOf('/net.onnx'), {
      executionProviders: ['wasm'],
    });
    const whole = await source.image({ start: [0, 0, 0], end: source.shape });
    image = new ort.Tensor('float32', whole, [1, 1, ...source.shape]);
    const [name] = session.inputNames;
    pass = async () => {
      const found = await session.run({ [name]: image });
      for (const tensor of Object.values(found)) tensor.dispose();
    };
    return { shape: source.shape };
  }
  const response = await fetch(threads > 1 ? manyThreads : oneThread);
  const module = await WebAssembly.compile(await response.arrayBuffer());
  const device = wasmDevice({ module, threads });
  tracer = new Tracer();
  const session = new Session({ device, mesh: mesh({}), layout: {}, seed: opened.run.seed, tracer });
  const program = await session.load(webGraph(opened.run, source.shape).graph, { idleRanks: true });
  for (const name of session.variables.names()) session.variables.set(name, opened.weights.get(name));
  pass = async () => {
    await program.runParts({ image: feed }, ['labels']);
    return device.moduleBytes;
  };
  return { shape: source.shape };
}

/** Segments as the page of `halomesh app` does, within a budget. */
async function segment({ threads, budget }) {
  const opened = readWebRun(await bytesOf('/run.safetensors'), 'run');
  const file = await (await fetch('/scan.nii.gz')).blob();
  const given = new Map([['scan.nii.gz', file]]);
  const begun = performance.now();
  const source = await openGiven(scanAmong(given, opened.run.channels), opened.run.prepare);
  const read = performance.now();
  const response = await fetch(threads > 1 ? manyThreads : oneThread);
  const module = await WebAssembly.compile(await response.arrayBuffer());
  const device = wasmDevice({ module, threads });
  let most = 0;
  const onPass = ({ done, all, bytes }) => {
    most = Math.max(most, bytes - device.held + device.moduleBytes);
    console.log(`${done} of ${all} passes`);
  };
  const { found, passes, predictedBytes } = await segmentScan(opened, source, { device, budget, onPass });
  const seconds = [(read - begun) / 1000, (performance.now() - read) / 1000];
  return { shape: source.shape, seconds, passes, most, predictedBytes, found };
}

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === 'segment') return postMessage(await segment(data));
    if (data.kind === 'open') return postMessage(await open(data));
    const begun = performance.now();
    const bytes = await pass();
    const seconds = (performance.now() - begun) / 1000;
    const last = tracer?.runs.slice(-1) ?? [];
    postMessage({ seconds, bytes, kernels: kernelTimes(last) });
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};
