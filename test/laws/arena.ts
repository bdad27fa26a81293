import { fail, intersect, isEmpty, range } from '../../src/core/index.ts';
import { Clock, type Plan } from '../../src/plan/index.ts';

/** Tensors that lie in an arena at one time never share a byte. */
export function checkMemory({ memory }: Plan): void {
  const clock = new Clock(memory.hosts[0], memory.list);
  const all = [...memory.placements.values()].flat().flatMap(({ from, to, offsets, bytes }) =>
    clock.ranks.map((rank, turn) => ({
      time: range(clock.time(from, turn), clock.time(to, turn) + 1),
      place: range(offsets[rank], offsets[rank] + bytes[rank]),
    })),
  );
  for (const [i, a] of all.entries())
    for (const b of all.slice(i + 1))
      if (!isEmpty(intersect([a.time, a.place], [b.time, b.place])))
        fail({ where: 'memory plan', problem: 'tensors that live at one time overlap' });
}
