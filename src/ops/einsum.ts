import {
  add,
  boxVolume,
  type Call,
  type DType,
  defineOp,
  fail,
  forEachIndex,
  get,
  hasDim,
  type Loop,
  NO_IMAGES,
  type Shape,
  showShape,
  type TensorType,
  type Value,
} from '../core/index.ts';
import { broadcastTo, castTo } from './broadcast.ts';
import { boxByName, broadcastType, passLoops, positions, single } from './common.ts';

// Sums of products over named dimensions. Dimensions of the same name meet; those that the output does not name are summed.
//
//   einsum([x: batch in, w: in out], [batch, out])     matrix product: in is summed
//   einsum([x: a b], [b, a])                           transpose
//   einsum([x: a, y: b], [a, b])                       outer product
//   einsum([x: a b], [a])                              sum over b
//
// Gradient of input i: the einsum of the output's gradient with all other inputs, onto the dimensions of input i. A dimension
// that only input i has was summed alone; its gradient is the same along it.

/** `output`: names of the output's dimensions in order. `dtype`: element type of the output. */
export type EinsumAttrs = { readonly output: readonly string[]; readonly dtype?: DType };

/** Output dimensions, then the others in the order in which the inputs name them. */
function einsumDims(inputs: readonly TensorType[], output: readonly string[]): Shape {
  const { shape } = broadcastType(inputs, 'einsum');
  const kept = output.map((name) => shape.find((dim) => dim.name === name)!);
  return [
    ...kept,
    ...inputs
      .flatMap((t) => t.shape)
      .filter((dim, i, all) => !output.includes(dim.name) && i === all.findIndex((d) => d.name === dim.name)),
  ];
}

function einsumLoops(call: Call<EinsumAttrs>): Loop[] {
  const dims = einsumDims(call.inputs, call.attrs.output);
  const kept = call.attrs.output.length;
  const summed = dims.slice(kept).map((dim): Loop => ({ dim: dim.name, size: dim.size, split: 'sum' }));
  return [...passLoops(dims.slice(0, kept)), ...summed];
}

export const einsumOp = defineOp<EinsumAttrs>({
  name: 'einsum',
  doc: 'y[output] = sum over all other dimensions of the product of the inputs; dimensions of one name meet.',
  form: 'kernel',
  role: 'compute',
  images: NO_IMAGES,
  weight: 'none',
  combine: 'sum',
  infer(inputs, { output, dtype }, where) {
    if (inputs.length === 0) fail({ where, problem: 'no inputs', expected: 'at least one' });
    const joint = broadcastType(inputs, where);
    for (const name of output)
      if (!hasDim(joint.shape, name))
        fail({
          where,
          problem: `output dimension "${name}" stands in no input`,
          expected: `dimensions of ${inputs.map((t) => showShape(t.shape)).join(' and ')}`,
        });
    const shape = output.map((name) => joint.shape.find((dim) => dim.name === name)!);
    return [{ shape, dtype: dtype ?? joint.dtype }];
  },
  grad: (call, [g]) =>
    call.inputValues.map((input, i) => {
      const factors = [g!, ...call.inputValues.filter((_, k) => k !== i)];
      const met = input.shape.filter((dim) => factors.some((factor) => hasDim(factor.shape, dim.name)));
      const dtype = input.dtype === 'bf16' ? 'f32' : input.dtype;
      const onto = einsum(
        factors,
        met.map((dim) => dim.name),
        dtype,
      );
      return castTo(broadcastTo(onto, input), input.dtype);
    }),
  loops: einsumLoops,
  reads: (call, loop) => call.inputs.map((input) => boxByName(input.shape, einsumLoops(call), loop)),
  writes: (call, loop) => [loop.slice(0, call.attrs.output.length)],
  cost: (call, loop) => ({ flops: call.inputs.length * boxVolume(loop) }),
  reference(call, loop, inputs, [y]) {
    const dims = einsumDims(call.inputs, call.attrs.output);
    const maps = inputs.map((input) => positions(input.shape, dims));
    forEachIndex(loop, (index) => {
      const product = inputs.reduce(
        (p, input, i) =>
          p *
          get(
            input,
            maps[i].map((k) => index[k]),
          ),
        1,
      );
      add(y, index.slice(0, y.shape.length), product);
    });
  },
});

/** Sum of products of the inputs onto the dimensions named; see the top of this file. */
export function einsum(inputs: readonly Value[], output: readonly string[], dtype?: DType): Value {
  if (inputs.length === 0) fail({ where: 'einsum', problem: 'no inputs', expected: 'at least one' });
  return single(inputs[0].graph.add(einsumOp, { output, dtype }, inputs));
}
