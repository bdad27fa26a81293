import type { Box, NormalDraws, Shape, TensorType } from '../core/index.ts';
import type { Kernel, LocalValue, StoredType, Target } from '../plan/index.ts';

/** Device memory: an arena or a variable's own. Only the device that made it looks inside. */
export interface Memory {
  readonly bytes: number;
}

/** One rank's stored box of a tensor, in device memory. Only the device that made it looks inside. */
export interface Tensor extends TensorType {
  readonly box: Box;
}

/** Numbers of a box, row-major, on the host. */
export type HostArray = Float32Array | Float64Array | Uint8Array | Int32Array | Int16Array;

/** A place in the queue of a device: reached when all that was asked for before it is done. */
export interface Mark {
  passed(): boolean;
  /** Raises what went wrong on the way. */
  wait(): Promise<void>;
  /** Milliseconds of the device between an earlier mark and this one; both have been passed. */
  milliseconds(since: Mark): number;
}

/** Work that is prepared once and asked for again and again: its arguments lie where the device reads them. */
export interface Launch {
  run(): void;
  /**
   * The same work in two launches, the second after the first: the first computes what it can of `ready`, a part of the kernel's
   * loop box, and reads nothing beside what `ready` reads. Absent, or undefined, where the work cannot be parted so.
   */
  parts?(ready: Box): readonly [Launch, Launch] | undefined;
}

/** Memory of the host that messages between processes are packed into. */
export interface HostRoom {
  readonly address: number;
  readonly bytes: number;
  /** The first bytes as a host array; at most 1 GiB. */
  view(bytes: number): Uint8Array;
}

/** Where rooms come from. */
export interface HostRooms {
  room(bytes: number): HostRoom;
  free(room: HostRoom): void;
}

/**
 * Memory of a device's own that messages lie in, and how the numbers there reach other processes; no room of it has a `view`. Copies run in their order, beside
 * all else that the device does: what they read is there, and nobody needs what they write over.
 */
export interface FarRooms extends HostRooms {
  /** Whether the host reaches it too, so that any MPI takes messages from it. */
  readonly ofHost: boolean;
  /** Memory of the host that copies reach fastest. */
  readonly staged: HostRooms;
  /** Copies bytes between such memory, of the device, the host, or another process. */
  copy(to: number, from: number, bytes: number): Mark;
  /** What another process of the same machine opens a room by, as a whole: of `HANDLE_BYTES` bytes. Raises why it cannot. */
  handle(room: HostRoom): Uint8Array;
  /** Opens the room of another process; gives its address here. Raises why it cannot. */
  open(handle: Uint8Array): number;
  /** Closes what was opened. */
  shut(address: number): void;
}

/** Bytes of what a room is opened by. */
export const HANDLE_BYTES = 64;

/** How boxes of tensors become messages, as plain row-major numbers in rooms of the host, and tensors again. */
export interface Transport {
  /** Memory of the host that the device reaches fastest; absent where any will do. */
  readonly rooms?: HostRooms;
  /** Memory of the device itself for messages; absent where the device works in that of the host. */
  readonly far?: FarRooms;
  /** Bytes of a message with the numbers of a box. */
  bytes(tensor: Tensor, box: Box): number;
  /** A box that is sent again and again: `pack` puts its numbers into the room, which holds them when the mark is passed. */
  outgoing(tensor: Tensor, box: Box, room: HostRoom): { pack(): Mark };
  /** A box that comes again and again: `unpack` takes its numbers from the room, which must stay as it is until the device is done. */
  incoming(tensor: Tensor, box: Box, room: HostRoom): { unpack(): Mark };
  /**
   * The first numbers of a room as a tensor of the device, where the device computes in rooms: of the element type of `like`, with
   * which it is given back.
   */
  tensor?(like: Tensor, shape: Shape, box: Box, room: HostRoom): Tensor;
  /** `poll`: address of a native function that kernels call now and then, so that messages move on beside them. */
  pollWith?(poll: number): void;
}

/** A move that may still go on. */
export type Ticket = number;

/** Room outside of memory for tensors that make way for others. Moves run in the order they are asked for, beside kernels. */
export interface Spill {
  readonly bytes: number;
  /** Begins to write a tensor's memory to `offset`; it must stay as it is until the move is done. */
  write(tensor: Tensor, offset: number): Ticket;
  /** Begins to read what was written at `offset` into a tensor of the same type and box. */
  read(tensor: Tensor, offset: number): Ticket;
  /**
   * Waits up to a few hundredths of a second for a move; says whether it is done for all that is asked for next. A device that does
   * its work later has its queue wait, and not the host. Raises what went wrong.
   */
  settled(ticket: Ticket): boolean;
  close(): void;
}

/**
 * What runs kernels and holds tensors. It has one queue: what is asked for is done in that order, at once or later. Errors of work
 * that is done later surface where one waits for it: at `download`, `done` and marks.
 */
export interface Device {
  /** What plans are made for. */
  readonly target: Target;
  /** What kernels are made for, such as the instruction set; absent where that says nothing. */
  readonly instructionSet?: string;
  /** Fills an array of the host with the same bits as `fillNormal` of core, faster; absent where that is no faster here. Needs no `this`. */
  readonly fillNormal?: (out: Float64Array, draws: NormalDraws) => void;
  /** Most bytes that the process has had in memory; absent where the system's count will do. */
  peakMemory?(): number;
  /** `room`: bytes that the memory may grow to be used for, where addresses alone cost nothing. */
  allocate(bytes: number, room?: number): Memory;
  /** Gives memory back, and the arguments of what was prepared with it. */
  free(memory: Memory): void;
  /** Room for `bytes` bytes of spilled tensors, as a file in a folder, by default the system's for passing files; raises an error where there is none. Nothing of it is left when the process ends. */
  openSpill(folder: string | undefined, bytes: number): Spill;
  /** Bytes of the memory of tensors that the process may have here; absent, or undefined, where that is not told. */
  granted?(): number | undefined;
  /** A tensor at `offset` bytes of a memory. */
  tensor(memory: Memory, offset: number, type: StoredType, box: Box): Tensor;
  /** Host numbers of `box` (row-major) into a tensor; converts the element type. `data` may change when it returns. */
  upload(tensor: Tensor, box: Box, data: HostArray): void;
  /**
   * Numbers of `box`, row-major: bytes of a u8 tensor, int32 of an i32 one; else float64 of an f64 tensor or a device that
   * computes in float64 throughout, and float32.
   */
  download(tensor: Tensor, box: Box): Promise<HostArray>;
  /** Copies `box` between tensors of one shape and element type. */
  copy(to: Tensor, from: Tensor, box: Box): Launch;
  /**
   * Replaces every tensor by the element-wise combination of all, taken in order (sums in float64). `first`: only the first has to
   * have it, the others may be left with anything.
   */
  combine(tensors: readonly Tensor[], how: 'sum' | 'max' | 'min', first?: 'first'): Launch;
  /**
   * A kernel of one rank, ready to run: a device may compile it meanwhile, and several at the same time. `tensorOf` gives the stored
   * tensors that it reads and writes, `scratch` is memory that it may use while it runs, of the bytes that the target told. What it
   * needs beside them is freed with `owner`.
   */
  prepare(
    kernel: Kernel,
    rank: number,
    tensorOf: (value: LocalValue) => Tensor,
    owner: Memory,
    scratch?: Tensor,
  ): Promise<Launch>;
  /**
   * Launches of its own as one launch that asks for all of them in order at once; what it needs is freed with `owner`. Absent where
   * that gains nothing.
   */
  capture?(launches: readonly Launch[], owner: Memory): Launch;
  mark(): Mark;
  /** Waits until all that was asked for is done. */
  done(): Promise<void>;
  readonly transport: Transport;
  /** Bytes of memory that the device holds for others: what was allocated and not freed, arguments among it. */
  readonly held: number;
  /** Gives back what the device holds for itself. Memory that it gave must be freed before. */
  close(): void;
}
