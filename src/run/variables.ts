import {
  type Box,
  boxVolume,
  fail,
  fillNormal,
  forEachIndex,
  HalomeshError,
  hashText,
  length,
  type NormalDraws,
  normal,
  rowMajorStrides,
  sameBox,
  showBox,
  type TensorType,
  uniform,
} from '../core/index.ts';
import type { Device, HostArray, Memory, Processes, Tensor } from '../machine/index.ts';
import { alone } from '../machine/local.ts';
import type { Init, VariableAttrs } from '../ops/index.ts';
import type { Plan } from '../plan/index.ts';
import { fromParts, heldByAll } from './parts.ts';
import { gather, scatter } from './rows.ts';

/** Variables of all local ranks, kept from run to run and shared by the programs of one session. */
export class Variables {
  private readonly device: Device;
  private readonly seed: number;
  /** Where the other ranks run. */
  readonly processes: Processes;
  private readonly tensors = new Map<string, (Tensor | undefined)[]>();
  private readonly memories: Memory[] = [];
  /** Variables that have no numbers yet. */
  private readonly blank = new Map<string, VariableAttrs>();
  /** Stored boxes of all ranks. */
  private readonly boxes = new Map<string, readonly Box[]>();
  readonly types = new Map<string, TensorType & { readonly trainable: boolean }>();

  constructor(device: Device, seed: number, processes: Processes = alone(1)) {
    this.processes = processes;
    this.device = device;
    this.seed = seed;
  }

  /** Gives every variable of a plan its memory on `ranks`; new ones get their initial numbers when they are first needed. */
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
      for (const rank of ranks) {
        const box = buffer.boxes[rank];
        const memory = this.device.allocate(buffer.format.bytes(box));
        this.memories.push(memory);
        const tensor = this.device.tensor(memory, 0, buffer, box);
        list[rank] = tensor;
      }
      this.tensors.set(name, list);
      this.blank.set(name, attrs);
      this.boxes.set(name, buffer.boxes);
      this.types.set(name, { shape: value.shape, dtype: value.dtype, trainable: attrs.trainable });
    }
  }

  /** Gives initial numbers to all that have none yet: before anything runs. A variable that was set is never drawn. */
  ready(): void {
    for (const name of [...this.blank.keys()]) this.draw(name);
  }

  private draw(name: string): void {
    const attrs = this.blank.get(name);
    if (attrs === undefined) return;
    // Ranks that hold the same box begin with the same numbers.
    const drawn = new Map<string, Float64Array>();
    for (const tensor of this.tensors.get(name) ?? []) {
      if (tensor === undefined) continue;
      const key = showBox(tensor.box);
      const numbers = drawn.get(key) ?? initial(attrs, this.seed, tensor.box, this.device.fillNormal);
      drawn.set(key, numbers);
      this.device.upload(tensor, tensor.box, numbers);
    }
    this.blank.delete(name);
  }

  /** Where a variable lies. It may have no numbers before {@link ready}. */
  tensor(name: string, rank: number): Tensor {
    const tensor = this.tensors.get(name)?.[rank];
    if (!tensor) return fail({ where: 'variables', problem: `no variable "${name}" on rank ${rank}` });
    return tensor;
  }

  names(): string[] {
    return [...this.tensors.keys()];
  }

  /** A whole variable on the host, row-major, gathered from the local ranks: float64 where the device holds that, else float32. */
  async get(name: string): Promise<Float32Array | Float64Array> {
    const type = this.types.get(name);
    if (!type) return fail({ where: 'variables', problem: `no variable "${name}"` });
    this.draw(name);
    const strides = rowMajorStrides(type.shape.map((dim) => dim.size));
    let whole: Float32Array | Float64Array | undefined;
    for (const tensor of this.tensors.get(name)!) {
      if (!tensor) continue;
      const part = await this.device.download(tensor, tensor.box);
      whole ??=
        part instanceof Float64Array ? new Float64Array(sizeOf(type)) : new Float32Array(sizeOf(type));
      scatter(part, tensor.box, whole, strides);
    }
    return (
      whole ?? fail({ where: 'variables', problem: `variable "${name}" lies on no rank of this process` })
    );
  }

  /** As {@link get}, where other processes may hold parts of it: all call it, and process 0 gets the whole. */
  async collect(name: string): Promise<Float32Array | Float64Array> {
    const type = this.types.get(name);
    const boxes = this.boxes.get(name);
    if (!type || !boxes) return fail({ where: 'variables', problem: `no variable "${name}"` });
    this.draw(name);
    const { processes } = this;
    if (processes.ranks.length === 1 || heldByAll(type, boxes)) return this.get(name);
    const [rank] = processes.ranks[processes.index];
    const tensor = this.tensor(name, rank);
    const part = await this.device.download(tensor, tensor.box);
    const whole = await fromParts(processes, `variable "${name}"`, { type, boxes, part, to: [0] });
    return whole as Float32Array | Float64Array;
  }

  /** Sets a whole variable from host numbers, row-major. */
  set(name: string, data: HostArray): void {
    const type = this.types.get(name);
    if (!type) throw new HalomeshError({ where: 'variables', problem: `no variable "${name}"` });
    if (data.length !== sizeOf(type))
      fail({
        where: 'variables',
        problem: `numbers for variable "${name}"`,
        expected: String(sizeOf(type)),
        found: String(data.length),
      });
    const strides = rowMajorStrides(type.shape.map((dim) => dim.size));
    for (const tensor of this.tensors.get(name)!)
      if (tensor) this.device.upload(tensor, tensor.box, gather(data, tensor.box, strides));
    this.blank.delete(name);
  }

  /** Gives the memory of all variables back. */
  free(): void {
    for (const memory of this.memories) this.device.free(memory);
    this.memories.length = 0;
    this.tensors.clear();
    this.blank.clear();
    this.boxes.clear();
    this.types.clear();
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
          where: 'variables',
          problem: `variable "${name}" is laid out differently by two programs`,
          expected: box ? showBox(box) : 'a box',
          found: showBox(boxes[rank]),
          hint: 'Plan all programs of a session with one mesh and layout',
        });
    }
  }
}

const sizeOf = (type: TensorType): number => type.shape.reduce((n, dim) => n * dim.size, 1);

/** Initial numbers of a variable in `box`, keyed by (seed, name, global index): the same on every mesh and whoever fills in normal ones. */
export function initial(
  attrs: VariableAttrs,
  seed: number,
  box: Box,
  fill: (out: Float64Array, draws: NormalDraws) => void = fillNormal,
): Float64Array {
  const data = new Float64Array(boxVolume(box));
  const init: Init = attrs.init;
  if (init.kind === 'constant') return data.fill(init.value);
  const sizes = attrs.shape.map((dim) => dim.size);
  const strides = rowMajorStrides(sizes);
  const [key0, key1] = [seed >>> 0, hashText(attrs.name)];
  // Dimensions from `inner` on are whole, so the part of the box along them and the one before is a run of consecutive indices.
  let inner = box.length;
  while (inner > 0 && length(box[inner - 1]) === sizes[inner - 1]) inner--;
  const outer = box.slice(0, Math.max(0, inner - 1));
  const run = boxVolume(box.slice(outer.length));
  const offset = box.slice(outer.length).reduce((sum, r, d) => sum + r.start * strides[outer.length + d], 0);
  let filled = 0;
  forEachIndex(outer, (index) => {
    const first = index.reduce((sum, x, d) => sum + x * strides[d], offset);
    const part = data.subarray(filled, filled + run);
    if (init.kind === 'normal') fill(part, { key0, key1, first, deviation: init.deviation });
    else for (let i = 0; i < run; i++) part[i] = drawn(init, key0, key1, first + i);
    filled += run;
  });
  return data;
}

/** One number of a distribution that is no plain normal one. */
function drawn(
  init: Exclude<Init, { readonly kind: 'constant' | 'normal' }>,
  key0: number,
  key1: number,
  index: number,
): number {
  if (init.kind === 'uniform') return init.bound * (2 * uniform(key0, key1, 0, index) - 1);
  // Draws beyond two deviations are made again: one of 22.
  let x = normal(key0, key1, 0, index);
  for (let draw = 1; Math.abs(x) > 2; draw++) x = normal(key0, key1, draw, index);
  return init.deviation * x;
}
