import { type Block, type Box, boxVolume, rowMajorStrides } from '../../src/core/index.ts';
import { HOST_ARRAYS, launchOf, passedMark } from '../../src/machine/at-once.ts';
import { type ContractionCall, callOf, refusesCall } from '../../src/machine/calls/index.ts';
import { PLAIN_TARGET } from '../../src/machine/host.ts';
import type { Device, Memory, Tensor } from '../../src/machine/index.ts';
import { runByReference } from '../../src/machine/reference.ts';
import { type LocalValue, NO_FUSION, type StoredType } from '../../src/plan/index.ts';
import { type Numbers, runRow } from './rows.ts';

// What adding a device costs: all tensors are float32 arrays; two kernels are its own, element-wise rows and the convolution with
// rows on its load and its store; all else runs by the operations' reference.

interface ToyMemory extends Memory {
  readonly data: ArrayBuffer;
}

interface ToyTensor extends Tensor {
  readonly data: Float32Array;
  readonly strides: readonly number[];
}

const toy = (tensor: Tensor) => tensor as ToyTensor;
const at = ({ box, strides }: ToyTensor, index: readonly number[]) =>
  box.reduce((sum, { start }, i) => sum + (index[i] - start) * strides[i], 0);

function* indices(box: Box): Generator<number[]> {
  const index = box.map(({ start }) => start);
  for (let left = boxVolume(box); left > 0; left--) {
    yield [...index];
    for (let i = box.length - 1; i >= 0 && ++index[i] === box[i].end; i--) index[i] = box[i].start;
  }
}

const put = (tensor: Tensor, box: Box, data: ArrayLike<number>) => {
  let i = 0;
  for (const index of indices(box)) toy(tensor).data[at(toy(tensor), index)] = data[i++];
};
const take = (tensor: Tensor, box: Box) =>
  Float64Array.from([...indices(box)], (index) => toy(tensor).data[at(toy(tensor), index)]);

function runConvolution(
  { window, sources: [x], weight, out, epilogue }: ContractionCall,
  numbers: Numbers,
): void {
  const { stride, pad, dilation } = window;
  const last = out.shape.length - 1;
  for (const o of indices(out.box)) {
    let sum = 0;
    for (const tap of indices(weight.box)) {
      if (tap[tap.length - 1] !== o[last]) continue;
      const kernel = new Map(weight.value.shape.map(({ name }, i) => [weight.slots.get(name)! - 1, tap[i]]));
      const index = o.map((place, d) => {
        const axis = out.slots.get(out.shape[d].name)! - 1;
        if (d === last) return tap[tap.length - 2];
        return axis < 0 ? place : place * stride[axis] - pad[axis] + dilation[axis] * (kernel.get(axis) ?? 0);
      });
      if (index.every((i, d) => i >= 0 && i < x.region.shape[d].size))
        sum += runRow(x.row, index, numbers) * numbers.get(weight.value, tap);
    }
    runRow(epilogue, o, numbers, sum);
  }
}

export function toyDevice(): Device {
  let held = 0;
  const plain = () => ({ name: 'plain', bytes: (box: Box) => 4 * boxVolume(box) });
  const done = async () => undefined;
  const isConv = (op: string) => op === 'conv';
  return {
    target: {
      ...PLAIN_TARGET,
      name: 'toy',
      fusion: { ...NO_FUSION, prologue: (op, input) => isConv(op) && input === 0, epilogue: isConv },
      refuses: refusesCall,
      formats: () => plain,
      plain,
    },
    allocate(bytes): ToyMemory {
      held += bytes;
      return { bytes, data: new ArrayBuffer(bytes) };
    },
    free({ bytes }) {
      held -= bytes;
    },
    openSpill: () => {
      throw new Error('the toy has no spill');
    },
    tensor: (memory: Memory, offset: number, { shape, dtype }: StoredType, box: Box): ToyTensor => {
      const data = new Float32Array((memory as ToyMemory).data, offset, boxVolume(box));
      return { shape, dtype, box, data, strides: rowMajorStrides(box.map(({ start, end }) => end - start)) };
    },
    upload: put,
    download: async (tensor, box) => HOST_ARRAYS[tensor.dtype].from(take(tensor, box)),
    copy: (to, from, box) => launchOf(() => put(to, box, take(from, box))),
    combine: (tensors, how) =>
      launchOf(() => {
        const join = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min }[how];
        const all = tensors.map((tensor) => take(tensor, tensor.box));
        const total = all.reduce((sum, data) => sum.map((x, i) => join(x, data[i])));
        for (const tensor of tensors) put(tensor, tensor.box, total);
      }),
    async prepare(kernel, rank, tensorOf) {
      const call = callOf(kernel, rank, tensorOf);
      const stored = (value: LocalValue) => toy(tensorOf(value));
      const numbers: Numbers = {
        get: (value, index) => stored(value).data[at(stored(value), index)],
        set: (value, index, number) => {
          stored(value).data[at(stored(value), index)] = number;
        },
      };
      if (call.op === 'conv') return launchOf(() => runConvolution(call, numbers));
      if (call.op === 'rows')
        return launchOf(() => {
          for (const index of indices(call.region.box)) runRow(call.row, index, numbers);
        });
      return launchOf(() => {
        const blocks = new Map<ToyTensor, Block>();
        runByReference(kernel, rank, (value) => {
          const tensor = stored(value);
          const block = blocks.get(tensor) ?? { ...tensor, data: Float64Array.from(tensor.data) };
          blocks.set(tensor, block);
          return block;
        });
        for (const [tensor, { data }] of blocks) tensor.data.set(data);
      });
    },
    mark: passedMark,
    done,
    transport: {
      bytes: (_tensor, box) => 8 * boxVolume(box),
      outgoing: (tensor, box, room) => ({
        pack() {
          room.view(8 * boxVolume(box)).set(new Uint8Array(take(tensor, box).buffer));
          return passedMark();
        },
      }),
      incoming: (tensor, box, room) => ({
        unpack() {
          put(tensor, box, new Float64Array(room.view(8 * boxVolume(box)).slice().buffer));
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
