import type { Kernel } from '../fusion/kernel.ts';
import type { LocalValue } from '../program.ts';
import type { Target } from '../target.ts';
import type { Buffer } from './buffers.ts';

/**
 * Memory that launches need while they run, as buffers: one for each kernel that needs any. `buffers`: those of the program, before
 * which none of these has its place. `ranks`: their number.
 */
export function scratchBuffers(
  { scratch }: Pick<Target, 'scratch'>,
  buffers: ReadonlyMap<LocalValue, Buffer>,
  ranks: number,
): (kernel: Kernel) => Buffer | undefined {
  const known = new Map<Kernel, Buffer | undefined>();
  let index = new Set(buffers.values()).size;
  const make = (kernel: Kernel): Buffer | undefined => {
    const bytes = Array.from({ length: ranks }, (_, rank) =>
      scratch === undefined ? 0 : scratch(kernel, rank, (value) => buffers.get(value)!),
    );
    if (Math.max(...bytes) === 0) return undefined;
    const made = kernel.writes[0];
    return {
      id: made.id,
      index: index++,
      name: `${made.producer.name} scratch`,
      dtype: 'u8',
      shape: [{ name: 'byte', size: Math.max(...bytes) }],
      boxes: bytes.map((size) => [{ start: 0, end: size }]),
      format: { name: 'plain', bytes: ([{ start, end }]) => end - start },
    };
  };
  return (kernel) => {
    if (!known.has(kernel)) known.set(kernel, make(kernel));
    return known.get(kernel);
  };
}
