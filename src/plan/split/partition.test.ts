import { describe, expect, it } from 'vitest';
import { mesh, shape } from '../../core/index.ts';
import { buildTraining } from '../../nn/index.ts';
import { checkSplits } from './partition.ts';

const { graph } = buildTraining({
  image: shape({ batch: 1, depth: 16, height: 16, width: 16, channel: 1 }),
  network: { base: 4, levels: 2 },
});
const check = (dim: string, parts: number) => () => checkSplits(graph, mesh({ a: parts }), { [dim]: 'a' });

describe('splits', () => {
  it('have at most a part for each position', () => {
    expect(check('depth', 16)).not.toThrow();
    expect(check('depth', 17)).toThrow(/split depth=17: .* at most 16, the depth of the volume, found 17/);
  });

  it('are of dimensions that some tensor has', () => {
    expect(check('time', 2)).toThrow(/split time=2: no tensor has a dimension "time"; expected .*depth/);
  });

  it('have a number of ranks that can be planned', () => {
    expect(() => mesh({ a: 4096 })).not.toThrow();
    expect(() => mesh({ a: 100_000 })).toThrow(/too many ranks; expected at most 4096 .* found 100000/);
  });
});
