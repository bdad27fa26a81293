import { fail } from '../../core/index.ts';

/**
 * How 3x3x3 convolutions are computed. `auto`: by Winograd's minimal filtering where that was measured to be faster
 * (native/winograd/winograd_choice.cpp); it rounds differently from a plain sum, by a few units in the last place of the largest values.
 * `direct`: as plain sums of products, everywhere.
 */
export type ExactConv = 'auto' | 'direct';

/** `winograd`: wherever it is possible, for tests and measurements. */
export type ConvAlgorithm = ExactConv | 'winograd';

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
