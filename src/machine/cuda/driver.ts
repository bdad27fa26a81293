import type { FarRooms, HostRoom, Launch, Mark, Spill } from '../device.ts';

// What a CUDA device needs of what is below it: memory, one queue of launches, compiled code. Two makers: the driver of a GPU, and an
// emulated one that runs the same printed source on the host.

/** An address in the memory of the device; below 2^53. */
export type Address = number;

/** A kernel as printed, which defines `name`. */
export interface KernelSource {
  readonly name: string;
  readonly text: string;
  /** Threads of a block. */
  readonly threads: number;
  /** Its threads wait for each other. */
  readonly barriers: boolean;
  /** Bytes of shared memory that a launch asks for, beside what the text declares. */
  readonly shared?: number;
}

/** Compiled code of a kernel. */
export interface CompiledKernel {
  /** A launch of `blocks` blocks; `args` is the kernel's struct of arguments, which is read now. */
  launch(blocks: number, args: Uint8Array): () => void;
}

export interface Driver {
  /** In a few words: which one, and where it computes. */
  readonly note: string;
  /** Bytes of shared memory that a block may ask for; absent where there is no limit. */
  readonly shared?: number;
  /** Memory; raises an error where there is no room. */
  allocate(bytes: number): Address;
  free(at: Address): void;
  /** Bytes that can still be allocated; absent where that is not told. */
  left?(): number;
  /** In the queue; `data` may change when it returns. */
  upload(to: Address, data: Uint8Array): void;
  /** The bytes as they are when the queue comes to this. */
  download(from: Address, bytes: number): Promise<Uint8Array>;
  /** Compiles kernels, several at once. */
  compile(kernels: readonly KernelSource[]): Promise<void>;
  /** Compiles kernels now, together; absent where that is no faster than one by one. */
  compileNow?(kernels: readonly KernelSource[]): void;
  /** A kernel's compiled code; compiled now where it was not. */
  kernel(source: KernelSource): CompiledKernel;
  mark(): Mark;
  /** Waits until the queue is empty; raises what went wrong. */
  done(): Promise<void>;
  /** Memory of the host that kernels reach. */
  room(bytes: number): HostRoom;
  freeRoom(room: HostRoom): void;
  /** Memory of the device for messages; absent where there are none. */
  readonly far?: FarRooms;
  /** Room in memory of the host for `bytes` bytes of tensors, which are told by address and bytes. */
  openSpill(bytes: number): ByteSpill;
  /** Records the launches that `run` asks for, which do nothing now, to be asked for at once. */
  capture(run: () => void): Graph;
  close(): void;
}

/** Launches that were recorded. */
export interface Graph extends Launch {
  free(): void;
}

/** As `Spill`, of bytes. */
export interface ByteSpill extends Pick<Spill, 'settled' | 'close'> {
  write(from: Address, bytes: number, offset: number): number;
  read(to: Address, bytes: number, offset: number): number;
}
