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

describe('the world of one process', () => {
  it('sends boxes, counts what crosses ranks, and copies what stays without counting it', async () => {
    const world = new LocalWorld(device, 2);
    const transfers = [
      { from: 0, to: 1, box: [range(1, 3)] },
      { from: 1, to: 1, box: [range(3, 4)] },
    ];
    const plan: ExchangePlan = { kind: 'exchange', inPlace: false, transfers };
    const to = [tensorOf(5), tensorOf(5)];
    world.exchange('halo', plan, [tensorOf(0), tensorOf(1)], to);
    expect(await Promise.all(to.map(read))).toEqual([
      [50, 51, 52, 53],
      [50, 1, 2, 13],
    ]);
    expect(world.traffic).toEqual({ exchangeBytes: 8, allReduceBytes: 0, messages: 1 });
  });

  it('combines within groups', async () => {
    const world = new LocalWorld(device, 3);
    const tensors = [0, 1, 2].map((rank) => tensorOf(rank));
    world.allReduce('sum', sumOfPairs, tensors);
    expect((await Promise.all(tensors.map(read))).map(([first]) => first)).toEqual([20, 10, 20]);
    expect(world.traffic.allReduceBytes).toBe(2 * 4 * 4);
  });
});
