import type { Buffer } from './buffers.ts';
import type { Step } from './kernel.ts';
import type { LocalProgram, LocalValue } from './program.ts';

/** Place of a buffer in every rank's arena, in bytes. */
export interface Placement {
  readonly offsets: readonly number[];
  readonly bytes: readonly number[];
  /** First and last step that touches it. */
  readonly birth: number;
  readonly death: number;
}

export interface MemoryPlan {
  readonly placements: ReadonlyMap<Buffer, Placement>;
  /** Bytes of each rank's arena. */
  readonly arenaBytes: readonly number[];
  /** Bytes of each rank's variables, which live outside the arena. */
  readonly variableBytes: readonly number[];
}

/** Buffers begin at multiples of this many bytes. */
const ALIGNMENT = 64;

/**
 * Lifetimes and offsets: a buffer lives from the first step that touches it to the last, and takes the lowest gap in the
 * arena that is free all that time. Large buffers choose first. Inputs live from the start, outputs to the end.
 */
export function planMemory(
  program: LocalProgram,
  steps: readonly Step[],
  buffers: ReadonlyMap<LocalValue, Buffer>,
  bytesOf: (buffer: Buffer, rank: number) => number,
): MemoryPlan {
  const birth = new Map<Buffer, number>();
  const death = new Map<Buffer, number>();
  const touch = (value: LocalValue, step: number): void => {
    const buffer = buffers.get(value)!;
    birth.set(buffer, Math.min(birth.get(buffer) ?? step, step));
    death.set(buffer, Math.max(death.get(buffer) ?? step, step));
  };
  steps.forEach((step, i) => {
    for (const value of [...step.reads, ...step.writes]) touch(value, i);
  });
  for (const value of program.inputs.values()) touch(value, -1);
  for (const value of program.variables.values()) touch(value, -1);
  for (const value of program.outputs.values()) touch(value, steps.length);

  const ranks = Array.from({ length: program.mesh.size }, (_, rank) => rank);
  const all = [...birth.keys()];
  const bytes = new Map(all.map((buffer) => [buffer, ranks.map((rank) => align(bytesOf(buffer, rank)))]));
  const inArena = all.filter((buffer) => buffer.variable === undefined);
  const offsets = ranks.map((rank) =>
    packArena(
      inArena.map((b) => ({ bytes: bytes.get(b)![rank], birth: birth.get(b)!, death: death.get(b)! })),
    ),
  );
  const placements = new Map<Buffer, Placement>();
  inArena.forEach((buffer, i) => {
    placements.set(buffer, {
      offsets: ranks.map((rank) => offsets[rank].offsets[i]),
      bytes: bytes.get(buffer)!,
      birth: birth.get(buffer)!,
      death: death.get(buffer)!,
    });
  });
  const variableBytes = ranks.map((rank) =>
    all.filter((b) => b.variable !== undefined).reduce((sum, b) => sum + bytes.get(b)![rank], 0),
  );
  return { placements, arenaBytes: offsets.map((o) => o.total), variableBytes };
}

interface Item {
  readonly bytes: number;
  readonly birth: number;
  readonly death: number;
}

/** First fit over time and space, largest first. Two items whose lives meet in a step never overlap. */
export function packArena(items: readonly Item[]): { offsets: number[]; total: number } {
  const order = items
    .map((_, i) => i)
    .sort((a, b) => items[b].bytes - items[a].bytes || items[a].birth - items[b].birth);
  const offsets = new Array<number>(items.length).fill(0);
  const placed: number[] = [];
  let total = 0;
  for (const i of order) {
    const item = items[i];
    if (item.bytes === 0) continue;
    const rivals = placed
      .filter((k) => items[k].birth <= item.death && item.birth <= items[k].death)
      .sort((a, b) => offsets[a] - offsets[b]);
    let at = 0;
    for (const k of rivals) {
      if (at + item.bytes <= offsets[k]) break;
      at = Math.max(at, offsets[k] + items[k].bytes);
    }
    offsets[i] = at;
    total = Math.max(total, at + item.bytes);
    placed.push(i);
  }
  return { offsets, total };
}

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
