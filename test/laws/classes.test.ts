import { describe, expect, it } from 'vitest';
import { Graph, type Layout, mesh, shape, uniform } from '../../src/core/index.ts';
import { cpuDevice, type Device, referenceDevice } from '../../src/machine/index.ts';
import { evenLoss, segmentationLoss } from '../../src/nn/index.ts';
import { argmax, convRaw, gradients, inputOf, reduceSum, softmax, windows } from '../../src/ops/index.ts';
import { showStep } from '../../src/plan/index.ts';
import { Session } from '../../src/run/index.ts';

// A loss over classes behind a last convolution, with its gradients: up to 16 classes they are part of the passes over the
// logits, beyond that kernels of their own, and nothing shows in the numbers.

const SPACE = { batch: 2, depth: 5, height: 4, width: 7 };
const POINT = windows({ depth: 1, height: 1, width: 1 }, { padding: 'same' });

function lastLayer(classes: number): Graph {
  const graph = new Graph();
  const x = inputOf(graph, 'x', shape({ ...SPACE, channel: 4 }));
  const weight = inputOf(graph, 'weight', shape({ kd: 1, kh: 1, kw: 1, channel: 4, class: classes }));
  const labels = inputOf(graph, 'labels', shape(SPACE), 'u8');
  const logits = convRaw(x, weight, POINT, 'class');
  const { loss, parts } = segmentationLoss(logits, labels, evenLoss(classes));
  const [dx, dw] = gradients(loss, [x, weight]);
  graph.output('loss', loss);
  graph.output('cross entropy', parts.crossEntropy);
  graph.output('predicted', argmax(logits, 'class'));
  graph.output('mean probability', reduceSum(softmax(logits, 'class'), ['depth', 'height', 'width'], 'f64'));
  graph.output('dx', dx!);
  graph.output('dw', dw!);
  return graph;
}

async function run(
  classes: number,
  device: Device,
  axes: Record<string, number> = {},
  layout: Layout = {},
  bad?: number,
): Promise<{ found: Record<string, Float64Array>; anchors: string[] }> {
  const session = new Session({ device, mesh: mesh(axes), layout });
  const program = await session.load(lastLayer(classes));
  const voxels = SPACE.batch * SPACE.depth * SPACE.height * SPACE.width;
  const labels = Uint8Array.from({ length: voxels }, (_, i) => Math.floor(classes * uniform(4, 5, 6, i)));
  if (bad !== undefined) labels[bad] = classes;
  const found = await program.run({
    x: Float32Array.from({ length: 4 * voxels }, (_, i) => uniform(1, 2, 3, i) - 0.5),
    weight: Float32Array.from({ length: 4 * classes }, (_, i) => 6 * uniform(7, 8, 9, i) - 3),
    labels,
  });
  program.free();
  const anchors = program.plan.steps.flatMap((step) =>
    step.kind === 'kernel' && step.anchor ? [showStep(step).split(' ')[0]] : [],
  );
  return {
    found: Object.fromEntries(Object.entries(found).map(([name, data]) => [name, Float64Array.from(data)])),
    anchors,
  };
}

const cpu = cpuDevice({ threads: 2 });
const OWN_KERNELS = [
  'softmax',
  'argmax',
  'cross_entropy',
  'class_sums',
  'cross_entropy_grad',
  'class_sums_grad',
];

describe.each([2, 3, 4, 5, 16, 17, 20])('a loss over %i classes', (classes) => {
  it.each<[Record<string, number>, Layout]>([
    [{}, {}],
    [{ a: 3 }, { depth: 'a' }],
    [
      { a: 2, b: 2 },
      { batch: 'a', width: 'b' },
    ],
    [
      { a: 2, b: 2 },
      { class: 'a', height: 'b' },
    ],
  ])('on mesh %j with layout %j equals the reference', async (axes, layout) => {
    const expected = (await run(classes, referenceDevice())).found;
    const { found, anchors } = await run(classes, cpu, axes, layout);
    for (const [name, data] of Object.entries(expected)) {
      const scale = Math.max(...data.map(Math.abs));
      expect(Math.max(...data.map((y, i) => Math.abs(y - found[name][i]))) / scale).toBeLessThan(2e-5);
    }
    const own = anchors.filter((name) => OWN_KERNELS.includes(name));
    if (classes > 16) expect(new Set(own)).toEqual(new Set(OWN_KERNELS));
    else if (layout.class === undefined) expect(own).toEqual([]);
    // Values over split classes are not evaluated where they are loaded: a load may ask for some classes only.
    else expect(own).not.toContain('cross_entropy');
  });

  it('has the same bits on every mesh in space', async () => {
    const one = (await run(classes, cpu)).found;
    for (const parts of [2, 5]) {
      const { found } = await run(classes, cpu, { a: parts }, { depth: 'a' });
      expect(found).toEqual(one);
    }
  });

  it('names a label that is no class', async () => {
    const at = `label ${classes} at (n 0, d 1, h 2, w 3): expected a whole number from 0 to ${classes - 1}`;
    await expect(run(classes, cpu, {}, {}, 28 + 14 + 3)).rejects.toThrow(at);
  });
});
