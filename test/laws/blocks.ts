import {
  type Block,
  type Box,
  boxVolume,
  type Call,
  forEachIndex,
  type Loop,
  type Op,
  range,
  rowMajorStrides,
  type Shape,
  wholeBox,
  zeros,
} from '../../src/core/index.ts';

// Splits of an operation by hand: loop boxes, the blocks that they read, and the results put together again.

/** The part of a whole tensor in a box. */
export function blockOf(shape: Shape, box: Box, whole: Float64Array): Block {
  const strides = rowMajorStrides(shape.map((dim) => dim.size));
  const data = new Float64Array(boxVolume(box));
  let i = 0;
  forEachIndex(box, (index) => {
    data[i++] = whole[index.reduce((at, x, d) => at + x * strides[d], 0)];
  });
  return { shape, box, data };
}

/** All boxes that cuts of every loop make. */
export function loopBoxes(cuts: readonly (readonly number[])[]): Box[] {
  let boxes: Box[] = [[]];
  for (const c of cuts) {
    const ranges = c.slice(1).map((end, i) => range(c[i], end));
    boxes = boxes.flatMap((box) => ranges.map((r) => [...box, r]));
  }
  return boxes;
}

/** No cut, two uneven parts, or three uneven parts of which some may be empty or one voxel. */
export function cutsOf(size: number, parts: 1 | 2 | 3): readonly number[] {
  if (parts === 1) return [0, size];
  if (parts === 2) return [0, Math.ceil(size * 0.3), size];
  return [0, 1, Math.ceil(size * 0.6), size];
}

const START = { sum: 0, max: Number.NEGATIVE_INFINITY, min: Number.POSITIVE_INFINITY };
const JOIN = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min };

export interface Assembled {
  /** Outputs put together from all loop boxes. */
  readonly data: readonly Float64Array[];
  /** How many loop boxes wrote each element. */
  readonly writers: readonly Uint32Array[];
}

/** Runs an operation box by box on nothing but the blocks that each box reads, and puts the outputs together. */
export function runSplit<A>(
  op: Op,
  call: Call<A>,
  boxes: readonly Box[],
  inputs: readonly Float64Array[],
  judge: (loop: Box, reads: readonly Box[], writes: readonly Box[]) => void,
): Assembled {
  const plain = call as Call<never>;
  const shapes = call.outputs.map((type) => type.shape);
  const totals = shapes.map((shape) => zeros(shape, wholeBox(shape)));
  const writers = totals.map((total) => new Uint32Array(total.data.length));
  for (const total of totals) total.data.fill(START[op.combine]);
  for (const loop of boxes) {
    const reads = op.reads(plain, loop);
    const writes = op.writes(plain, loop);
    judge(loop, reads, writes);
    const blocks = reads.map((box, i) => blockOf(call.inputs[i].shape, box, inputs[i]));
    const parts = writes.map((box, i) => zeros(shapes[i], box));
    op.reference(plain, loop, blocks, parts);
    parts.forEach((part, i) => {
      const strides = rowMajorStrides(shapes[i].map((dim) => dim.size));
      let from = 0;
      forEachIndex(part.box, (index) => {
        const at = index.reduce((sum, x, d) => sum + x * strides[d], 0);
        totals[i].data[at] = JOIN[op.combine](totals[i].data[at], part.data[from++]);
        writers[i][at]++;
      });
    });
  }
  return { data: totals.map((total) => total.data), writers };
}

/** Ways to cut the loops: each splittable one in 2 and in 3, then all of them in 2. */
export function splitsOf(
  loops: readonly Loop[],
): { readonly name: string; readonly cuts: (readonly number[])[] }[] {
  const free = loops.map((l, i) => (l.split === 'whole' ? -1 : i)).filter((i) => i >= 0);
  const cut = (parts: (i: number) => 1 | 2 | 3) => loops.map((l, i) => cutsOf(l.size, parts(i)));
  const single = free.flatMap((i) =>
    ([2, 3] as const).map((n) => ({
      name: `${loops[i].dim} (${loops[i].split}) in ${n}`,
      cuts: cut((k) => (k === i ? n : 1)),
    })),
  );
  return [...single, { name: 'everything in 2', cuts: cut((k) => (free.includes(k) ? 2 : 1)) }];
}
