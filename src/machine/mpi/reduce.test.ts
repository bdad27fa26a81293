import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { type DType, range } from '../../core/index.ts';
import { type AllReducePlan, allReduceSent, reduceTree } from '../../plan/index.ts';
import { cpuDevice } from '../cpu/index.ts';
import type { Device, Tensor } from '../device.ts';
import { LocalWorld } from '../local.ts';
import { referenceDevice } from '../reference.ts';
import { netOf } from './net.testing.ts';
import { MpiProcesses } from './processes.ts';

// All-reduces by messages, of many ranks in this process.

const cpu = cpuDevice({ threads: 1 });
const reference = referenceDevice();

/** Numbers whose sum depends on the order of its terms. */
const rough = (rank: number, i: number): number =>
  (1 + i / 7) * 10 ** (9 - (rank % 5) * 4) * (rank % 2 ? -1 : 1);

function tensorOf(device: Device, rank: number, count: number, dtype: DType): Tensor {
  const type = { shape: [{ name: 'channel', size: count }], dtype };
  const box = [range(0, count)];
  const stored = { ...type, format: device.target.plain(type) };
  const tensor = device.tensor(device.allocate(stored.format.bytes(box)), 0, stored, box);
  device.upload(
    tensor,
    box,
    Float64Array.from({ length: count }, (_, i) => rough(rank, i)),
  );
  return tensor;
}

interface Options {
  readonly device?: Device;
  readonly dtype?: DType;
  /** All of one machine where it is not said. */
  readonly machines?: readonly number[];
  /** Ranks of a group. */
  readonly group?: readonly number[];
}

/** The same all-reduce of tensors of some sizes, by messages and in one process. */
async function reduced(size: number, counts: readonly number[], options: Options = {}) {
  const { device = cpu, dtype = 'f64', machines } = options;
  const all = Array.from({ length: size }, (_, rank) => rank);
  const { group = all } = options;
  const groups = [group, ...all.filter((rank) => !group.includes(rank)).map((rank) => [rank])];
  const plan: AllReducePlan = { kind: 'all_reduce', axes: ['a'], groups, combine: 'sum', machines };
  const made = () => all.map((rank) => counts.map((count) => tensorOf(device, rank, count, dtype)));
  const read = (tensors: readonly (readonly Tensor[])[]) =>
    Promise.all(
      tensors.map(async (list) =>
        (await Promise.all(list.map((tensor) => device.download(tensor, tensor.box)))).flatMap((x) => [...x]),
      ),
    );
  const net = netOf(size);
  const worlds = net.ranks.map((mpi) => new MpiProcesses(mpi).world(device));
  const there = made();
  await Promise.all(
    worlds.map((world, rank) => {
      const parts = there[rank].map((tensor) => ({ plan, tensor }));
      return world.begin!.allReduce('sum', parts, 0).finish();
    }),
  );
  const here = made();
  const local = new LocalWorld(device, size);
  for (const i of counts.keys())
    local.allReduce(
      'sum',
      plan,
      here.map((list) => list[i]),
    );
  const traffic = worlds.map((world) => world.traffic);
  const result = { there: await read(there), here: await read(here) };
  for (const world of worlds) world.close();
  return {
    ...result,
    received: net.received,
    bytes: traffic.reduce((sum, { allReduceBytes }) => sum + allReduceBytes, 0),
    messages: traffic.reduce((sum, { messages }) => sum + messages, 0),
    predicted: counts.map((_, i) => allReduceSent(plan, group, here[0][i], here[0][i].box)),
    local: local.traffic,
  };
}

const bitsOf = (numbers: readonly number[]): string =>
  createHash('sha256').update(Float64Array.from(numbers)).digest('hex');

const bytesOf = (sent: readonly { readonly bytes: number }[]) =>
  sent.reduce((sum, { bytes }) => sum + bytes, 0);

it.each([2, 3, 4, 5, 7, 8, 64, 100, 256])(
  'a few sums of %i ranks go along a tree: in order, and nobody gets more than log2 of the ranks messages',
  async (ranks) => {
    const found = await reduced(ranks, [64]);
    const sums = Array.from({ length: 64 }, (_, i) => {
      let sum = 0;
      for (let rank = 0; rank < ranks; rank++) sum += rough(rank, i);
      return sum;
    });
    for (const numbers of [...found.there, ...found.here]) expect(numbers).toEqual(sums);
    expect(Math.max(...found.received)).toBe(Math.ceil(Math.log2(ranks)));
    expect(found.messages).toBe(2 * (ranks - 1));
    expect(found.bytes).toBe(bytesOf(found.predicted));
    expect(found.local.allReduceBytes).toBe(found.bytes);
  },
);

it('sums that begin together share their messages', async () => {
  const found = await reduced(16, [32, 32, 1]);
  expect(found.there).toEqual(found.here);
  expect(found.messages).toBe(2 * 15);
  expect(found.local.messages).toBe(3 * 2 * 15);
  expect(found.bytes).toBe(bytesOf(found.predicted));
});

it.each<[string, number, readonly number[], Options]>([
  ['much over few ranks', 3, [5000], {}],
  ['little and much together', 4, [3, 5000, 70, 4099], {}],
  ['much over some of the ranks', 6, [5000, 2], { group: [1, 2, 5] }],
  ['float32', 5, [9000, 11], { dtype: 'f32' }],
  ['a device that does not compute in rooms', 4, [5000, 6], { device: reference }],
  ['much over many ranks, by rows and columns', 260, [600], { device: reference }],
  ['fewer numbers than ranks, by rows and columns', 270, [133], {}],
  ['ranks of machines by turns', 9, [40], { machines: [0, 1, 2, 0, 1, 2, 0, 1, 2] }],
  ['machines of uneven size', 11, [40, 5000], { machines: [4, 4, 4, 1, 1, 1, 1, 1, 1, 2, 2] }],
])('%s: the bits of one process and the bytes of the plan', async (_, ranks, counts, options) => {
  const found = await reduced(ranks, counts, options);
  expect(found.there.map(bitsOf)).toEqual(found.here.map(bitsOf));
  expect(found.bytes).toBe(bytesOf(found.predicted));
  expect(found.local.allReduceBytes).toBe(found.bytes);
  if (counts.length === 1) expect(found.messages).toBe(found.predicted[0].messages);
});

it('more numbers than a tree is for go to all ranks in slices, one message to each', async () => {
  const { received } = await reduced(6, [5000, 5000]);
  expect(received).toEqual(new Array(6).fill(2 * 5));
});

it('a tree crosses between machines as seldom as it can', () => {
  const machines = new Array<number>(32).fill(8);
  const tree = reduceTree(machines);
  const far = tree.filter(({ parent }, place) => parent !== undefined && place >> 3 !== parent >> 3);
  expect(far.length).toBe(31);
  const most = tree.map(({ parent, children }) => children.length + (parent === undefined ? 0 : 1));
  expect(Math.max(...most)).toBe(8);
});
