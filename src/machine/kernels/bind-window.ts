import type { Box } from '../../core/index.ts';
import type { ContractionCall, PoolKind, ResizeCall, WeightGradCall } from '../calls/index.ts';
import type { Binder } from './binder.ts';
import type { ConvAlgorithm } from './library.ts';
import { boxView } from './storage.ts';

// Convolutions in native memory, and the codes of kinds of windows.

/** HM_CONV_ codes. */
const CONV_CODES = { auto: 0, direct: 1, winograd: 2 } satisfies Record<ConvAlgorithm, number>;
export const POOL_CODES = { max: 0, mean: 1, meanInside: 2 } satisfies Record<PoolKind, number>;
export const RESIZE_CODES = { nearest: 0, linear: 1 } satisfies Record<ResizeCall['kind'], number>;

export function bindContraction(call: ContractionCall, to: Binder): () => void {
  const { before, list } = contraction(call, to);
  const entry = call.op === 'conv' ? 'hm_conv' : 'hm_conv_transpose';
  return () => {
    before();
    to.library.call(entry, ...list);
  };
}

/** The same in two parts: the first computes what lies in tiles within `ready`, a box of the output cut in space alone. */
export function bindContractionInTwo(
  call: ContractionCall,
  to: Binder,
  ready: Box,
): { first(): void; second(): void } {
  const { before, list } = contraction(call, to);
  const { start, size } = boxView({ ...call.out, box: ready });
  const begun = to.args.longs([0]);
  const parts = [to.args.longs(start.slice(1, 4)), to.args.longs(size.slice(1, 4)), begun];
  return {
    first() {
      before();
      to.library.call('hm_conv_begin', call.op === 'conv_transpose' ? 1 : 0, ...list, ...parts);
    },
    second: () => to.library.call('hm_conv_end', begun),
  };
}

/** What hm_conv and hm_conv_transpose take, and what to run first. */
function contraction(
  { window, sources, weight, out, epilogue }: ContractionCall,
  to: Binder,
): { before: () => void; list: number[] } {
  const plain = to.plain(weight);
  const list: number[] = [
    to.args.window(window),
    ...to.sources(sources),
    to.args.viewAt(plain.view),
    to.region(out),
    to.row(epilogue),
    CONV_CODES[to.conv],
  ];
  return { before: plain.before, list };
}

/** The kernel writes plain memory; a weight that lies in blocks gets a copy of it. */
export function bindWeightGrad({ window, x, dy, cell, into }: WeightGradCall, to: Binder): () => void {
  const result = to.plainResult(into);
  const list = [
    to.args.window(window),
    ...to.sources(x),
    to.source(dy),
    to.region(dy.region),
    to.args.longs(cell),
    to.args.viewAt(result.view),
    CONV_CODES[to.conv],
  ];
  return () => {
    to.library.call('hm_conv_weight_grad', ...list);
    result.after();
  };
}
