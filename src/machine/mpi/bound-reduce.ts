import { type Box, BYTES, boxVolume, range, type Shape } from '../../core/index.ts';
import { sliceCut, wholeBytes } from '../../plan/index.ts';
import type { Device, HostRoom, Mark, Memory } from '../device.ts';
import type { AnyJoint, Joint, JointOf } from './joint.ts';
import { partOf } from './staging.ts';

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

export interface ReduceRooms {
  readonly device: Device;
  /** One for each of `roomCounts`. */
  readonly rooms: readonly HostRoom[];
  /** Memory of the device for parts that cannot be combined in their messages; not needed between two reductions. */
  room(bytes: number): Memory;
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

/** Numbers of a room from one on. */
const numbersAt =
  ({ width }: Joint, room: HostRoom) =>
  (from: number, count: number): HostRoom =>
    partOf(room, from * width, count * width);

/** Where the numbers of each tensor lie in a room with those of all. */
function roomsOf(joint: Joint, room: HostRoom): HostRoom[] {
  let from = 0;
  return joint.tensors.map(({ box }) => {
    const count = boxVolume(box);
    from += count;
    return numbersAt(joint, room)(from - count, count);
  });
}

/** Packs all tensors into a room. */
function packer({ transport }: Device, joint: Joint, room: HostRoom): () => Mark | undefined {
  const places = roomsOf(joint, room);
  const packs = joint.tensors.map((tensor, i) => transport.outgoing(tensor, tensor.box, places[i]).pack);
  return () => packs.map((pack) => pack()).at(-1);
}

/** Combines parts in their order; the result takes the place of the first. */
function combiner(parts: ReduceRooms, joint: Joint, rooms: readonly HostRoom[]): () => Mark | undefined {
  const { device } = parts;
  const { tensors, moves } = inDevice(parts, joint, rooms);
  if (tensors.length === 0) return () => undefined;
  const launch = device.combine(tensors, joint.combine, 'first');
  return () => {
    for (const { unpack } of moves) unpack();
    launch.run();
    moves[0]?.pack();
    return device.mark();
  };
}

/** Copies the numbers of a room into another. */
function copier(parts: ReduceRooms, joint: Joint, to: HostRoom, from: HostRoom): () => Mark | undefined {
  const { device } = parts;
  const { tensors, moves } = inDevice(parts, joint, [to, from]);
  if (tensors.length === 0) return () => undefined;
  const launch = device.copy(tensors[0], tensors[1], tensors[0].box);
  return () => {
    moves[1]?.unpack();
    launch.run();
    moves[0]?.pack();
    return device.mark();
  };
}

interface Arranging {
  /** Parts of all of a row, one after the other; and the same with those of one slice of all beside each other. */
  readonly alongRow: HostRoom;
  readonly bySlice: HostRoom;
  /** Where each slice begins in a part, and where its parts begin in `bySlice`. */
  readonly slices: readonly { readonly from: number; readonly count: number; readonly start: number }[];
  readonly columns: number;
  /** Where the parts of this rank's own slice go, and which slice it is. */
  readonly own: { readonly to: HostRoom; readonly row: number };
}

/** Puts in order by slices what came by ranks. */
function arranger(parts: ReduceRooms, joint: Joint, what: Arranging): () => Mark | undefined {
  const { device } = parts;
  const { transport } = device;
  const { alongRow, bySlice, slices, columns, own } = what;
  if (transport.tensor === undefined)
    return () => {
      arrange(joint.width, what);
      return undefined;
    };
  const [like] = joint.tensors;
  const most = slices.reduce((sum, { count }) => sum + count, 0);
  const shape: Shape = [
    { name: 'part', size: columns },
    { name: 'number', size: most },
  ];
  const boxOf = (from: number, count: number): Box => [range(0, columns), range(from, from + count)];
  const parted = transport.tensor(like, shape, boxOf(0, most), alongRow);
  const at = numbersAt(joint, bySlice);
  const copies = slices
    .filter(({ count }) => count > 0)
    .map(({ from, count, start }) => {
      const box = boxOf(from, count);
      return device.copy(transport.tensor!(like, shape, box, at(start, columns * count)), parted, box);
    });
  const { start, count } = slices[own.row];
  const enter = copier(parts, joint, own.to, at(start, columns * count));
  return () => {
    for (const copy of copies) copy.run();
    return enter() ?? device.mark();
  };
}

/** The same on the host. */
function arrange(width: number, { alongRow, bySlice, slices, columns, own }: Arranging): void {
  const [source, sorted, column] = [alongRow, bySlice, own.to].map((room) => room.view(room.bytes));
  const most = slices.reduce((sum, { count }) => sum + count, 0);
  for (let part = 0; part < columns; part++)
    for (const { from, count, start } of slices) {
      const begin = (part * most + from) * width;
      sorted.set(source.subarray(begin, begin + count * width), (start + part * count) * width);
    }
  const begin = slices[own.row].start * width;
  column.set(sorted.subarray(begin, begin + own.to.bytes));
}

/** Rooms with as many numbers each as tensors; none where they are empty. */
function inDevice(
  { device, room }: ReduceRooms,
  { tensors: [like], width }: Joint,
  rooms: readonly HostRoom[],
) {
  const { transport } = device;
  const count = rooms[0].bytes / width;
  if (count === 0) return { tensors: [], moves: [] };
  const shape = [{ name: 'part', size: count }];
  const box = [range(0, count)];
  if (transport.tensor !== undefined)
    return { tensors: rooms.map((one) => transport.tensor!(like, shape, box, one)), moves: [] };
  // A device that does not compute in rooms: each in a tensor of its own.
  const { dtype } = like;
  const type = { shape, dtype, format: device.target.plain({ shape, dtype }) };
  const each = wholeBytes(device.target.spaces.tensors, type.format.bytes(box));
  const memory = room(each * rooms.length);
  const tensors = rooms.map((_, i) => device.tensor(memory, each * i, type, box));
  const moves = tensors.map((tensor, i) => ({
    ...transport.incoming(tensor, box, rooms[i]),
    ...transport.outgoing(tensor, box, rooms[i]),
  }));
  return { tensors, moves };
}
