import type { Call, CallOf } from '../calls/index.ts';
import { plainFormat, rightAligned } from '../formats/index.ts';
import { bindEinsum } from './bind-einsum.ts';
import { bindContraction, bindWeightGrad, POOL_CODES, RESIZE_CODES } from './bind-window.ts';
import type { Binder } from './binder.ts';
import type { Entry } from './library.ts';
import { boxView, kernelTensor } from './storage.ts';

/** Lays the arguments of a call down; gives what launches it. */
export function bind(call: Call, to: Binder): () => void {
  const launch =
    (entry: Entry, ...args: readonly number[]) =>
    () =>
      to.library.call(entry, ...args);
  switch (call.op) {
    case 'rows':
      return launch('hm_rows', to.row(call.row), to.region(call.region));
    case 'conv':
    case 'conv_transpose':
      return bindContraction(call, to);
    case 'conv_weight_grad':
      return bindWeightGrad(call, to);
    case 'pool': {
      const window = to.args.window(call.window);
      return launch('hm_pool', POOL_CODES[call.kind], window, to.source(call.x), ...result(call, to));
    }
    case 'max_pool_grad': {
      const window = to.args.window(call.window);
      return launch('hm_max_pool_grad', window, to.source(call.x), to.source(call.dy), ...result(call, to));
    }
    case 'avg_pool_grad': {
      const list = [POOL_CODES[call.kind], to.args.window(call.window), to.args.longs(call.global)];
      return launch('hm_avg_pool_grad', ...list, to.source(call.dy), ...result(call, to));
    }
    case 'resize':
    case 'resize_grad': {
      const entry = call.op === 'resize' ? 'hm_resize' : 'hm_resize_grad';
      return launch(entry, RESIZE_CODES[call.kind], to.source(call.x), ...result(call, to));
    }
    case 'softmax':
      return launch('hm_softmax', to.source(call.x), ...result(call, to));
    case 'argmax':
      return launch('hm_argmax', to.source(call.x), to.region(call.x.region), to.view(call.into));
    case 'cross_entropy': {
      const { weights, logits, sum, perCase } = call;
      const list = [to.args.doubles(weights), to.region(logits.region), to.view(sum), Number(perCase)];
      return launch('hm_cross_entropy', ...truth(call, to), ...list);
    }
    case 'cross_entropy_grad': {
      const { weights, logits, g, perCase, epilogue } = call;
      const list = [to.args.doubles(weights), to.view(g), Number(perCase), to.region(logits.region)];
      return launch('hm_cross_entropy_grad', ...truth(call, to), ...list, to.row(epilogue));
    }
    case 'class_sums': {
      const sums = call.sums.map((sum) => to.view(sum));
      return launch('hm_class_sums', ...truth(call, to), call.cls, to.region(call.logits.region), ...sums);
    }
    case 'class_sums_grad': {
      const list = [call.cls, ...call.gradients.map((gradient) => to.view(gradient))];
      const end = [to.region(call.logits.region), to.row(call.epilogue)];
      return launch('hm_class_sums_grad', ...truth(call, to), ...list, ...end);
    }
    case 'reduce':
      return bindReduce(call, to);
    case 'einsum':
      return bindEinsum(call, to);
    case 'move':
      return bindMove(call, to);
    case 'reshape':
      return bindReshape(call, to);
    case 'table':
      return bindTable(call, to);
    default:
      return call satisfies never;
  }
}

/** What is computed and the row that stores it. */
const result = ({ out, epilogue }: Pick<CallOf<'pool'>, 'out' | 'epilogue'>, to: Binder): number[] => [
  to.region(out),
  to.row(epilogue),
];

const truth = ({ logits, labels }: Pick<CallOf<'class_sums'>, 'logits' | 'labels'>, to: Binder): number[] => [
  to.source(logits),
  to.view(labels),
];

const REDUCE_CODES = { sum: 0, max: 1, min: 2 } satisfies Record<CallOf<'reduce'>['how'], number>;

function bindReduce({ how, from, region, into }: CallOf<'reduce'>, to: Binder): () => void {
  const present = [0, 0, 0, 0, 0];
  for (const dim of into.value.shape) present[into.slots.get(dim.name)!] = 1;
  const list = [REDUCE_CODES[how], to.view(from), to.region(region), to.view(into), to.args.ints(present)];
  return () => to.library.call('hm_reduce', ...list);
}

function bindMove({ fills, copies }: CallOf<'move'>, to: Binder): () => void {
  const steps = [
    ...fills.map(({ value, box, number }) => {
      const { shape } = value;
      const slots = rightAligned(shape);
      const { start, size } = boxView({ shape, box, slots });
      const list = [to.view({ value, slots }), to.args.longs(start), to.args.longs(size), number];
      return () => to.library.call('hm_fill', ...list);
    }),
    ...copies.map(({ to: target, from, box, perm, shift }) =>
      to.copy(to.tensorOf(target), to.tensorOf(from), box, { perm, shift }),
    ),
  ];
  if (steps.length === 1) return steps[0];
  return () => {
    for (const step of steps) step();
  };
}

/** Through plain memory, which both shapes name in their own way. */
function bindReshape({ from, read, to: target, written }: CallOf<'reshape'>, to: Binder): () => void {
  const [source, result] = [to.tensorOf(from), to.tensorOf(target)];
  const flat = to.scratch(source, read);
  const type = { shape: result.shape, dtype: source.dtype };
  const again = kernelTensor(flat.address, { ...type, format: plainFormat(type) }, written);
  const before = to.copy(flat, source, read);
  const after = to.copy(result, again, written);
  return () => {
    before();
    after();
  };
}

/** Kept with the arguments and copied in. */
function bindTable({ shape, values, to: target, box }: CallOf<'table'>, to: Binder): () => void {
  const type = { shape, dtype: 'f64' as const };
  const whole = shape.map((dim) => ({ start: 0, end: dim.size }));
  const kept = kernelTensor(to.args.doubles(values), { ...type, format: plainFormat(type) }, whole);
  return to.copy(to.tensorOf(target), kept, box);
}
