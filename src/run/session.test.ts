import { describe, expect, it } from 'vitest';
import { Graph, mesh, shape, uniform } from '../core/index.ts';
import { alone, cpuDevice, type Device, library, referenceDevice, type World } from '../machine/index.ts';
import {
  assignTo,
  castTo,
  convRaw,
  gradients,
  inputOf,
  leakyRelu,
  maxPoolRaw,
  mul,
  reduceMean,
  scalar,
  square,
  sub,
  variableOf,
  windows,
} from '../ops/index.ts';
import { FULL_FUSION } from '../plan/fusion/full-fusion.testing.ts';
import { makePlan } from '../plan/index.ts';
import { Session } from './session.ts';

/** A small network with batch statistics, pooling and a gradient step. */
function build(): Graph {
  const graph = new Graph();
  const x = inputOf(graph, 'x', shape({ batch: 2, depth: 7, height: 6, width: 5, channel: 1 }));
  const weight = (name: string, i: number, o: number) =>
    variableOf(graph, {
      name,
      dtype: 'f32',
      shape: [
        ...['kd', 'kh', 'kw'].map((k) => ({ name: k, size: 3 })),
        { name: 'channel_in', size: i },
        { name: 'channel', size: o },
      ],
      init: { kind: 'normal', deviation: 0.3 },
      trainable: true,
    });
  const w1 = weight('w1', 1, 3);
  const w2 = weight('w2', 3, 2);
  const window = windows({ depth: 3, height: 3, width: 3 }, { padding: 'same' });
  const y1 = convRaw(x, w1, window);
  const mean = reduceMean(y1, ['batch', 'depth', 'height', 'width']);
  const z1 = leakyRelu(sub(y1, mean), 0.1);
  const pooled = maxPoolRaw(z1, windows({ depth: 2, height: 2, width: 2 }, { stride: 2 }));
  const y2 = convRaw(pooled, w2, window);
  const loss = castTo(
    reduceMean(
      square(y2),
      y2.shape.map((d) => d.name),
      'f64',
    ),
    'f64',
  );
  graph.output('loss', loss);
  const grads = gradients(loss, [w1, w2]);
  [w1, w2].forEach((w, i) => {
    graph.output(`grad${i}`, grads[i]!);
    graph.output(`new${i}`, assignTo(w, sub(w, mul(grads[i]!, scalar(w, 0.1)))));
  });
  return graph;
}

async function losses(
  m: Record<string, number>,
  layout: Record<string, string>,
  device: Device = referenceDevice(),
): Promise<number[]> {
  const session = new Session({ device, mesh: mesh(m), layout, seed: 3 });
  const program = await session.load(build());
  const x = Float32Array.from({ length: 2 * 7 * 6 * 5 }, (_, i) => uniform(1, 2, 3, i));
  const result: number[] = [];
  for (let step = 0; step < 3; step++) result.push((await program.run({ x }, ['loss'])).loss[0]);
  expect(session.traffic.exchangeBytes).toBe(3 * program.plan.bytesSent.exchange);
  expect(session.traffic.allReduceBytes).toBe(3 * program.plan.bytesSent.allReduce);
  return result;
}

describe('a network trained over a mesh', () => {
  const whole = losses({}, {});
  it.each([
    [{ a: 2 }, { depth: 'a' }],
    [{ a: 3 }, { width: 'a' }],
    [
      { a: 2, b: 2 },
      { depth: 'a', height: 'b' },
    ],
    [
      { a: 2, b: 2, c: 2 },
      { depth: 'a', height: 'b', width: 'c' },
    ],
    [
      { a: 2, b: 2 },
      { batch: 'a', channel: 'b' },
    ],
    [{ a: 5 }, { height: 'a' }],
  ])('gives the losses of one rank on %j %j', async (m, layout) => {
    const expected = await whole;
    expect(expected[2]).toBeLessThan(expected[0]);
    (await losses(m, layout)).forEach((loss, i) => {
      expect(Math.abs(loss - expected[i]) / expected[i]).toBeLessThan(1e-12);
    });
    (await losses(m, layout, referenceDevice(FULL_FUSION))).forEach((loss, i) => {
      expect(Math.abs(loss - expected[i]) / expected[i]).toBeLessThan(1e-12);
    });
    (await losses(m, layout, cpuDevice())).forEach((loss, i) => {
      expect(Math.abs(loss - expected[i]) / expected[i]).toBeLessThan(1e-5);
    });
  });
});

describe('a session that is closed', () => {
  const x = new Float32Array(2 * 7 * 6 * 5);

  it.each([
    ['cpu', () => cpuDevice({ threads: 1 })],
    ['reference', () => referenceDevice()],
  ] as const)('leaves no byte behind on %s, 50 times', async (_name, open) => {
    const held: number[] = [];
    for (let n = 0; n < 50; n++) {
      const device = open();
      const session = new Session({ device, mesh: mesh({ a: 2 }), layout: { depth: 'a' } });
      const [first, second] = [await session.load(build()), await session.load(build())];
      await first.run({ x }, ['loss']);
      await second.run({ x }, ['loss']);
      if (n % 2 === 0) first.free();
      expect(device.held).toBeGreaterThan(held[n - 1] ?? 0);
      session.close();
      session.close();
      device.close();
      held.push(device.held);
    }
    expect(new Set(held).size).toBe(1);
  });

  it('refuses a split into more parts than there are positions, unless ranks may be idle', async () => {
    const session = new Session({
      device: cpuDevice({ threads: 1 }),
      mesh: mesh({ a: 8 }),
      layout: { depth: 'a' },
    });
    await expect(session.load(build())).rejects.toThrow(/split depth=8: more parts than there are positions/);
    expect((await session.load(build(), { idleRanks: true })).plan.flops).toHaveLength(8);
    session.close();
  });

  it('refuses a program that takes more than the process is granted, before it takes it', async () => {
    const session = new Session({ device: cpuDevice({ threads: 1 }), grantedBytes: 2 ** 20 });
    await expect(session.load(build())).rejects.toThrow(
      /^memory: a process would take more than it may have here; expected at most 1\.00 MiB .*predicted/,
    );
    session.close();
  });

  it('does not change the threads of another device', async () => {
    const run = async (device: Device) => {
      const session = new Session({ device });
      await (await session.load(build())).run({ x }, ['loss']);
      const { threads } = library();
      session.close();
      return threads;
    };
    const [one, two] = [cpuDevice({ threads: 1 }), cpuDevice({ threads: 2 })];
    expect([await run(one), await run(two), await run(one)]).toEqual([1, 2, 1]);
  });
});

describe('a program that is loaded', () => {
  const x = new Float32Array(2 * 7 * 6 * 5);
  const halves = { mesh: mesh({ a: 2 }), layout: { depth: 'a' } };

  /** A device that takes its time to prepare, and fails at the kernel of a number. */
  function slow(fails = Number.POSITIVE_INFINITY) {
    const device = referenceDevice();
    const counts = { begun: 0, ended: 0 };
    const prepare: Device['prepare'] = async (...kernel) => {
      const number = counts.begun++;
      await new Promise((resolve) => setTimeout(resolve, number % 3));
      counts.ended++;
      if (number === fails) throw new Error('no such kernel');
      return device.prepare(...kernel);
    };
    return { counts, device: { ...device, prepare, held: device.held } satisfies Device, open: device };
  }

  it('has all kernels prepared, several at a time', async () => {
    const { counts, device } = slow();
    const session = new Session({ device, ...halves });
    const loading = session.load(build());
    expect(counts.begun).toBeGreaterThan(1);
    expect(counts.ended).toBe(0);
    const program = await loading;
    expect(counts.ended).toBe(2 * program.plan.steps.filter(({ kind }) => kind === 'kernel').length);
    const { loss } = await program.run({ x }, ['loss']);
    expect(loss[0]).toBe(0);
  });

  it('is refused where a kernel cannot be prepared, once none is being prepared, and leaves nothing behind', async () => {
    const { counts, device, open } = slow(4);
    const session = new Session({ device, ...halves });
    await expect(session.load(build())).rejects.toThrow('no such kernel');
    expect(counts.ended).toBe(counts.begun);
    session.close();
    expect(open.held).toBe(0);
  });

  it('is refused where the session is closed meanwhile, and leaves nothing behind', async () => {
    const { device, open } = slow();
    const session = new Session({ device, ...halves });
    const loading = session.load(build());
    session.close();
    await expect(loading).rejects.toThrow('session: was closed while a program was loaded');
    expect(open.held).toBe(0);
  });

  it('is refused where the session is closed while processes find each other', async () => {
    const { counts, device, open } = slow();
    const one = alone(2);
    const world = (of: Device): World => Object.assign(one.world(of), { ready: () => Promise.resolve() });
    const session = new Session({ device, ...halves, processes: { ...one, world } });
    const loading = session.load(build());
    session.close();
    await expect(loading).rejects.toThrow('session: was closed while a program was loaded');
    expect([counts.begun, open.held]).toEqual([0, 0]);
  });

  it('keeps its arena while another one goes', async () => {
    const { device, open } = slow();
    const session = new Session({ device });
    const first = await session.load(build());
    const loading = session.load(build());
    const before = open.held;
    first.free();
    expect(open.held).toBe(before);
    await (await loading).run({ x }, ['loss']);
  });

  it('may be planned before, for this device, mesh and layout alone', async () => {
    const device = referenceDevice();
    const plan = makePlan(build(), halves.mesh, halves.layout, device.target);
    const program = await new Session({ device, ...halves, seed: 3 }).load(plan);
    expect(program.plan).toBe(plan);
    const other = await new Session({ device, ...halves, seed: 3 }).load(build());
    const numbers = Float32Array.from(x, (_, i) => uniform(1, 2, 3, i));
    expect(await program.run({ x: numbers })).toEqual(await other.run({ x: numbers }));
    for (const [session, found] of [
      [
        new Session({ device: cpuDevice({ threads: 1 }), ...halves }),
        /expected device cpu.*found device reference/,
      ],
      [new Session({ device }), /expected .* mesh 1 rank.*found .* mesh a=2/],
      [
        new Session({ device, mesh: halves.mesh, layout: { width: 'a' } }),
        /expected .* width on a.*found .* depth on a/,
      ],
    ] as const)
      await expect(session.load(plan)).rejects.toThrow(found);
  });
});
