import { type Box, boxVolume, range, type Shape } from '../../core/index.ts';
import { wholeBytes } from '../../plan/index.ts';
import type { Device, HostRoom, Mark, Memory } from '../device.ts';
import type { Joint } from './joint.ts';
import { partOf } from './staging.ts';

// What a device does with numbers in memory for messages: packs tensors, copies, puts in order, combines.

export interface ReduceRooms {
  readonly device: Device;
  /** One for each of `roomCounts`. */
  readonly rooms: readonly HostRoom[];
  /** Memory of the device for parts that cannot be combined in their messages; not needed between two reductions. */
  room(bytes: number): Memory;
}

/** Numbers of a room from one on. */
export const numbersAt =
  ({ width }: Joint, room: HostRoom) =>
  (from: number, count: number): HostRoom =>
    partOf(room, from * width, count * width);

/** Where the numbers of each tensor lie in a room with those of all. */
export function roomsOf(joint: Joint, room: HostRoom): HostRoom[] {
  let from = 0;
  return joint.tensors.map(({ box }) => {
    const count = boxVolume(box);
    from += count;
    return numbersAt(joint, room)(from - count, count);
  });
}

/** Packs all tensors into a room. */
export function packer({ transport }: Device, joint: Joint, room: HostRoom): () => Mark | undefined {
  const places = roomsOf(joint, room);
  const packs = joint.tensors.map((tensor, i) => transport.outgoing(tensor, tensor.box, places[i]).pack);
  return () => packs.map((pack) => pack()).at(-1);
}

/** Combines parts in their order; the result takes the place of the first. */
export function combiner(
  parts: ReduceRooms,
  joint: Joint,
  rooms: readonly HostRoom[],
): () => Mark | undefined {
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
export function copier(
  parts: ReduceRooms,
  joint: Joint,
  to: HostRoom,
  from: HostRoom,
): () => Mark | undefined {
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

export interface Arranging {
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
export function arranger(parts: ReduceRooms, joint: Joint, what: Arranging): () => Mark | undefined {
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
