import { type Block, type Box, boxVolume, forEachIndex, get, set, zeros } from '../core/index.ts';
import { type Format, type Kernel, type LocalValue, NO_FUSION, type StoredType } from '../plan/index.ts';
import type { Device, HostArray, Memory, Store, Tensor } from './device.ts';

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
  return {
    name: 'reference',
    fusion,
    refuses: () => undefined,
    formats: () => () => FLOAT64,
    plain: () => FLOAT64,
    spaces: { tensors: { name: 'memory', align: () => 64 } },
    allocate: (bytes, room = bytes) => ({ bytes: Math.max(bytes, room) }),
    free: () => undefined,
    openStore: (_folder, bytes) => hostStore(bytes),
    tensor: (_memory: Memory, _offset: number, type: StoredType, box: Box): ReferenceTensor => ({
      shape: type.shape,
      dtype: type.dtype,
      box,
      block: zeros(type.shape, box),
    }),
    write(tensor, box, data) {
      let i = 0;
      forEachIndex(box, (index) => set(blockOf(tensor), index, data[i++]));
    },
    read(tensor, box): HostArray {
      const data = new Float64Array(boxVolume(box));
      let i = 0;
      forEachIndex(box, (index) => {
        data[i++] = get(blockOf(tensor), index);
      });
      return data;
    },
    copyBox: (to, from, box) =>
      forEachIndex(box, (index) => set(blockOf(to), index, get(blockOf(from), index))),
    messageBytes: (_tensor, box) => 8 * boxVolume(box),
    message(tensor, box, room) {
      const bytes = 8 * boxVolume(box);
      const numbers = (): Float64Array => {
        const { buffer, byteOffset } = room.view(bytes);
        return new Float64Array(buffer, byteOffset, bytes / 8);
      };
      return {
        bytes,
        pack() {
          const data = numbers();
          let i = 0;
          forEachIndex(box, (index) => {
            data[i++] = get(blockOf(tensor), index);
          });
        },
        unpack() {
          const data = numbers();
          let i = 0;
          forEachIndex(box, (index) => set(blockOf(tensor), index, data[i++]));
        },
      };
    },
    combine(tensors, how) {
      const join = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min }[how];
      const blocks = tensors.map((t) => blockOf(t).data);
      const total = blocks.slice(1).reduce((sum, data) => sum.map((v, i) => join(v, data[i])), blocks[0]);
      for (const data of blocks) data.set(total);
    },
    prepare: (kernel, rank, tensorOf) => () => runKernel(kernel, rank, (value) => blockOf(tensorOf(value))),
  };
}

/** A store that keeps copies in host memory. */
function hostStore(bytes: number): Store {
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

/** Runs a kernel's operations one by one; what it does not store lives in blocks of its own. */
function runKernel(kernel: Kernel, rank: number, stored: (value: LocalValue) => Block): void {
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
