import type { OpName } from '../../src/ops/index.ts';
import type { Sample } from './sample.ts';
import { convolutionSamples } from './samples/convolution.ts';
import { elementwiseSamples } from './samples/elementwise.ts';
import { lossSamples } from './samples/loss.ts';
import { poolSamples } from './samples/pool.ts';
import { reduceSamples } from './samples/reduce.ts';
import { resizeSamples } from './samples/resize.ts';
import { sourceSamples } from './samples/source.ts';
import { structureSamples } from './samples/structure.ts';

/** Samples of every operation; an operation without any does not compile. */
export const SAMPLES: { readonly [N in OpName]: readonly Sample[] } = {
  ...sourceSamples,
  ...elementwiseSamples,
  ...reduceSamples,
  ...convolutionSamples,
  ...poolSamples,
  ...structureSamples,
  ...resizeSamples,
  ...lossSamples,
};
