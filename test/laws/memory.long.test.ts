import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { uniform } from '../../src/core/index.ts';
import { CPU_TARGET, cpuDevice, type Device, referenceDevice } from '../../src/machine/index.ts';
import { buildTraining } from '../../src/nn/index.ts';
import { comebacks, makePlan, type Plan, predictPeak, processBytes } from '../../src/plan/index.ts';
import { Session } from '../../src/run/index.ts';
import { checkMemory } from './arena.ts';
import { meshFor, type Parts } from './sample.ts';

/** On the disk of the package: the system's folder for temporary files may lie in memory. */
const spillFolder = mkdtempSync(path.join(import.meta.dirname, '../../build/spill-'));
afterAll(() => rmSync(spillFolder, { recursive: true }));

// What is recomputed and spilled to fit a limit changes no bit of a result.

/** A device with a network that it trains in seconds. */
interface Bed {
  readonly device: Device;
  readonly size: number;
  readonly base: number;
  readonly storage: 'f32' | 'bf16';
}

const network = ({ size, base, storage }: Bed) =>
  buildTraining({
    image: ['batch', 'depth', 'height', 'width', 'channel'].map((name, i) => ({
      name,
      size: i === 0 || i === 4 ? 1 : size,
    })),
    network: { base, levels: 3 },
    storage,
  });

/** Losses of three steps, and the plan that they ran by. */
async function train(
  bed: Bed,
  parts: Parts,
  memoryLimit?: number,
): Promise<{ losses: number[]; plan: Plan }> {
  const session = new Session({ device: bed.device, ...meshFor(parts), seed: 1, memoryLimit, spillFolder });
  const program = await session.load(network(bed).graph);
  const voxels = bed.size ** 3;
  const image = Float32Array.from({ length: voxels }, (_, i) => uniform(1, 2, 3, i));
  const labels = Uint8Array.from({ length: voxels }, (_, i) => 3 * uniform(4, 5, 6, i));
  const losses: number[] = [];
  for (let step = 0; step < 3; step++) {
    const inputs = { image, labels, step: Int32Array.of(step), learning_rate: Float64Array.of(0.1) };
    losses.push((await program.run(inputs, ['loss'])).loss[0]);
  }
  program.free();
  return { losses, plan: program.plan };
}

/** The smallest limit that the planner says a program fits. */
function smallest(bed: Bed, parts: Parts): number {
  const { mesh, layout } = meshFor(parts);
  try {
    makePlan(network(bed).graph, mesh, layout, bed.device.target, { memoryLimit: 1 });
  } catch (error) {
    const [, mib] = /at least (\d+)MiB/.exec((error as Error).message) ?? [];
    return Number(mib) * 2 ** 20;
  }
  throw new Error('a limit of one byte was met');
}

describe('a memory limit', () => {
  it.each([
    [{}, 'f32'],
    [{}, 'bf16'],
    [{ depth: 2, width: 2 }, 'bf16'],
  ] as const)(
    'is met on the cpu over %j in %s with the losses of no limit, bit for bit',
    async (parts, storage) => {
      const bed = { device: cpuDevice(), size: 24, base: 16, storage };
      const free = await train(bed, parts);
      const limit = smallest(bed, parts);
      const tight = await train(bed, parts, limit);
      expect(tight.losses).toEqual(free.losses);
      expect(free.losses[2]).not.toBe(free.losses[0]);
      expect(predictPeak(tight.plan)).toBeLessThanOrEqual(limit);
      expect(tight.plan.memory.arenaBytes[0]).toBeLessThan(0.75 * free.plan.memory.arenaBytes[0]);
      checkMemory(tight.plan);
      // Both ways were taken; without a limit none.
      expect(new Set(comebacks(tight.plan).map(({ how }) => how))).toEqual(new Set(['recompute', 'spill']));
      expect(comebacks(free.plan)).toEqual([]);
      const sent = ({ bytesSent }: Plan) => bytesSent.exchange + bytesSent.allReduce;
      expect(sent(tight.plan)).toBeGreaterThanOrEqual(sent(free.plan));
    },
  );

  it('is met on the reference device', async () => {
    const bed: Bed = { device: referenceDevice(CPU_TARGET.fusion), size: 8, base: 4, storage: 'f32' };
    const parts = { depth: 2 };
    const free = await train(bed, parts);
    const limit = predictPeak(free.plan) - 0.2 * free.plan.memory.arenaBytes[0];
    const tight = await train(bed, parts, limit);
    expect(comebacks(tight.plan).length).toBeGreaterThan(0);
    expect(tight.losses).toEqual(free.losses);
  });

  it('says how much is needed where it cannot be met', () => {
    const bed: Bed = { device: referenceDevice(), size: 8, base: 2, storage: 'f32' };
    expect(() =>
      makePlan(network(bed).graph, meshFor({}).mesh, {}, CPU_TARGET, {
        memoryLimit: processBytes(CPU_TARGET.spaces.tensors.fixedBytes, 1),
      }),
    ).toThrow(
      /memory limit: the program does not fit; expected at least \d+MiB, found \d+MiB. Raise --memory-limit/,
    );
  });

  it('refuses a spill folder that is not there, lies in memory or has no room, before anything runs', () => {
    const device = cpuDevice();
    const open = (folder: string, bytes: number) => () => device.openSpill(folder, bytes).close();
    expect(open('/no/such/folder', 4096)).toThrow(/spill folder \/no\/such\/folder: cannot make a file/);
    expect(open(spillFolder, 2 ** 46)).toThrow(/cannot take \d+ bytes/);
    expect(open(spillFolder, 2 ** 60)).toThrow(/hm_spill_open: expected/);
    if (existsSync('/dev/shm')) expect(open('/dev/shm', 4096)).toThrow(/lies in memory; name one on a disk/);
    open(spillFolder, 4096)();
    expect(readdirSync(spillFolder)).toEqual([]);
  });
});
