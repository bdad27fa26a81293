import { fail, intersect, isEmpty, type Range, range } from '../../src/core/index.ts';
import { type Buffer, Clock, type Plan, type Scheduled } from '../../src/plan/index.ts';

/** Something that takes a range of bytes for a range of time. */
interface Claim {
  readonly name: string;
  readonly time: Range;
  readonly place: Range;
}

/** Tensors of a process that lie in its arena, or in its spill file, at one time never share a byte, and end within it. */
export function checkMemory({ memory }: Plan): void {
  memory.processRanks.forEach((ranks, index) => {
    const clock = new Clock(ranks, memory.list);
    const ranges = [...memory.placements.values()].flat().flatMap(({ buffer, from, to, offsets, bytes }) =>
      clock.ranks.map((rank, turn) => ({
        name: `%${buffer.id} of rank ${rank}`,
        time: range(clock.time(from, turn), clock.time(to, turn) + 1),
        place: range(offsets[rank], offsets[rank] + bytes[rank]),
      })),
    );
    checkApart(ranges, memory.arenaBytes[index], `arena of process ${index}`);
    const spilled = [...memory.spilled].flatMap(([buffer, { offsets }]) =>
      clock.ranks.map((rank, turn) => ({
        name: `%${buffer.id} of rank ${rank}`,
        time: movesOf(buffer, memory.list, (place) => clock.time(place, turn)),
        place: range(offsets[rank], offsets[rank] + memory.placements.get(buffer)![0].bytes[rank]),
      })),
    );
    checkApart(spilled, memory.spillBytes[index], `spill file of process ${index}`);
  });
}

/** From the first move of a tensor, its spill, to the last one, the end of its last prefetch. */
function movesOf(buffer: Buffer, list: readonly Scheduled[], time: (place: number) => number): Range {
  const places = list.flatMap(({ step }, place) =>
    step.kind === 'move' && step.buffer === buffer ? [time(place)] : [],
  );
  return range(Math.min(...places), Math.max(...places) + 1);
}

function checkApart(claims: readonly Claim[], end: number, where: string): void {
  for (const [i, a] of claims.entries()) {
    if (a.place.start < 0 || a.place.end > end)
      fail({ where, problem: `${a.name} lies beyond the end`, expected: `${end}`, found: `${a.place.end}` });
    for (const b of claims.slice(i + 1))
      if (!isEmpty(intersect([a.time, a.place], [b.time, b.place])))
        fail({
          where,
          problem: `${a.name} and ${b.name} overlap`,
          found: `${a.place.start}, ${b.place.start}`,
        });
  }
}
