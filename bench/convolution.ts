import * as hm from 'halomesh';
import { type Layer, outputSize } from './layers.ts';

// One convolution by the way that every network takes: a graph, a session, runs; the times are those of the trace.

export const PASSES = ['forward', 'input gradient', 'weight gradient'] as const;
export type Pass = (typeof PASSES)[number];
export type Precision = 'f32' | 'bf16';

export interface KernelMeasure {
  /** Of every run. */
  readonly seconds: readonly number[];
  readonly flops: number;
  /** Of what the kernel reads and writes. */
  readonly bytes: number;
  /** Best multiply-add peak of those measured between its runs, operations a second. */
  readonly peak: number;
}

const AXES = ['depth', 'height', 'width'] as const;
const cube = (n: number) => ({ depth: n, height: n, width: n });

/** Random numbers for inputs of any size. */
let noise = new Float32Array(0);
function numbers(count: number): Float32Array {
  if (noise.length < count) {
    noise = new Float32Array(count);
    let state = 1;
    for (let i = 0; i < count; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      noise[i] = state / 2 ** 31;
    }
  }
  return noise.subarray(0, count);
}

/** A graph that does one pass of a convolution, and the operation that does it. */
function graphOf(layer: Layer, pass: Pass, precision: Precision): { graph: hm.Graph; op: string } {
  const graph = new hm.Graph();
  const input = (name: string, shape: hm.Shape, dtype: hm.DType): hm.Value =>
    hm.inputOf(graph, name, shape, dtype);
  const image = (size: number, channel: number): hm.Shape => hm.shape({ batch: 1, ...cube(size), channel });
  const { kernel, stride, dilation, pad, from, to, transposed } = layer;
  const out = outputSize(layer);
  const extra = transposed
    ? 0
    : Math.max(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - layer.size - pad);
  const window = hm.windows(cube(kernel), { stride, dilation, padding: [pad, extra] });
  const channels = from.reduce((sum, n) => sum + n, 0);
  const parts = () => {
    const list = from.map((n, i) => input(`x${i}`, image(layer.size, n), precision));
    return list.length === 1 ? list[0] : hm.concat(list, 'channel');
  };
  // A transposed layer is the input gradient of the convolution that leads back, whose weight goes from `to` to `from`.
  const [inward, outward] = transposed ? [to, channels] : [channels, to];
  const kernels = hm.shape(Object.fromEntries(AXES.map((axis) => [`kernel_${axis}`, kernel])));
  const weightShape = [...kernels, ...hm.shape({ channel_in: inward, channel: outward })];
  const weight = () => input('weight', weightShape, 'f32');
  const dy = () => input('dy', image(out, to), precision);
  const gradient = { shape: weightShape, dtype: 'f32' as const };
  const make = (): [hm.Value, string] => {
    if (pass === 'forward')
      return transposed
        ? [hm.convTransposeRaw(parts(), weight(), window, image(out, to)), 'conv_transpose']
        : [hm.convRaw(parts(), weight(), window), 'conv'];
    if (pass === 'input gradient')
      return transposed
        ? [hm.convRaw(dy(), weight(), window, 'channel'), 'conv']
        : [hm.convTransposeRaw(dy(), weight(), window, image(layer.size, channels)), 'conv_transpose'];
    return transposed
      ? [hm.convWeightGradRaw(dy(), parts(), window, gradient), 'conv_weight_grad']
      : [hm.convWeightGradRaw(parts(), dy(), window, gradient), 'conv_weight_grad'];
  };
  const [value, op] = make();
  graph.output('result', value);
  return { graph, op };
}

/** Seconds of a look at the peak between two runs. */
const LOOK = 0.02;

/** Measures one pass on some threads: `runs` of it after one that does not count, with a look at the peak before each. */
export async function measurePass(
  layer: Layer,
  pass: Pass,
  precision: Precision,
  threads: number,
  runs: number,
): Promise<KernelMeasure> {
  const { graph, op } = graphOf(layer, pass, precision);
  const tracer = new hm.Tracer({ keep: runs + 1 });
  const program = await new hm.Session({ device: hm.cpuDevice({ threads }), tracer }).load(graph);
  const inputs = Object.fromEntries(
    [...program.plan.program.inputs].map(([name, { shape }]) => [
      name,
      numbers(shape.reduce((n, dim) => n * dim.size, 1)),
    ]),
  );
  let peak = 0;
  try {
    for (let i = 0; i <= runs; i++) {
      peak = Math.max(peak, hm.peakFlops(threads, LOOK));
      await program.run(inputs, []);
    }
  } finally {
    program.free();
  }
  const events = tracer.runs.slice(1).flatMap((run) => run.events.filter(({ name }) => name === op));
  const seconds = events.map(({ duration }) => duration / 1000);
  const [{ flops, bytes }] = events;
  return { seconds, flops, bytes, peak };
}
