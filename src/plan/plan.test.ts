import { describe, expect, it } from 'vitest';
import { Graph, mesh, shape, showShape } from '../core/index.ts';
import { CPU_TARGET } from '../machine/index.ts';
import { buildTraining } from '../nn/index.ts';
import { convRaw, inputOf, leakyRelu, maxPoolRaw, softmax, variableOf, windows } from '../ops/index.ts';
import { explainPlan, formatPlan } from './explain.ts';
import { packArena } from './memory/place.ts';
import { showPlanStep } from './memory/schedule.ts';
import { makePlan } from './plan.ts';
import { printProgram } from './program.ts';
import { partition } from './split/partition.ts';

/** Two convolutions with an activation between them, and pooling. */
function small(): Graph {
  const graph = new Graph();
  const x = inputOf(graph, 'x', shape({ depth: 7, height: 4, width: 4, channel: 1 }));
  const weight = (name: string, i: number, o: number) =>
    variableOf(graph, {
      name,
      dtype: 'f32',
      shape: shape({ kd: 3, kh: 1, kw: 1, channel_in: i, channel: o }),
      init: { kind: 'constant', value: 1 },
      trainable: true,
    });
  const window = windows({ depth: 3, height: 1, width: 1 }, { padding: 'same' });
  const y = leakyRelu(convRaw(x, weight('a', 1, 2), window));
  graph.output('y', maxPoolRaw(convRaw(y, weight('b', 2, 2), window), windows({ depth: 2 }, { stride: 2 })));
  return graph;
}

describe('partition', () => {
  it('exchanges stored tensors, recomputes element-wise ones in the margin, and keeps pooling local', () => {
    const program = partition(small(), mesh({ a: 2 }), { depth: 'a' });
    expect(printProgram(program, 0)).toMatchInlineSnapshot(`
      "%0:f32[depth=7 height=4 width=4 channel=1]@[0:4 0:4 0:4 0:1] = input() {name=x shape=[depth=7 height=4 width=4 channel=1] dtype=f32}
      %2:f32[depth=7 height=4 width=4 channel=1]@[0:5 0:4 0:4 0:1] = exchange(%0) {transfers=2 bytes=128}
      %1:f32[kd=3 kh=1 kw=1 channel_in=1 channel=2]@[0:3 0:1 0:1 0:1 0:2] = variable() {name=a dtype=f32 shape=[kd=3 kh=1 kw=1 channel_in=1 channel=2] init={kind=constant value=1} trainable=true}
      %3:f32[depth=7 height=4 width=4 channel=2]@[0:4 0:4 0:4 0:2] = conv(%2, %1) {window={depth=k3 s1 d1 p1:1 height=k1 s1 d1 p0:0 width=k1 s1 d1 p0:0}}
      %6:f32[depth=7 height=4 width=4 channel=2]@[0:5 0:4 0:4 0:2] = exchange(%3) {transfers=2 bytes=256}
      %4:f32[depth=7 height=4 width=4 channel=2]@[0:5 0:4 0:4 0:2] = leakyRelu(%6) {slope=0.1}
      %5:f32[kd=3 kh=1 kw=1 channel_in=2 channel=2]@[0:3 0:1 0:1 0:2 0:2] = variable() {name=b dtype=f32 shape=[kd=3 kh=1 kw=1 channel_in=2 channel=2] init={kind=constant value=1} trainable=true}
      %7:f32[depth=7 height=4 width=4 channel=2]@[0:4 0:4 0:4 0:2] = conv(%4, %5) {window={depth=k3 s1 d1 p1:1 height=k1 s1 d1 p0:0 width=k1 s1 d1 p0:0}}
      %8:f32[depth=3 height=4 width=4 channel=2]@[0:2 0:4 0:4 0:2] = max_pool(%7) {window={depth=k2 s2 d1 p0:0}}
      output y = %8"
    `);
  });
});

describe('makePlan', () => {
  it('fuses the activation into the load of the next convolution', () => {
    const plan = makePlan(small(), mesh({ a: 2 }), { depth: 'a' }, CPU_TARGET);
    expect(plan.steps.map(showPlanStep).join('\n')).toMatchInlineSnapshot(`
      "exchange %2
      conv (%2 %1) -> %3
      exchange %6
      conv + leakyRelu (%6 %5) -> %7
      max_pool (%7) -> %8"
    `);
  });

  it('stores the gradient of a concat as its parts, and no slice is left in a training step of a U-Net', () => {
    const { graph } = buildTraining({
      image: shape({ batch: 1, depth: 16, height: 16, width: 16, channel: 1 }),
      network: { base: 16, levels: 3 },
    });
    const steps = makePlan(graph, mesh({ z: 2 }), { depth: 'z' }, CPU_TARGET).steps;
    const kernels = steps.filter((step) => step.kind === 'kernel');
    expect(graph.nodes.filter((node) => node.op.name === 'slice')).toHaveLength(4);
    expect(kernels.filter((step) => step.anchor?.op.name === 'slice')).toEqual([]);
    const parts = kernels.filter((step) => step.nodes.some((node) => node.op.name === 'slice'));
    expect(
      parts.map((step) => [step.anchor?.name, ...step.writes.map((value) => showShape(value.shape))]),
    ).toMatchInlineSnapshot(`
      [
        [
          "up0/conv0/grad",
          "[batch=1 depth=16 height=16 width=16 channel=16]",
          "[batch=1 depth=16 height=16 width=16 channel=16]",
        ],
        [
          "up1/conv0/grad",
          "[batch=1 depth=8 height=8 width=8 channel=32]",
          "[batch=1 depth=8 height=8 width=8 channel=32]",
        ],
      ]
    `);
  });

  it('says what a device cannot run', () => {
    const graph = new Graph();
    graph.output('y', softmax(inputOf(graph, 'x', shape({ depth: 3, class: 2 })), 'depth'));
    expect(() => makePlan(graph, mesh({}), {}, CPU_TARGET)).toThrow(
      'device cpu: cannot run softmax ("depth" is not the last dimension)',
    );
  });

  it('explains a whole training step without running it', () => {
    const built = buildTraining({
      image: shape({ batch: 1, depth: 512, height: 512, width: 512, channel: 1 }),
    });
    const layout = { depth: 'z', height: 'y', width: 'x' };
    const plan = makePlan(built.graph, mesh({ z: 4, y: 2, x: 2 }), layout, CPU_TARGET);
    const report = explainPlan(plan);
    // 5,598,144 weights of convolutions, 2,816 of norms, 3 biases.
    expect(report.parameters).toBe(5_600_963);
    expect(report.ranks).toHaveLength(16);
    expect(report.ranks[15].boxes.image).toBe('[0:1 384:512 256:512 256:512 0:1]');
    const sum = report.collectives.reduce((n, c) => n + c.bytes, 0);
    expect(report.bytesSent.total).toBe(sum);
    expect(formatPlan(report)).toContain('mesh          z=4 y=2 x=2, layout depth:z height:y width:x');
  });
});

it('packs buffers whose lives do not meet into the same bytes', () => {
  const items = [
    { bytes: 100, birth: 0, death: 2 },
    { bytes: 60, birth: 3, death: 4 },
    { bytes: 40, birth: 3, death: 5 },
    { bytes: 10, birth: 1, death: 5 },
  ];
  const { offsets, total } = packArena(items);
  expect(total).toBe(110);
  expect(offsets).toEqual([0, 0, 60, 100]);
});
