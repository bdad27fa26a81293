import {
  type Box,
  boxVolume,
  fail,
  forEachIndex,
  HalomeshError,
  normal,
  rowMajorStrides,
  sameBox,
  showBox,
  type TensorType,
} from '../core/index.ts';
import type { Device, HostArray, Tensor } from '../machine/index.ts';
import type { Init, VariableAttrs } from '../ops/index.ts';
import type { Plan } from '../plan/index.ts';

/** Variables of all local ranks, kept from run to run and shared by the programs of one session. */
export class State {
  private readonly device: Device;
  private readonly seed: number;
  private readonly tensors = new Map<string, (Tensor | undefined)[]>();
  readonly types = new Map<string, TensorType & { readonly trainable: boolean }>();

  constructor(device: Device, seed: number) {
    this.device = device;
    this.seed = seed;
  }

  /** Gives every variable of a plan its memory on `ranks`; new ones get their initial numbers. */
  admit(plan: Plan, ranks: readonly number[]): void {
    for (const [name, value] of plan.program.variables) {
      const attrs = value.producer.call.attrs as VariableAttrs;
      const buffer = plan.buffers.get(value)!;
      const known = this.tensors.get(name);
      if (known) {
        this.checkSame(name, known, buffer.boxes, ranks);
        continue;
      }
      const list: (Tensor | undefined)[] = new Array(plan.program.mesh.size).fill(undefined);
      // Ranks that hold the same box begin with the same numbers.
      const drawn = new Map<string, Float64Array>();
      for (const rank of ranks) {
        const box = buffer.boxes[rank];
        const tensor = this.device.tensor(
          this.device.allocate(this.device.storageBytes(buffer, box)),
          0,
          buffer,
          box,
        );
        const key = showBox(box);
        const numbers = drawn.get(key) ?? initial(attrs, this.seed, box);
        drawn.set(key, numbers);
        this.device.write(tensor, box, numbers);
        list[rank] = tensor;
      }
      this.tensors.set(name, list);
      this.types.set(name, { shape: value.shape, dtype: value.dtype, trainable: attrs.trainable });
    }
  }

  tensor(name: string, rank: number): Tensor {
    const tensor = this.tensors.get(name)?.[rank];
    if (!tensor) return fail({ where: 'state', problem: `no variable "${name}" on rank ${rank}` });
    return tensor;
  }

  names(): string[] {
    return [...this.tensors.keys()];
  }

  /** A whole variable on the host, row-major, gathered from the local ranks: float64 where the device holds that, else float32. */
  get(name: string): Float32Array | Float64Array {
    const type = this.types.get(name);
    if (!type) return fail({ where: 'state', problem: `no variable "${name}"` });
    const strides = rowMajorStrides(type.shape.map((dim) => dim.size));
    let whole: Float32Array | Float64Array | undefined;
    for (const tensor of this.tensors.get(name)!) {
      if (!tensor) continue;
      const part = this.device.read(tensor, tensor.box);
      whole ??=
        part instanceof Float64Array ? new Float64Array(sizeOf(type)) : new Float32Array(sizeOf(type));
      scatter(part, tensor.box, whole, strides);
    }
    return whole ?? fail({ where: 'state', problem: `variable "${name}" lies on no rank of this process` });
  }

  /** Sets a whole variable from host numbers, row-major. */
  set(name: string, data: HostArray): void {
    const type = this.types.get(name);
    if (!type) throw new HalomeshError({ where: 'state', problem: `no variable "${name}"` });
    if (data.length !== sizeOf(type))
      fail({
        where: 'state',
        problem: `numbers for variable "${name}"`,
        expected: String(sizeOf(type)),
        found: String(data.length),
      });
    const strides = rowMajorStrides(type.shape.map((dim) => dim.size));
    for (const tensor of this.tensors.get(name)!)
      if (tensor) this.device.write(tensor, tensor.box, gather(data, tensor.box, strides));
  }

  private checkSame(
    name: string,
    known: readonly (Tensor | undefined)[],
    boxes: readonly Box[],
    ranks: readonly number[],
  ): void {
    for (const rank of ranks) {
      const box = known[rank]?.box;
      if (!box || !sameBox(box, boxes[rank]))
        fail({
          where: 'state',
          problem: `variable "${name}" is laid out differently by two programs`,
          expected: box ? showBox(box) : 'a box',
          found: showBox(boxes[rank]),
          hint: 'Plan all programs of a session with one mesh and layout',
        });
    }
  }
}

const sizeOf = (type: TensorType): number => type.shape.reduce((n, dim) => n * dim.size, 1);

/** Initial numbers of a variable in `box`, keyed by (seed, name, global index): the same on every mesh. */
export function initial(attrs: VariableAttrs, seed: number, box: Box): Float64Array {
  const data = new Float64Array(boxVolume(box));
  const init: Init = attrs.init;
  if (init.kind === 'constant') return data.fill(init.value);
  const strides = rowMajorStrides(attrs.shape.map((dim) => dim.size));
  const key = hashText(attrs.name);
  let i = 0;
  forEachIndex(box, (index) => {
    const at = index.reduce((sum, x, d) => sum + x * strides[d], 0);
    data[i++] = init.deviation * normal(seed >>> 0, key, 0, at);
  });
  return data;
}

/** FNV-1a over the text's UTF-16 units: a 32-bit key for a name. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Rows of a box: calls `row(start of the row in the whole, start in the box, length)`. */
export function forEachRow(
  box: Box,
  strides: readonly number[],
  row: (whole: number, part: number, count: number) => void,
): void {
  const count = box.length === 0 ? 1 : box[box.length - 1].end - box[box.length - 1].start;
  let part = 0;
  const outer = box.map((r, i) =>
    i === box.length - 1 ? { start: r.start, end: Math.min(r.end, r.start + 1) } : r,
  );
  forEachIndex(outer, (index) => {
    row(
      index.reduce((sum, x, i) => sum + x * strides[i], 0),
      part,
      count,
    );
    part += count;
  });
}

/** The part of a whole row-major array that lies in `box`. */
export function gather(whole: HostArray, box: Box, strides: readonly number[]): HostArray {
  const part = whole.slice(0, 0).constructor as new (length: number) => HostArray;
  const data = new part(boxVolume(box));
  forEachRow(box, strides, (from, to, count) => data.set(whole.subarray(from, from + count), to));
  return data;
}

/** Writes the numbers of `box` into a whole row-major array. */
export function scatter(data: HostArray, box: Box, whole: HostArray, strides: readonly number[]): void {
  forEachRow(box, strides, (to, from, count) => whole.set(data.subarray(from, from + count), to));
}
