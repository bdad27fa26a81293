import { describe, expect, it } from 'vitest';
import { range, shape } from '../core/index.ts';
import type { AllReducePlan, ExchangePlan } from '../plan/index.ts';
import type { Tensor } from './device.ts';
import { plainFormat } from './formats/index.ts';
import { LocalWorld } from './local.ts';
import { referenceDevice } from './reference.ts';

const device = referenceDevice();
const flat = { shape: shape({ width: 4 }), dtype: 'f32' } as const;
const line = { ...flat, format: plainFormat(flat) };

/** A tensor of rank's memory with the numbers 10 * rank + i. */
function tensorOf(rank: number, start = 0, end = 4): Tensor {
  const box = [range(start, end)];
  const tensor = device.tensor(device.allocate(64), 0, line, box);
  device.upload(
    tensor,
    box,
    Float64Array.from({ length: end - start }, (_, i) => 10 * rank + start + i),
  );
  return tensor;
}

const read = async (tensor: Tensor): Promise<number[]> => [...(await device.download(tensor, tensor.box))];
const sumOfPairs: AllReducePlan = { kind: 'all_reduce', axes: ['a'], groups: [[0, 2], [1]], combine: 'sum' };

describe('local communicator', () => {
  it('sends boxes, counts what crosses ranks, and copies what stays without counting it', async () => {
    const world = new LocalWorld(device, 2);
    const transfers = [
      { from: 0, to: 1, box: [range(1, 3)] },
      { from: 1, to: 1, box: [range(3, 4)] },
    ];
    const plan: ExchangePlan = { kind: 'exchange', inPlace: false, transfers };
    const found = await world.run(async (communicator) => {
      const to = tensorOf(5);
      await communicator.exchange('halo', plan, tensorOf(communicator.rank), to);
      return read(to);
    });
    expect(found).toEqual([
      [50, 51, 52, 53],
      [50, 1, 2, 13],
    ]);
    expect(world.traffic).toEqual({ exchangeBytes: 8, allReduceBytes: 0, messages: 1 });
  });

  it('combines within groups', async () => {
    const world = new LocalWorld(device, 3);
    const found = await world.run(async (communicator) => {
      const tensor = tensorOf(communicator.rank);
      await communicator.allReduce('sum', sumOfPairs, tensor);
      return (await read(tensor))[0];
    });
    expect(found).toEqual([20, 10, 20]);
    expect(world.traffic.allReduceBytes).toBe(2 * 4 * 4);
  });

  it('fails at once, naming who waits for whom, when no rank can go on', async () => {
    const world = new LocalWorld(device, 3);
    const stuck = world.run(async (communicator) => {
      if (communicator.rank === 2) return;
      await communicator.barrier(communicator.rank === 0 ? 'step 1' : 'step 2');
    });
    await expect(stuck).rejects.toThrow(
      /barrier step 1: ranks 0 wait for 1,2; barrier step 2: ranks 1 wait for 0,2/,
    );
  });

  it('gives the first error to all ranks', async () => {
    const world = new LocalWorld(device, 2);
    const failing = world.run(async (communicator) => {
      if (communicator.rank === 1) throw new Error('rank 1 has no data');
      await communicator.barrier('start');
    });
    await expect(failing).rejects.toThrow('rank 1 has no data');
  });
});
