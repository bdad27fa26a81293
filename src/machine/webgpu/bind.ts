import type { Call, CallOf, StoredBox } from '../calls/index.ts';
import type { Maker } from './maker.ts';
import {
  argmaxSteps,
  classSumsGradSteps,
  classSumsSteps,
  crossEntropyGradSteps,
  crossEntropySteps,
  softmaxSteps,
} from './print/classes.ts';
import { copySteps, einsumSteps, fillSteps, reduceSteps, reshapeSteps } from './print/fixed.ts';
import { frame } from './print/frame.ts';
import { takesTiledConv, tiledConvSteps } from './print/tiled-conv.ts';
import { weightGradSteps } from './print/weight-grad.ts';
import { avgPoolGradBody, contractionBody, maxPoolGradBody, poolBody, resizeBody } from './print/window.ts';
import type { Step } from './step.ts';
import { type GpuTensor, gpuTensor, plainWords } from './tensors.ts';

/** The launches of a call, in order. */
export function stepsOf(call: Call, make: Maker): Step[] {
  switch (call.op) {
    case 'rows':
      return frame(make, call.region, call.row);
    case 'conv':
    case 'conv_transpose': {
      const { tensor, before } = plainWeight(make, call.weight);
      if (takesTiledConv(call)) return [...before, ...tiledConvSteps(call, tensor, make)];
      return [...before, ...frame(make, call.out, call.epilogue, contractionBody(call, tensor))];
    }
    case 'conv_weight_grad': {
      const { value, box } = call.into;
      const tensor = make.tensorOf(value);
      if (tensor.block === 1) return weightGradSteps(make, call, tensor);
      const plain = make.plain(tensor, box);
      return [...weightGradSteps(make, call, plain), ...copySteps(make, tensor, plain, box)];
    }
    case 'pool':
      return frame(make, call.out, call.epilogue, poolBody(call));
    case 'max_pool_grad':
      return frame(make, call.out, call.epilogue, maxPoolGradBody(call));
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
        ...call.fills.flatMap(({ value, box, number }) => fillSteps(make, make.tensorOf(value), box, number)),
        ...call.copies.flatMap(({ to, from, box, perm, shift }) =>
          copySteps(make, make.tensorOf(to), make.tensorOf(from), box, { perm, shift }),
        ),
      ];
    case 'reshape':
      return reshapeSteps(make, make.tensorOf(call.to), make.tensorOf(call.from), call.written);
    case 'table':
      return tableSteps(make, call);
    default:
      return call satisfies never;
  }
}

/** The weight as a plain tensor, and what makes it one. */
function plainWeight(make: Maker, { value, box }: StoredBox): { tensor: GpuTensor; before: Step[] } {
  const tensor = make.tensorOf(value);
  if (tensor.block === 1) return { tensor, before: [] };
  const plain = make.plain(tensor, box);
  return { tensor: plain, before: copySteps(make, plain, tensor, box) };
}

/** Kept beside the arena and copied in. */
function tableSteps(make: Maker, { shape, values, to: target, box }: CallOf<'table'>): Step[] {
  const to = make.tensorOf(target);
  const whole = shape.map(({ size }) => ({ start: 0, end: size }));
  const type = { shape, dtype: 'f64' } as const;
  const kept = gpuTensor(to.home, make.doubles(values), { ...type, format: plainWords(type) }, whole);
  return copySteps(make, to, kept, box);
}
