import {
  ELEMENTWISE_NAMES,
  type ElementwiseAttrs,
  type ElementwiseName,
  OPS,
} from '../../../src/ops/index.ts';
import { labelTensor, type Sample, sample, type Tensor, tensor } from '../sample.ts';

// Element-wise operations over [batch=2 depth=7 channel=3]: equal shapes, then inputs that lack dimensions or order them anew.

const size = { batch: 2, depth: 7, channel: 3 };

interface Domain {
  readonly attrs?: ElementwiseAttrs;
  /** Range of each argument; whole numbers below `labels` for comparisons that need ties. */
  readonly arguments: readonly (readonly [low: number, high: number] | { readonly labels: number })[];
  /** Positions of the arguments that have a gradient; all unless given. */
  readonly smooth?: readonly number[];
}

const ANY = [-1, 1] as const;
const POSITIVE = [0.5, 2] as const;

const DOMAINS: Readonly<Record<ElementwiseName, Domain>> = {
  neg: { arguments: [ANY] },
  abs: { arguments: [ANY] },
  sign: { arguments: [ANY] },
  square: { arguments: [ANY] },
  sqrt: { arguments: [POSITIVE] },
  rsqrt: { arguments: [POSITIVE] },
  reciprocal: { arguments: [POSITIVE] },
  exp: { arguments: [ANY] },
  log: { arguments: [POSITIVE] },
  tanh: { arguments: [[-2, 2]] },
  erf: { arguments: [[-3, 3]] },
  sigmoid: { arguments: [[-3, 3]] },
  floor: { arguments: [[-3, 3]] },
  leakyRelu: { arguments: [ANY], attrs: { slope: 0.1 } },
  leakyReluGrad: { arguments: [ANY, ANY], attrs: { slope: 0.1 }, smooth: [1] },
  add: { arguments: [ANY, ANY] },
  sub: { arguments: [ANY, ANY] },
  mul: { arguments: [ANY, ANY] },
  div: { arguments: [ANY, POSITIVE] },
  minimum: { arguments: [ANY, [-0.9, 1.07]] },
  maximum: { arguments: [ANY, [-0.9, 1.07]] },
  pow: { arguments: [POSITIVE, [-2, 2]] },
  less: { arguments: [{ labels: 3 }, { labels: 3 }] },
  lessEqual: { arguments: [{ labels: 3 }, { labels: 3 }] },
  equal: { arguments: [{ labels: 3 }, { labels: 3 }] },
  select: { arguments: [{ labels: 2 }, ANY, ANY], smooth: [1, 2] },
};

function samplesOf(name: ElementwiseName): Sample[] {
  const { attrs = {}, arguments: domains, smooth } = DOMAINS[name];
  const make = (title: string, sizes: readonly Readonly<Record<string, number>>[]): Sample => {
    const tensors = domains.map((domain, i): Tensor => {
      const called = 'abc'[i];
      return 'labels' in domain
        ? { ...labelTensor(called, sizes[i], domain.labels, 'f32'), dtype: 'f32' }
        : tensor(called, sizes[i], domain[0], domain[1]);
    });
    const differentiable = smooth?.map((i) => tensors[i].name);
    return sample({
      name: title,
      op: OPS[name],
      attrs,
      tensors,
      gives: '[batch=2 depth=7 channel=3]',
      differentiable,
    });
  };
  if (domains.length === 1) return [make('all dimensions', [size])];
  return [
    make('equal shapes', [size, size, size]),
    make('a vector and a scalar', [size, { channel: 3 }, {}]),
    make('the first lacks dimensions, another order', [
      { channel: 3, batch: 2 },
      size,
      { depth: 7, batch: 2 },
    ]),
  ];
}

export const elementwiseSamples = Object.fromEntries(
  ELEMENTWISE_NAMES.map((name) => [name, samplesOf(name)]),
) as unknown as Readonly<Record<ElementwiseName, readonly Sample[]>>;
