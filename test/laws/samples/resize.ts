import { shape, showShape } from '../../../src/core/index.ts';
import { OPS, type ResizeKind } from '../../../src/ops/index.ts';
import { type Sample, sample, tensor } from '../sample.ts';

// One table of sizes serves resizing (small -> large or large -> small) and its transpose.

type Sizes = Readonly<Record<string, number>>;

const KINDS: readonly ResizeKind[] = ['nearest', 'linear'];

/** Sizes of the input and, for the axes that are resized, of the output. */
const CASES: readonly { readonly name: string; readonly input: Sizes; readonly size: Sizes }[] = [
  {
    name: 'twice, 3-D',
    input: { batch: 1, depth: 4, height: 2, width: 1, channel: 2 },
    size: { depth: 8, height: 4, width: 2 },
  },
  { name: '3 to 7', input: { batch: 2, width: 3, channel: 2 }, size: { width: 7 } },
  { name: '7 to 3', input: { width: 7, channel: 2 }, size: { width: 3 } },
  { name: '7 to 7 and 5 to 9', input: { height: 7, width: 5, channel: 1 }, size: { height: 7, width: 9 } },
  { name: '9 to 3: a whole ratio', input: { width: 9, channel: 2 }, size: { width: 3 } },
  { name: '7 to 1', input: { width: 7, channel: 2 }, size: { width: 1 } },
];

const make = (op: (typeof OPS)['resize'], backward: boolean): Sample[] =>
  KINDS.flatMap((kind) =>
    CASES.map(({ name, input, size }) => {
      const output = { ...input, ...size };
      const back = Object.fromEntries(Object.keys(size).map((axis) => [axis, input[axis]]));
      return sample({
        name: `${kind}, ${name}`,
        op,
        attrs: { kind, size: backward ? back : size },
        tensors: [tensor('x', backward ? output : input)],
        gives: showShape(shape(backward ? input : output)),
      });
    }),
  );

export const resizeSamples = {
  resize: make(OPS.resize, false),
  resize_grad: make(OPS.resize_grad, true),
} satisfies Record<string, readonly Sample[]>;
