import { expect, it } from 'vitest';
import { mesh } from '../core/index.ts';
import { bench } from './bench.ts';

it('times steps on pictures, with the losses of no split', async () => {
  const options = { size: 20, plane: true, network: { base: 4, levels: 2 }, steps: 1, threads: 1 };
  const one = await bench(options);
  expect(one).toMatchObject({ size: 20, plane: true });
  const split = await bench({ ...options, mesh: mesh({ height: 3 }), layout: { height: 'height' } });
  expect(split.losses).toEqual(one.losses);
});
