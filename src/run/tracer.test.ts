import { describe, expect, it } from 'vitest';
import { mesh, shape } from '../core/index.ts';
import { cpuDevice, type Device } from '../machine/index.ts';
import { buildTraining } from '../nn/index.ts';
import { Session } from './session.ts';
import { rate, type TraceEvent } from './trace.ts';
import { kernelTable, kernelTimes } from './trace-table.ts';
import { Tracer, type TracerOptions } from './tracer.ts';

const SIZE = 8;

/** Traces training steps of a small U-Net over two ranks. */
async function trace(steps: number, options?: TracerOptions, device: Device = cpuDevice({ threads: 1 })) {
  const tracer = new Tracer(options);
  const placement = { mesh: mesh({ z: 2 }), layout: { depth: 'z' } };
  const session = new Session({ device, ...placement, tracer });
  const image = shape({ batch: 1, depth: SIZE, height: SIZE, width: SIZE, channel: 1 });
  const program = await session.load(buildTraining({ image, network: { base: 2, levels: 2 } }).graph, {
    name: 'train',
  });
  const feed = (step: number) => ({
    image: new Float32Array(SIZE ** 3),
    labels: new Uint8Array(SIZE ** 3),
    step: Int32Array.of(step),
    learning_rate: Float64Array.of(1e-3),
  });
  for (let step = 0; step < steps; step++) {
    if (step > 0) tracer.next(`step ${step}`);
    await program.run(feed(step), ['loss']);
  }
  return { tracer, plan: program.plan, run: () => program.run(feed(steps), ['loss']) };
}

interface Shown {
  readonly name: string;
  readonly ph: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: Readonly<Record<string, unknown>>;
}

function read(tracer: Tracer): Shown[] {
  return (JSON.parse([...tracer.text()].join('')) as { traceEvents: Shown[] }).traceEvents;
}

it('tells rates in billions a second', () => {
  expect(rate(3e9, 1000)).toBe(3);
  expect(rate(2.5e8, 10)).toBe(25);
});

describe('the text of a trace', () => {
  it('has a row for the runs and one for each rank, with every kernel and collective', async () => {
    const { tracer, plan } = await trace(3);
    const events = read(tracer);
    expect(events.find(({ name }) => name === 'process_name')!.args.name).toBe('halomesh');
    const rows = events.filter(({ name }) => name === 'thread_name').map(({ tid, args }) => [tid, args.name]);
    expect(rows).toEqual([
      [0, 'runs'],
      [1, 'rank 0'],
      [2, 'rank 1'],
    ]);
    const runs = events.filter(({ ph, tid }) => ph === 'X' && tid === 0);
    expect(runs.map(({ name }) => name)).toEqual(['train (run 1)', 'step 1', 'step 2']);
    for (const tid of [1, 2]) {
      const steps = events.filter((event) => event.ph === 'X' && event.tid === tid);
      expect(steps).toHaveLength(3 * plan.steps.length);
      const wall = runs.reduce((sum, { dur }) => sum + dur, 0);
      expect(steps.reduce((sum, { dur }) => sum + dur, 0)).toBeLessThanOrEqual(wall);
      const conv = steps.find(({ name, args }) => name === 'conv' && args.layer === 'down0/conv1')!;
      expect(conv.args).toMatchObject({ run: 'train (run 1)', bytes: expect.any(Number) });
      // Rounded to hundredths: a small kernel that was kept waiting may show 0.
      expect(conv.args).toMatchObject({ 'GFLOP/s': expect.any(Number) });
      expect(conv.args['GB/s']).toBeCloseTo(rate(Number(conv.args.bytes), conv.dur / 1000), 1);
      expect(steps.some(({ name }) => name === 'exchange')).toBe(true);
      expect(steps.some(({ name }) => name === 'all_reduce')).toBe(true);
    }
    // Ranks of one process take turns: what they worked, waiting left out, does not overlap.
    for (const run of tracer.runs) {
      const worked = run.events.reduce((sum, event) => sum + event.duration - event.waited, 0);
      expect(worked).toBeLessThanOrEqual(run.duration!);
    }
  });

  it('keeps the last runs only', async () => {
    const { tracer } = await trace(5, { keep: 2 });
    expect(tracer.runs.map(({ name }) => name)).toEqual(['step 3', 'step 4']);
  });

  it('is whole when a run fails on the way, and says so', async () => {
    const device = cpuDevice({ threads: 1 });
    let left = Number.POSITIVE_INFINITY;
    const copy = device.copy.bind(device);
    device.copy = (to, from, box) => {
      const launch = copy(to, from, box);
      const run = () => {
        if (left-- <= 0) throw new Error('the wire is cut');
        launch.run();
      };
      return { run };
    };
    const { tracer, run } = await trace(1, {}, device);
    left = 8;
    await expect(run()).rejects.toThrow('the wire is cut');
    const runs = read(tracer).filter(({ ph, tid }) => ph === 'X' && tid === 0);
    expect(runs.map(({ args }) => args.state)).toEqual([undefined, 'did not end']);
    expect(tracer.runs[1].events.length).toBeGreaterThan(0);
  });
});

describe('the table of kernels', () => {
  const event = (name: string, scope: string, duration: number, more: Partial<TraceEvent> = {}) => ({
    ...{ rank: 0, name, scope, text: name, start: 0, duration, waited: 0, flops: 0, bytes: 1e6 },
    ...more,
  });
  const runs = [1, 3].map((factor) => ({
    name: `step ${factor}`,
    start: 0,
    duration: 100,
    events: [
      event('conv', 'a', 6 * factor, { flops: 12e9 * factor }),
      event('exchange', 'a', 50, { waited: 50 - 2 * factor }),
      event('spill', 'b', 1 * factor),
      event('spill', 'b', 1 * factor),
    ],
  }));

  it('adds what a kernel of a layer takes in a run, without waiting', () => {
    expect(kernelTimes(runs)).toEqual([
      {
        ...{ name: 'conv', scope: 'a', calls: 1, milliseconds: 12, share: 0.6 },
        ...{ gflopsPerSecond: 2000, gbytesPerSecond: 0.08 },
      },
      {
        ...{ name: 'exchange', scope: 'a', calls: 1, milliseconds: 4, share: 0.2 },
        ...{ gflopsPerSecond: 0, gbytesPerSecond: 0.25 },
      },
      {
        ...{ name: 'spill', scope: 'b', calls: 2, milliseconds: 4, share: 0.2 },
        ...{ gflopsPerSecond: 0, gbytesPerSecond: 0.5 },
      },
    ]);
    const unended = { name: 'step 4', start: 0, events: [event('conv', 'a', 1000)] };
    expect(kernelTimes([...runs, unended])).toEqual(kernelTimes(runs));
  });

  it('is Markdown, with the shortest in one row', () => {
    expect(kernelTable(runs, 1).split('\n')).toEqual([
      '| kernel | layer |    ms |   share | GFLOP/s | GB/s |',
      '| ------ | ----- | ----: | ------: | ------: | ---: |',
      '| conv   | a     | 12.00 |  60.0 % |  2000.0 |  0.1 |',
      '| 2 more |       |  8.00 |  40.0 % |         |      |',
      '| all    |       | 20.00 | 100.0 % |         |      |',
    ]);
  });

  it('is empty for runs that never ended', () => {
    expect(kernelTimes([])).toEqual([]);
    expect(kernelTable([])).toContain('| all ');
  });
});
