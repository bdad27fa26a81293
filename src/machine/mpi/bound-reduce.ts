import { BYTES } from '../../core/index.ts';
import { sliceCut } from '../../plan/index.ts';
import type { HostRoom, Mark } from '../device.ts';
import type { AnyJoint, JointOf } from './joint.ts';
import { arranger, combiner, copier, numbersAt, packer, type ReduceRooms, roomsOf } from './room-work.ts';

// All-reduces of one rank, bound to its tensors and to memory for messages: the steps of passing parts on, combining and passing
// the result on. Every number is combined by one rank in the order of the group, as ranks of one process are: the same bits.

/** Numbers of a room that come from another rank or go to one. */
export interface Message {
  readonly peer: number;
  readonly room: HostRoom;
  readonly count: number;
}

/** What is received and sent together, after all before it has come and gone. */
export interface Step {
  readonly receives: readonly Message[];
  readonly sends: readonly Message[];
  /** Asks the device for what is sent, which is there when the mark is passed. */
  prepare?(): Mark | undefined;
}

/** An all-reduce of a joint. */
export class BoundAllReduce {
  readonly steps: readonly Step[];
  /** Bytes of a number in memory for messages, and as it counts. */
  readonly width: number;
  readonly counted: number;
  private readonly unpacks: readonly (() => unknown)[];

  constructor(parts: ReduceRooms, joint: AnyJoint) {
    this.width = joint.width;
    this.counted = BYTES[joint.tensors[0].dtype];
    const { steps, result } = isTree(joint) ? treeSteps(parts, joint) : sliceSteps(parts, joint);
    this.steps = steps.map(({ receives, sends, ...rest }) => ({
      ...rest,
      // Where there are more ranks than numbers, some slices are empty.
      receives: receives.filter(({ count }) => count > 0),
      sends: sends.filter(({ count }) => count > 0),
    }));
    const { transport } = parts.device;
    const places = roomsOf(joint, result);
    this.unpacks = joint.tensors.map((tensor, i) => transport.incoming(tensor, tensor.box, places[i]).unpack);
  }

  /** Puts the result into the tensors. */
  finish(): void {
    for (const unpack of this.unpacks) unpack();
  }
}

interface Steps {
  readonly steps: readonly Step[];
  /** Where the result is in the end. */
  readonly result: HostRoom;
}

const isTree = (joint: AnyJoint): joint is JointOf<'tree'> => joint.route.kind === 'tree';

/** Parts go up the tree, each branch in one message; the result comes down. */
function treeSteps(parts: ReduceRooms, joint: JointOf<'tree'>): Steps {
  const { places, place, count, group } = joint;
  const { tree } = joint.route;
  const { parent, children, end } = tree[place];
  const [branch, down = branch] = parts.rooms;
  const at = numbersAt(joint, branch);
  const receives = children.map((child) => {
    const branchCount = (tree[child].end - child) * count;
    return { peer: places[child], room: at((child - place) * count, branchCount), count: branchCount };
  });
  const first: Step = { receives, sends: [], prepare: packer(parts.device, joint, branch) };
  const toChildren = children.map((child) => ({ peer: places[child], room: down, count }));
  if (parent === undefined) {
    const all = group.map((rank) => at(places.indexOf(rank) * count, count));
    const prepare = combiner(parts, joint, all);
    return { steps: [first, { receives: [], sends: toChildren, prepare }], result: branch };
  }
  const peer = places[parent];
  const second: Step = {
    receives: [{ peer, room: down, count }],
    sends: [{ peer, room: branch, count: (end - place) * count }],
  };
  const third: Step = { receives: [], sends: toChildren };
  return { steps: [first, second, third], result: down };
}

/**
 * Every rank combines a slice. Places are a grid, row by row. Along a row every rank gets the numbers of its column from all of the
 * row, along the column those of its slice from all rows; it combines them, and results go the other way.
 */
function sliceSteps(parts: ReduceRooms, joint: JointOf<'slices'>): Steps {
  const { places, place, count, group } = joint;
  const { rows, columns } = joint.route;
  const cut = sliceCut(rows * columns, count);
  const [row, column] = [Math.floor(place / columns), place % columns];
  const [whole, alongRow, bySlice = alongRow, alongColumn = alongRow] = parts.rooms;
  const of = (at: number) => {
    const from = cut(at * rows);
    return { from, count: cut((at + 1) * rows) - from };
  };
  const mine = of(column);
  const slices = Array.from({ length: rows }, (_, r) => {
    const from = cut(column * rows + r);
    return { from, count: cut(column * rows + r + 1) - from };
  });
  const slice = slices[row];
  const inWhole = numbersAt(joint, whole);
  const inRow = numbersAt(joint, alongRow);
  const inSlices = numbersAt(joint, bySlice);
  const inColumn = numbersAt(joint, alongColumn);
  const pack = packer(parts.device, joint, whole);
  const enter = copier(parts, joint, inRow(column * mine.count, mine.count), inWhole(mine.from, mine.count));
  const mates = Array.from({ length: columns }, (_, at) => ({ at, peer: places[row * columns + at] })).filter(
    ({ at }) => at !== column,
  );
  const others = Array.from({ length: rows }, (_, at) => ({
    at,
    peer: places[at * columns + column],
  })).filter(({ at }) => at !== row);
  const steps: Step[] = [
    {
      receives: mates.map(({ at, peer }) => ({
        peer,
        room: inRow(at * mine.count, mine.count),
        count: mine.count,
      })),
      sends: mates.map(({ at, peer }) => {
        const { from, count } = of(at);
        return { peer, room: inWhole(from, count), count };
      }),
      prepare: () => {
        pack();
        return enter();
      },
    },
  ];
  if (rows > 1) {
    // Of each row's slice the parts of all of this row, beside each other.
    const start = slices.map(({ from }) => (from - mine.from) * columns);
    steps.push({
      receives: others.map(({ at, peer }) => ({
        peer,
        room: inColumn(at * columns * slice.count, columns * slice.count),
        count: columns * slice.count,
      })),
      sends: others.map(({ at, peer }) => {
        const count = columns * slices[at].count;
        return { peer, room: inSlices(start[at], count), count };
      }),
      prepare: arranger(parts, joint, {
        alongRow,
        bySlice,
        slices: slices.map(({ from, count }, at) => ({ from: from - mine.from, count, start: start[at] })),
        columns,
        own: { to: inColumn(row * columns * slice.count, columns * slice.count), row },
      }),
    });
  }
  const all = group.map((rank) => inColumn(places.indexOf(rank) * slice.count, slice.count));
  const [sum] = all;
  const combine = combiner(parts, joint, all);
  const leave = copier(parts, joint, inWhole(slice.from, slice.count), sum);
  steps.push({
    receives: others.map(({ at, peer }) => ({
      peer,
      room: inWhole(slices[at].from, slices[at].count),
      count: slices[at].count,
    })),
    sends: others.map(({ peer }) => ({ peer, room: sum, count: slice.count })),
    prepare: () => {
      combine();
      return leave();
    },
  });
  steps.push({
    receives: mates.map(({ at, peer }) => {
      const { from, count } = of(at);
      return { peer, room: inWhole(from, count), count };
    }),
    sends: mates.map(({ peer }) => ({ peer, room: inWhole(mine.from, mine.count), count: mine.count })),
  });
  return { steps, result: whole };
}
