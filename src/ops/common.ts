import {
  type Box,
  boxVolume,
  type Call,
  type DType,
  dimIndex,
  fail,
  type Loop,
  NO_IMAGES,
  type Op,
  promote,
  type Range,
  range,
  type Shape,
  showShape,
  type TensorType,
  type Value,
} from '../core/index.ts';

/** Loops that only pass: one per dimension of the first output. */
export function passLoops(shape: Shape): Loop[] {
  return shape.map((dim) => ({ dim: dim.name, size: dim.size, split: 'pass' }));
}

/** The box of `shape` whose dimensions follow the loops of the same name; dimensions without a loop are read whole. */
export function boxByName(shape: Shape, loops: readonly Loop[], loop: Box): Box {
  return shape.map((dim) => {
    const at = loops.findIndex((l) => l.dim === dim.name);
    return at < 0 ? range(0, dim.size) : loop[at];
  });
}

/** For every dimension of `shape`, its position in `of`, or -1. Used to index a broadcast input. */
export function positions(shape: Shape, of: Shape): number[] {
  return shape.map((dim) => dimIndex(of, dim.name));
}

/**
 * Shape of an element-wise result: the dimensions of the first input that has them all, else those of the first input
 * followed by what the others add. Sizes of equal names must agree. The element type is that of the input with most
 * dimensions (the wider type on a tie), so that a bfloat16 activation times a float32 vector stays bfloat16.
 */
export function broadcastType(inputs: readonly TensorType[], where: string): TensorType {
  const sizes = new Map<string, number>();
  for (const { shape } of inputs)
    for (const { name, size } of shape) {
      const known = sizes.get(name);
      if (known !== undefined && known !== size)
        fail({
          where,
          problem: `inputs disagree on the size of "${name}"`,
          expected: String(known),
          found: String(size),
          hint: inputs.map((t) => showShape(t.shape)).join(' and '),
        });
      sizes.set(name, size);
    }
  const complete = inputs.find(({ shape }) => shape.length === sizes.size);
  const shape = complete?.shape ?? [...sizes].map(([name, size]) => ({ name, size }));
  const most = Math.max(...inputs.map((t) => t.shape.length));
  const dtype = inputs
    .filter((t) => t.shape.length === most)
    .map((t) => t.dtype)
    .reduce(promote);
  return { shape, dtype };
}

/** Loops, reads, writes and cost that all pointwise operations share. */
export function pointwiseRules(
  flopsPerElement: number,
): Pick<Op, 'form' | 'role' | 'images' | 'weight' | 'combine' | 'loops' | 'reads' | 'writes' | 'cost'> {
  return {
    form: 'pointwise',
    role: 'compute',
    images: NO_IMAGES,
    weight: 'none',
    combine: 'sum',
    loops: (call) => passLoops(call.outputs[0].shape),
    reads: (call, loop) => {
      const loops = passLoops(call.outputs[0].shape);
      return call.inputs.map((input) => boxByName(input.shape, loops, loop));
    },
    writes: (_call, loop) => [loop],
    cost: (_call, loop) => ({ flops: flopsPerElement * boxVolume(loop) }),
  };
}

/** The one value added by an operation with one output. */
export function single(values: readonly Value[]): Value {
  return values[0];
}

/** Refuses element types other than the ones named. */
export function needType(type: TensorType, allowed: readonly DType[], what: string, where: string): void {
  if (!allowed.includes(type.dtype))
    fail({
      where,
      problem: `${what} has the wrong element type`,
      expected: allowed.join(' or '),
      found: type.dtype,
    });
}

/** Refuses a number of inputs other than `count`. */
export function needInputs(inputs: readonly TensorType[], count: number, where: string): void {
  if (inputs.length !== count)
    fail({ where, problem: 'wrong number of inputs', expected: String(count), found: String(inputs.length) });
}

/** A range moved by `by` and clipped to [0, size). */
export function shifted(r: Range, by: number, size: number): Range {
  return range(Math.min(Math.max(r.start + by, 0), size), Math.min(Math.max(r.end + by, 0), size));
}

/** The box that covers input number `input` of a call. */
export function wholeOf<A>(call: Call<A>, input: number): Box {
  return call.inputs[input].shape.map((dim) => range(0, dim.size));
}
