import { describe, expect, it } from 'vitest';
import { shape } from '../core/index.ts';
import { CPU_TARGET } from '../machine/index.ts';
import { buildTraining } from '../nn/index.ts';
import { predictPeak } from './explain.ts';
import { fitParts } from './fit-parts.ts';
import { processBytes } from './memory/footprint.ts';

const MIB = 2 ** 20;
const { graph } = buildTraining({
  image: shape({ batch: 1, depth: 24, height: 24, width: 24, channel: 1 }),
  network: { base: 8, levels: 3 },
});

const fitted = (limit: number) => fitParts([{ graph, hostBytes: 0 }], CPU_TARGET, limit);

/** The limit that a refusal names, bytes. */
function named(limit: number): number {
  try {
    fitted(limit);
  } catch (error) {
    return Number(/memory limit: .* at least (\d+)MiB/.exec(String(error))?.[1]) * MIB;
  }
  throw new Error('nothing was refused');
}

describe('fitParts', () => {
  it('names the smallest limit that any number of parts can meet', () => {
    const least = named(MIB);
    // Sixteen ranks alone take more than this program in one part.
    expect(least).toBeLessThan(processBytes(CPU_TARGET.spaces.tensors.fixedBytes, 16));
    // What it plans it hands on.
    const { mesh, plans } = fitted(least);
    expect(plans).toHaveLength(1);
    expect(plans[0].program.mesh).toBe(mesh);
    expect(predictPeak(plans[0])).toBeLessThanOrEqual(least);
    expect(named(0.95 * least)).toBe(least);
  });
});
