import * as hm from 'halomesh/browser';
import kernels from 'halomesh/halomesh.wasm?url';

// Reads a scan in the page, says what a training step on it would take, and trains a small network on its middle by the kernels in
// WebAssembly, which the page brings. Nothing else is asked for.
//
//   npx vite examples/browser

const said = document.querySelector('#said');
const say = (text) => {
  said.textContent += `${text}\n`;
};

/** The loss of a network that tells bright voxels from dark ones, over the box `space`. */
function training(space) {
  const ctx = new hm.Context({ seed: 1 });
  const image = hm.inputOf(ctx.graph, 'image', hm.shape({ batch: 1, ...space, channel: 1 }));
  const labels = hm.inputOf(ctx.graph, 'labels', hm.shape({ batch: 1, ...space }), 'u8');
  const rate = hm.inputOf(ctx.graph, 'rate', [], 'f64');
  const features = hm.convBlock(ctx, image, { filters: 4, kernel: 3 });
  const scores = hm.conv(ctx, features, { filters: 2, kernel: 1, bias: true, out: 'class' });
  const { loss } = hm.segmentationLoss(scores, labels, hm.evenLoss(2));
  const weights = ctx.trainable.map((parameter) => parameter.value);
  hm.applyOptimizer(ctx, { kind: 'adam' }, ctx.trainable, hm.gradients(loss, weights), rate);
  ctx.graph.output('loss', loss);
  return ctx.graph;
}

/** The middle of a scan, `size` voxels along each axis at most, from 0 to 1. */
function middle({ data, shape }, size) {
  const box = shape.map((n) => Math.min(n, size));
  const from = shape.map((n, axis) => Math.floor((n - box[axis]) / 2));
  const values = new Float32Array(box[0] * box[1] * box[2]);
  for (let n = 0; n < values.length; n++) {
    const at = [Math.floor(n / (box[1] * box[2])), Math.floor(n / box[2]) % box[1], n % box[2]];
    const [k, j, i] = at.map((index, axis) => index + from[axis]);
    values[n] = data[(k * shape[1] + j) * shape[2] + i];
  }
  const least = values.reduce((a, b) => Math.min(a, b));
  const range = values.reduce((a, b) => Math.max(a, b)) - least || 1;
  return {
    space: { depth: box[0], height: box[1], width: box[2] },
    values: values.map((v) => (v - least) / range),
  };
}

async function show(files) {
  const given = new Map([...files].map((file) => [file.name, file]));
  // Several files are a DICOM series, or a header and its data.
  const header = [...given.keys()].find((name) => /\.(nhdr|mhd|hdr)$/i.test(name));
  const scan = await hm.readGivenScan(given, given.size === 1 ? files[0].name : (header ?? ''));
  const spacing = hm.spacingOf(scan).map((mm) => mm.toFixed(2));
  say(`${scan.header.format}: ${scan.shape.join(' x ')} voxels of ${spacing.join(' x ')} mm`);

  const [depth, height, width] = scan.shape;
  const whole = await new hm.Session({ device: hm.nullDevice() }).load(training({ depth, height, width }));
  const { flops } = hm.explainPlan(whole.plan);
  say(`a training step on the whole scan: ${(flops / 1e9).toFixed(2)} GFLOP`);
  whole.free();

  const { space, values } = middle(scan, 32);
  const module = await WebAssembly.compile(await (await fetch(kernels)).arrayBuffer());
  const program = await new hm.Session({ device: hm.wasmDevice({ module }) }).load(training(space));
  const labels = Uint8Array.from(values, (value) => (value > 0.5 ? 1 : 0));
  for (let step = 0; step < 5; step++) {
    const numbers = { step: Int32Array.of(step), rate: Float64Array.of(0.05) };
    const { loss } = await program.run({ image: values, labels, ...numbers });
    say(`step ${step + 1}: loss ${loss[0]}`);
  }
  program.free();
  say('done');
}

document.querySelector('#files').addEventListener('change', ({ target }) => {
  said.textContent = '';
  show(target.files).catch((error) => say(error.message));
});
