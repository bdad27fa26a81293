import { type Box, intersect, type Mesh, meshCoordinates } from '../core/index.ts';
import type { AllReducePlan, ExchangePlan, LocalNode, Transfer } from '../plan/index.ts';
import { type Frames, frameOf, type Held } from './frames.ts';
import type { Join } from './lines.ts';
import type { Tensor } from './types.ts';

// What crosses ranks. A box that one rank sends to another travels by a collective permute; those of one size that neither meet at
// their sources nor at their targets travel together.

const JOIN: Readonly<Record<AllReducePlan['combine'], Join>> = {
  sum: 'add',
  max: 'maximum',
  min: 'minimum',
};

/** The parts of a group's ranks, combined. */
export function printAllReduce(frames: Frames, { combine, groups }: AllReducePlan, held: Held): Held {
  return {
    ...held,
    tensor: frames.writer.allReduce(held.tensor, JOIN[combine], groups),
    outside: 'anything',
  };
}

/** A value with the parts that each rank fetches from others. */
export function printExchange(frames: Frames, node: LocalNode, mesh: Mesh, held: Held): Held {
  const plan = node.collective as ExchangePlan;
  const [wide] = node.outputs;
  const frame = frameOf(wide.valid, wide.own);
  const kept = held.boxes.map((box, rank) => intersect(box, wide.valid[rank]));
  const start = frames.fetch(held, { frame, boxes: kept, fill: 0 });
  const tensor = roundsOf(mesh, plan.transfers).reduce(
    (sofar, round) => received(frames, round, held, { ...held, ...frame, tensor: sofar }),
    start,
  );
  return { tensor, shape: wide.shape, dtype: wide.dtype, ...frame, boxes: wide.valid, outside: 0 };
}

const sizesOf = (box: Box): number[] => box.map(({ start, end }) => end - start);

/** Transfers of one size at a time, in as few rounds as come of taking them in order of their direction on the mesh. */
export function roundsOf(mesh: Mesh, transfers: readonly Transfer[]): Transfer[][] {
  const direction = ({ from, to }: Transfer): string => {
    const here = meshCoordinates(mesh, from);
    return meshCoordinates(mesh, to)
      .map((at, i) => at - here[i])
      .join();
  };
  const rounds = new Map<string, Transfer[][]>();
  for (const transfer of ordered(
    transfers.filter(({ from, to }) => from !== to),
    direction,
  )) {
    const size = sizesOf(transfer.box).join();
    const same = rounds.get(size) ?? [];
    rounds.set(size, same);
    const free = same.find((round) =>
      round.every(({ from, to }) => from !== transfer.from && to !== transfer.to),
    );
    if (free) free.push(transfer);
    else same.push([transfer]);
  }
  return [...rounds.values()].flat();
}

/** Those of the first direction first, then those of the next. */
function ordered(transfers: readonly Transfer[], direction: (transfer: Transfer) => string): Transfer[] {
  const groups = new Map<string, Transfer[]>();
  for (const transfer of transfers) {
    const key = direction(transfer);
    groups.set(key, [...(groups.get(key) ?? []), transfer]);
  }
  return [...groups.values()].flat();
}

/** One round: every target's box in its place in `wide`. */
function received(frames: Frames, round: readonly Transfer[], held: Held, wide: Held): Tensor {
  const { ranks, writer } = frames;
  const sizes = sizesOf(round[0].box);
  /** Where the boxes of a round begin in a tensor, dimension by dimension; ranks without one take the place of the first. */
  const places = (of: Held, end: 'from' | 'to'): Tensor[] =>
    sizes.map((_, i) => {
      const place = (t: Transfer): number => t.box[i].start - of.starts[t[end]][i];
      const all = Array.from({ length: ranks }, (_, rank) => {
        const own = round.find((t) => t[end] === rank);
        return place(own ?? round[0]);
      });
      return frames.perRank(all);
    });
  const sent = writer.dynamicSlice(held.tensor, places(held, 'from'), sizes);
  const come = writer.permute(
    sent,
    round.map(({ from, to }) => [from, to]),
  );
  const at = places(wide, 'to');
  if (round.length === ranks) return writer.dynamicUpdate(wide.tensor, come, at);
  const takes = Array.from({ length: ranks }, (_, rank) => (round.some(({ to }) => to === rank) ? 1 : 0));
  const taken = writer.compare('NE', frames.perRank(takes), writer.constant('i32', 0));
  const part = writer.select(taken, come, writer.dynamicSlice(wide.tensor, at, sizes));
  return writer.dynamicUpdate(wide.tensor, part, at);
}
