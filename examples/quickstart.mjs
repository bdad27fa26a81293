import * as hm from 'halomesh';

// The model: named dimensions, no devices.
const space = { depth: 32, height: 32, width: 32 };
const ctx = new hm.Context({ seed: 1 });
const image = hm.inputOf(ctx.graph, 'image', hm.shape({ batch: 1, ...space, channel: 1 }));
const labels = hm.inputOf(ctx.graph, 'labels', hm.shape({ batch: 1, ...space }), 'u8');
const rate = hm.inputOf(ctx.graph, 'rate', [], 'f64');
let x = hm.convBlock(ctx, image, { filters: 8, kernel: 3 });
x = hm.convBlock(ctx, hm.maxPool(x, 2), { filters: 16, kernel: 3 });
x = hm.upsample(hm.convBlock(ctx, x, { filters: 8, kernel: 3 }), image.shape);
const scores = hm.conv(ctx, x, { filters: 2, kernel: 1, bias: true, out: 'class' });
const { loss } = hm.segmentationLoss(scores, labels, hm.evenLoss(2));
const weights = ctx.trainable.map((parameter) => parameter.value);
hm.applyOptimizer(ctx, { kind: 'adam' }, ctx.trainable, hm.gradients(loss, weights), rate);
ctx.graph.output('loss', loss);
// Where it runs: change this line and nothing else.
const placement = { mesh: hm.mesh({ z: 2, y: 2, x: 2 }), layout: { depth: 'z', height: 'y', width: 'x' } };
const program = await new hm.Session({ device: hm.cpuDevice(), ...placement }).load(ctx.graph);
// The task: find a bright ball in noise.
const far = (n) => Math.hypot((n >> 10) - 16, ((n >> 5) % 32) - 16, (n % 32) - 10);
const truth = Uint8Array.from({ length: 32 ** 3 }, (_, n) => (far(n) < 8 ? 1 : 0));
for (let step = 0; step < 30; step++) {
  const noisy = Float32Array.from(truth, (label) => 0.3 * label + Math.random());
  const numbers = { step: Int32Array.of(step), rate: Float64Array.of(0.01) };
  const result = await program.run({ image: noisy, labels: truth, ...numbers });
  console.log(`step ${step + 1}: loss ${result.loss[0].toFixed(4)}`);
}
