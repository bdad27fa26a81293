import { describe, expect, it } from 'vitest';
import {
  type DType,
  Graph,
  type Layout,
  mesh,
  shape,
  uniform,
  type Value,
  volume,
} from '../../src/core/index.ts';
import { CALL_FUSION, cpuDevice, type Device, nullDevice } from '../../src/machine/index.ts';
import {
  castTo,
  concat,
  convRaw,
  evaluate,
  gradients,
  inputOf,
  mul,
  reduceSum,
  slice,
  square,
  windows,
} from '../../src/ops/index.ts';
import { makePlan, showPlanStep } from '../../src/plan/index.ts';
import { Session } from '../../src/run/index.ts';

// A tensor that is read in parts only is stored as its parts: the same numbers, bit for bit, as when it is stored and cut up
// afterwards, on every mesh; and where it cannot be, it is cut up afterwards.

const SPACE = { batch: 2, depth: 5, height: 2, width: 5 };
const THREE = windows({ depth: 3, height: 3, width: 3 }, { padding: 'same' });
const cpu = cpuDevice({ threads: 2 });
/** The CPU device without stores of parts. */
const cutting: Device = Object.create(cpu, {
  target: { value: { ...cpu.target, fusion: { ...CALL_FUSION, parts: () => false } } },
});

function inputs(graph: Graph, sizes: Readonly<Record<string, readonly number[]>>, dtype: DType): Value[] {
  return Object.entries(sizes).map(([name, [channels, more]]) =>
    more === undefined
      ? castTo(inputOf(graph, name, shape({ ...SPACE, channel: channels })), dtype)
      : inputOf(graph, name, shape({ kd: 3, kh: 3, kw: 3, channel_in: channels, channel: more })),
  );
}

/** Gradients of a convolution of a concat for its parts, each used with its neighbours in the gradient of another one. */
function joined(channels: readonly number[], dtype: DType): Graph {
  const graph = new Graph();
  const sizes = Object.fromEntries(channels.map((c, i) => [`x${i}`, [c]]));
  const parts = inputs(graph, sizes, dtype);
  const whole = channels.reduce((a, b) => a + b);
  const [first, weight] = inputs(graph, { first: [channels[0], channels[0]], weight: [whole, 3] }, 'f32');
  const head = convRaw(parts[0], first, THREE);
  const y = square(convRaw(concat([head, ...parts.slice(1)], 'channel'), weight, THREE));
  const loss = reduceSum(
    y,
    y.shape.map((dim) => dim.name),
    'f64',
  );
  gradients(loss, parts).forEach((gradient, i) => {
    graph.output(`g${i}`, gradient!);
  });
  return graph;
}

async function run(
  graph: Graph,
  device: Device,
  axes: Record<string, number> = {},
  layout: Layout = {},
): Promise<Record<string, Float64Array>> {
  const session = new Session({ device, mesh: mesh(axes), layout });
  const program = await session.load(graph, { idleRanks: true });
  const found = await program.run(feeds(graph));
  program.free();
  return Object.fromEntries(Object.entries(found).map(([name, data]) => [name, Float64Array.from(data)]));
}

function feeds(graph: Graph): Record<string, Float32Array> {
  const values = graph.nodes.filter((node) => node.op.name === 'input').map((node) => node.outputs[0]);
  return Object.fromEntries(
    values.map((value, k) => [
      (value.node.call.attrs as unknown as { name: string }).name,
      Float32Array.from({ length: volume(value.shape) }, (_, i) => uniform(1, k, 3, i) - 0.5),
    ]),
  );
}

const slices = (graph: Graph, axes: Record<string, number> = {}, layout: Layout = {}): number =>
  makePlan(graph, mesh(axes), layout, cpu.target).steps.filter((step) =>
    showPlanStep(step).startsWith('slice'),
  ).length;

const MESHES: readonly [Record<string, number>, Layout][] = [
  [{}, {}],
  [{ a: 2 }, { depth: 'a' }],
  [{ a: 7 }, { depth: 'a' }],
  [
    { a: 2, b: 3 },
    { batch: 'a', width: 'b' },
  ],
  [
    { a: 2, b: 2, c: 2 },
    { depth: 'a', height: 'b', width: 'c' },
  ],
];

describe.each([[[16, 16]], [[32, 16]], [[16, 48]], [[16, 16, 16]], [[32, 5]], [[16, 24]]] as const)(
  'gradients of a concat of %j channels',
  (channels) => {
    it.each(['f32', 'bf16'] as const)('in %s are stored apart, with the same bits', async (dtype) => {
      const graph = joined(channels, dtype);
      const expected = await run(graph, cutting);
      for (const [axes, layout] of MESHES) {
        expect(slices(graph, axes, layout)).toBe(0);
        expect(await run(graph, cpu, axes, layout)).toEqual(expected);
      }
      const given = Object.fromEntries(
        Object.entries(feeds(graph)).map(([name, data]) => [name, Float64Array.from(data)]),
      );
      const names = channels.map((_, i) => `g${i}`);
      const truth = evaluate(
        graph,
        given,
        names.map((name) => graph.outputs.get(name)!),
      );
      const tolerance = dtype === 'bf16' ? 2e-2 : 2e-5;
      names.forEach((name, i) => {
        const scale = Math.max(...truth[i].map(Math.abs));
        const apart = Math.max(...truth[i].map((x, k) => Math.abs(x - expected[name][k])));
        expect(apart / scale).toBeLessThan(tolerance);
      });
    });
  },
);

describe('parts are cut from the whole', () => {
  it.each([[[8, 8]], [[24, 24]], [[20, 16]]] as const)('where %j channels cut a block', async (channels) => {
    const graph = joined(channels, 'f32');
    expect(slices(graph)).toBe(channels.length);
    const whole = await run(graph, cpu);
    expect(await run(graph, cpu, { a: 2 }, { depth: 'a' })).toEqual(whole);
  });

  it('where the channels are split', () => {
    expect(slices(joined([16, 16], 'f32'), { a: 2 }, { channel: 'a' })).toBe(2);
  });

  it('on devices without row programs', () => {
    const plan = makePlan(joined([16, 16], 'f32'), mesh({}), {}, nullDevice().target);
    expect(plan.steps.filter((step) => showPlanStep(step).startsWith('slice'))).toHaveLength(2);
  });

  const used = (use: (graph: Graph, y: Value) => void): Graph => {
    const graph = new Graph();
    const [x] = inputs(graph, { x: [16] }, 'f32');
    const [weight] = inputs(graph, { weight: [16, 32] }, 'f32');
    use(graph, convRaw(x, weight, THREE));
    return graph;
  };
  const halves = (graph: Graph, y: Value): void => {
    graph.output('low', slice(y, { channel: [0, 16] }));
    graph.output('high', slice(y, { channel: [16, 32] }));
  };

  it('but not where nothing else reads it', () => {
    expect(slices(used(halves))).toBe(0);
  });

  it.each<[string, (graph: Graph, y: Value) => void]>([
    ['is an output itself', (graph, y) => graph.output('y', y)],
    ['is read by an element-wise operation', (graph, y) => graph.output('more', mul(y, y))],
    ['is summed', (graph, y) => graph.output('sum', reduceSum(y, ['depth', 'height', 'width'], 'f64'))],
    ['is cut along space, too', (graph, y) => graph.output('front', slice(y, { depth: [0, 2] }))],
  ])('where the whole %s', async (_, more) => {
    const graph = used((g, y) => {
      halves(g, y);
      more(g, y);
    });
    expect(slices(graph)).toBeGreaterThanOrEqual(2);
    expect(await run(graph, cpu)).toEqual(await run(graph, cutting));
  });
});
