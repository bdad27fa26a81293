import { type Block, type Box, boxVolume, forEachIndex, get, set, zeros } from '../core/index.ts';
import { type Format, type Kernel, type LocalValue, NO_FUSION, type StoredType } from '../plan/index.ts';
import { launchOf, passedMark } from './at-once.ts';
import type { Device, HostArray, HostRoom, Memory, Spill, Tensor } from './device.ts';
import { PLAIN_TARGET } from './host.ts';

interface ReferenceTensor extends Tensor {
  readonly block: Block;
}

/** Whatever the element type. */
const FLOAT64: Format = { name: 'plain', bytes: (box) => 8 * boxVolume(box) };

const blockOf = (tensor: Tensor): Block => (tensor as ReferenceTensor).block;

/**
 * The judge: every operation's own float64 reference, one element at a time. Element types are ignored; everything is float64.
 * Tensors are blocks of their own, so an arena is only a number of bytes here.
 */
export function referenceDevice(fusion = NO_FUSION): Device {
  /** Bytes asked for, by memory. */
  const taken = new Map<Memory, number>();
  let held = 0;
  return {
    target: {
      ...PLAIN_TARGET,
      name: 'reference',
      fusion,
      formats: () => () => FLOAT64,
      plain: () => FLOAT64,
    },
    allocate(bytes, room = bytes) {
      held += bytes;
      const memory = { bytes: Math.max(bytes, room) };
      taken.set(memory, bytes);
      return memory;
    },
    free(memory) {
      held -= taken.get(memory) ?? 0;
      taken.delete(memory);
    },
    openSpill: (_folder, bytes) => hostSpill(bytes),
    tensor: (_memory: Memory, _offset: number, type: StoredType, box: Box): ReferenceTensor => ({
      shape: type.shape,
      dtype: type.dtype,
      box,
      block: zeros(type.shape, box),
    }),
    upload: put,
    download: async (tensor, box) => hostNumbers(tensor, take(tensor, box)),
    copy: (to, from, box) => launchOf(() => put(to, box, take(from, box))),
    combine: (tensors, how) => launchOf(() => combine(tensors, how)),
    prepare: async (kernel, rank, tensorOf) =>
      launchOf(() => runByReference(kernel, rank, (value) => blockOf(tensorOf(value)))),
    mark: passedMark,
    done: async () => undefined,
    transport: {
      bytes: (_tensor, box) => 8 * boxVolume(box),
      outgoing: (tensor, box, room) => ({
        pack() {
          numbersIn(room, box).set(take(tensor, box));
          return passedMark();
        },
      }),
      incoming: (tensor, box, room) => ({
        unpack() {
          put(tensor, box, numbersIn(room, box));
          return passedMark();
        },
      }),
    },
    get held() {
      return held;
    },
    close: () => undefined,
  };
}

/** A room of messages as float64 numbers. */
function numbersIn(room: HostRoom, box: Box): Float64Array {
  const { buffer, byteOffset } = room.view(8 * boxVolume(box));
  return new Float64Array(buffer, byteOffset, boxVolume(box));
}

function put(tensor: Tensor, box: Box, data: HostArray): void {
  let i = 0;
  forEachIndex(box, (index) => set(blockOf(tensor), index, data[i++]));
}

function take(tensor: Tensor, box: Box): Float64Array {
  const data = new Float64Array(boxVolume(box));
  let i = 0;
  forEachIndex(box, (index) => {
    data[i++] = get(blockOf(tensor), index);
  });
  return data;
}

/** In the type that a tensor's numbers are handed out in. */
function hostNumbers({ dtype }: Tensor, data: Float64Array): HostArray {
  if (dtype === 'u8') return Uint8Array.from(data);
  return dtype === 'i32' ? Int32Array.from(data) : data;
}

function combine(tensors: readonly Tensor[], how: 'sum' | 'max' | 'min'): void {
  const join = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min }[how];
  const blocks = tensors.map((tensor) => blockOf(tensor).data);
  const total = blocks.slice(1).reduce((sum, data) => sum.map((v, i) => join(v, data[i])), blocks[0]);
  for (const data of blocks) data.set(total);
}

/** Copies in host memory. */
function hostSpill(bytes: number): Spill {
  const kept = new Map<number, Float64Array>();
  return {
    bytes,
    write(tensor, offset) {
      kept.set(offset, blockOf(tensor).data.slice());
      return 0;
    },
    read(tensor, offset) {
      blockOf(tensor).data.set(kept.get(offset)!);
      return 0;
    },
    settled: () => true,
    close: () => kept.clear(),
  };
}

/**
 * Runs a kernel's operations one by one, each by its own reference; what it does not store lives in blocks of its own. For devices that
 * have no kernel for something too.
 */
export function runByReference(kernel: Kernel, rank: number, stored: (value: LocalValue) => Block): void {
  const local = new Map<LocalValue, Block>();
  const written = new Set(kernel.writes);
  const made = new Set(kernel.nodes.flatMap((node) => node.outputs));
  for (const { op, call, inputs, outputs, loops } of kernel.nodes) {
    const loop = loops[rank];
    const writes = op.writes(call, loop);
    const results = writes.map((box, o) => zeros(outputs[o].shape, box));
    op.reference(
      call,
      loop,
      inputs.map((value) => (made.has(value) ? local.get(value)! : stored(value))),
      results,
    );
    outputs.forEach((value, o) => {
      local.set(value, results[o]);
      if (!written.has(value)) return;
      const target = stored(value);
      forEachIndex(writes[o], (index) => set(target, index, get(results[o], index)));
    });
  }
}
