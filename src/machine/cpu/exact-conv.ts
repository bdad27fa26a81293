import { fail } from '../../core/index.ts';
import type { ConvAlgorithm, ExactConv } from '../kernels/library.ts';

const ALGORITHMS: readonly ConvAlgorithm[] = ['auto', 'direct', 'winograd'];

/** What a device was asked for, else what HALOMESH_CONV says, else `auto`. */
export function convAlgorithm(asked?: ExactConv): ConvAlgorithm {
  const found = asked ?? process.env.HALOMESH_CONV ?? 'auto';
  return (
    ALGORITHMS.find((name) => name === found) ??
    fail({
      where: asked === undefined ? 'HALOMESH_CONV' : 'exactConv',
      problem: 'unknown way to compute convolutions',
      expected: ALGORITHMS.join(', '),
      found,
    })
  );
}
