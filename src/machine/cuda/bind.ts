import { type Box, BYTES, boxVolume, isEmpty } from '../../core/index.ts';
import type { Call, CallOf, StoredBox } from '../calls/index.ts';
import {
  boxBySlots,
  type Five,
  type Moved,
  movedSlots,
  plainFormat,
  rightAligned,
  SLOT_C,
} from '../formats/index.ts';
import { Arguments, TYPE_CODES } from './arguments.ts';
import { fixedStep, type Maker, type Step } from './maker.ts';
import {
  argmaxSteps,
  classSumsGradSteps,
  classSumsSteps,
  crossEntropyGradSteps,
  crossEntropySteps,
  softmaxSteps,
} from './print/classes.ts';
import { finishedEach } from './print/finished.ts';
import { frame } from './print/frame.ts';
import { matrixConvSteps, takesMatrixConv } from './print/matrix-conv.ts';
import { matrixTransposeSteps, takesMatrixTranspose } from './print/matrix-transpose.ts';
import { matrixWeightGradSteps, takesMatrixWeightGrad } from './print/matrix-weight-grad.ts';
import {
  avgPoolGradBody,
  maxPoolGradBody,
  maxPoolWindowsBody,
  poolBody,
  sideBySideWindows,
} from './print/pool.ts';
import { rollingSteps, takesRolling } from './print/rolling.ts';
import { BLOCK, type Contraction, overlaps, readsOf } from './print/tile.ts';
import { takesTiledConv, tiledConvSteps } from './print/tiled-conv.ts';
import { weightGradSteps } from './print/weight-grad.ts';
import { contractionBody, resizeBody } from './print/window.ts';
import { type CudaTensor, cudaTensor, placed } from './tensors.ts';

/** The launches of a call, in order. */
export function stepsOf(call: Call, make: Maker): Step[] {
  switch (call.op) {
    case 'rows':
      return frame(make, call.region, call.row);
    case 'conv':
    case 'conv_transpose': {
      const { tensor, before } = plainWeight(make, call.weight);
      if (takesRolling(call, make)) return [...before, ...rollingSteps(call, tensor, make)];
      for (const [takes, steps] of MATRIX)
        if (takes(call, make)) {
          const ready = finishedEach(call.sources, readsByTiles(call), make);
          return [...before, ...ready.before, ...steps({ ...call, sources: ready.sources }, tensor, make)];
        }
      if (takesTiledConv(call)) return [...before, ...tiledConvSteps(call, tensor, make)];
      return [...before, ...frame(make, call.out, call.epilogue, contractionBody(call, tensor))];
    }
    case 'conv_weight_grad': {
      const { value, box } = call.into;
      const tensor = make.tensorOf(value);
      const plain = tensor.block === 1 ? tensor : make.plain(tensor, box);
      const after = tensor.block === 1 ? [] : copySteps(tensor, plain, box);
      const print = takesMatrixWeightGrad(call, make) ? matrixWeightGradSteps : weightGradSteps;
      return [...print(make, call, plain), ...after];
    }
    case 'pool':
      return frame(make, call.out, call.epilogue, poolBody(call));
    case 'max_pool_grad':
      return frame(
        make,
        call.out,
        call.epilogue,
        sideBySideWindows(call.window) ? maxPoolWindowsBody(call) : maxPoolGradBody(call),
      );
    case 'avg_pool_grad':
      return frame(make, call.out, call.epilogue, avgPoolGradBody(call));
    case 'resize':
    case 'resize_grad':
      return frame(make, call.out, call.epilogue, resizeBody(call));
    case 'softmax':
      return softmaxSteps(make, call);
    case 'argmax':
      return argmaxSteps(make, call);
    case 'cross_entropy':
      return crossEntropySteps(make, call);
    case 'cross_entropy_grad':
      return crossEntropyGradSteps(make, call);
    case 'class_sums':
      return classSumsSteps(make, call);
    case 'class_sums_grad':
      return classSumsGradSteps(make, call);
    case 'reduce':
      return reduceSteps(make, call);
    case 'einsum':
      return einsumSteps(make, call);
    case 'move':
      return [
        ...call.fills.flatMap(({ value, box, number }) => fillSteps(make.tensorOf(value), box, number)),
        ...call.copies.flatMap(({ to, from, box, perm, shift }) =>
          copySteps(make.tensorOf(to), make.tensorOf(from), box, { perm, shift }),
        ),
      ];
    case 'reshape':
      return reshapeSteps(make.tensorOf(call.to), make.tensorOf(call.from), call.written);
    case 'table':
      return tableSteps(make, call);
    default:
      return call satisfies never;
  }
}

/** Kernels on tensor cores of convolutions and their transposes. */
const MATRIX = [
  [takesMatrixConv, matrixConvSteps],
  [takesMatrixTranspose, matrixTransposeSteps],
] as const;

/** How often tiles read a number of a source: those beside each other, and those of further channels. */
const readsByTiles = ({ window, sources, out }: Contraction): number => {
  const blocks = Math.ceil(boxBySlots(out.shape, out.box, out.slots).size[SLOT_C] / BLOCK);
  return readsOf(sources, (overlaps(window) ? 2 : 1) * blocks);
};

/** The weight as a plain tensor, and what makes it one. */
function plainWeight(make: Maker, { value, box }: StoredBox): { tensor: CudaTensor; before: Step[] } {
  const tensor = make.tensorOf(value);
  if (tensor.block === 1) return { tensor, before: [] };
  const plain = make.plain(tensor, box);
  return { tensor: plain, before: copySteps(plain, tensor, box) };
}

/** Arguments that begin with one or more tensors, their dimensions in row-major slots; that which is written is `to`. */
function over(tensors: Readonly<Record<string, CudaTensor>>): Arguments {
  const args = new Arguments();
  for (const [name, tensor] of Object.entries(tensors))
    args.anyView(name, tensor, placed(tensor, rightAligned(tensor.shape)), name === 'to');
  return args;
}

function putBox(args: Arguments, { shape }: CudaTensor, box: Box): void {
  const { start, size } = boxBySlots(shape, box, rightAligned(shape));
  args.longs('start', start);
  args.longs('size', size);
}

/** A copy of `box` (coordinates of `to`): dimension i of `from` is dimension `perm[i]` of `to`, moved by `shift`. */
export function copySteps(
  to: CudaTensor,
  from: CudaTensor,
  box: Box,
  moved: Moved = {
    perm: box.map((_, i) => i),
    shift: box.map(() => 0),
  },
): Step[] {
  if (isEmpty(box)) return [];
  const { perm, shift } = movedSlots(to.shape, from.shape, moved);
  const args = over({ to, from });
  putBox(args, to, box);
  args.longs('perm', perm);
  args.longs('shift', shift);
  args.long('count', boxVolume(box));
  return [fixedStep('copy', args, boxVolume(box))];
}

export function fillSteps(to: CudaTensor, box: Box, number: number): Step[] {
  if (isEmpty(box)) return [];
  const args = over({ to });
  putBox(args, to, box);
  args.long('count', boxVolume(box));
  args.double('number', number);
  return [fixedStep('fill', args, boxVolume(box))];
}

function reshapeSteps(to: CudaTensor, from: CudaTensor, written: Box): Step[] {
  const args = over({ to, from });
  putBox(args, to, written);
  for (const [name, tensor] of Object.entries({ to_global: to, from_global: from }))
    args.longs(name, placed(tensor, rightAligned(tensor.shape)).global);
  args.long('count', boxVolume(written));
  return [fixedStep('reshape', args, boxVolume(written))];
}

/** Kept beside the arena and copied in. */
function tableSteps(make: Maker, { shape, values, to: target, box }: CallOf<'table'>): Step[] {
  const to = make.tensorOf(target);
  const whole = shape.map(({ size }) => ({ start: 0, end: size }));
  const type = { shape, dtype: 'f64' } as const;
  const kept = cudaTensor(to.home, make.doubles(values), { ...type, format: plainFormat(type) }, whole);
  return copySteps(to, kept, box);
}

const HOW = { sum: 0, max: 1, min: 2 } as const;

/** Replaces all tensors, which lie alike, by their combination. */
export function combineSteps(
  make: Maker,
  tensors: readonly CudaTensor[],
  how: keyof typeof HOW,
  bytes: number,
): Step[] {
  const [{ dtype, bytes: whole }] = tensors;
  const count = whole / bytes;
  const args = new Arguments();
  args.pointer('data', 'void *const', make.addresses(tensors.map(({ address }) => address)));
  args.long('tensors', tensors.length);
  args.long('type', TYPE_CODES[dtype]);
  args.long('count', count);
  args.long('how', HOW[how]);
  return [fixedStep('combine', args, count)];
}

function reduceSteps(make: Maker, { how, from, region, into }: CallOf<'reduce'>): Step[] {
  const args = new Arguments();
  for (const [name, { value, slots }] of Object.entries({ to: into, from })) {
    const tensor = make.tensorOf(value);
    args.anyView(name, tensor, placed(tensor, slots), name === 'to');
  }
  const { start, size } = boxBySlots(region.shape, region.box, region.slots);
  const kept = new Set(into.value.shape.map(({ name }) => into.slots.get(name)!));
  const product = (list: Five, wanted: boolean) =>
    list.reduce((x, length, i) => (kept.has(i) === wanted ? x * length : x), 1);
  const count = product(size, true);
  args.longs('start', start);
  args.longs('size', size);
  args.longs(
    'kept',
    start.map((_, i) => Number(kept.has(i))),
  );
  args.long('how', HOW[how]);
  args.long('count', count);
  return [fixedStep('reduce', args, count, product(size, false) > 32)];
}

/** As in native/cuda/kernels/einsum.h. */
const [MOST_LOOPS, MOST_INPUTS] = [10, 8];

function einsumSteps(make: Maker, { loops, loop, outer, inputs, into }: CallOf<'einsum'>): Step[] {
  const args = new Arguments();
  const operand = (name: string, tensor?: CudaTensor): void => {
    const stride = new Array<number>(MOST_LOOPS).fill(0);
    let first = 0;
    let blocked = -1;
    let skip = 0;
    tensor?.shape.forEach((dim, i) => {
      const at = loops.indexOf(dim.name);
      const before = loop[at].start - tensor.box[i].start;
      if (i === tensor.shape.length - 1 && tensor.block > 1) [blocked, skip] = [at, before];
      else {
        stride[at] += tensor.strides[i];
        first += before * tensor.strides[i];
      }
    });
    const bytes = tensor === undefined ? 0 : BYTES[tensor.dtype];
    args.pointer(name, 'void', (tensor?.address ?? 0) + first * bytes);
    const { block = 1, strides = [], dtype = 'f32' } = tensor ?? {};
    const blockStride = strides[strides.length - 1] ?? 0;
    args.longs(`${name}_at`, [TYPE_CODES[dtype], block, blocked, blockStride, skip]);
    args.longs(`${name}_stride`, stride);
  };
  operand('to', make.tensorOf(into));
  for (let i = 0; i < MOST_INPUTS; i++) operand(`from${i}`, inputs[i] && make.tensorOf(inputs[i].value));
  const extents = loop.map(({ start, end }) => end - start);
  const count = extents.slice(0, outer).reduce((x, length) => x * length, 1);
  const inner = extents.slice(outer).reduce((x, length) => x * length, 1);
  args.longs('extent', [...extents, ...new Array<number>(MOST_LOOPS - extents.length).fill(1)]);
  for (const [name, value] of Object.entries({
    loops: loops.length,
    outer,
    inputs: inputs.length,
    count,
    inner,
  }))
    args.long(name, value);
  return [fixedStep('einsum', args, count, inner > 32)];
}
