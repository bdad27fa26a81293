import { expect, it } from 'vitest';
import { layers, outputSize } from './layers.ts';
import { PARTS, readOptions } from './options.ts';

it('measures everything into the documentation by default; a quick run leaves that alone', () => {
  expect(readOptions([])).toMatchObject({ quick: false, parts: PARTS, out: 'docs/benchmarks.md' });
  expect(readOptions(['--quick'])!.out).toBe('build/benchmarks-quick.md');
  expect(readOptions(['--help'])).toBeUndefined();
});

it('takes parts in their order', () => {
  expect(readOptions(['--only', 'memory', '--only', 'kernels'])!.parts).toEqual(['kernels', 'memory']);
  expect(readOptions(['--sizes', '64,96', '--flags', '--split depth=2'])).toMatchObject({
    sizes: [64, 96],
    flags: ['--split', 'depth=2'],
  });
});

it('refuses what it does not know, in a sentence', () => {
  expect(() => readOptions(['--only', 'all'])).toThrow(/--only: expected kernels, .*, found "all"/);
  expect(() => readOptions(['--sizes', 'big'])).toThrow(/--sizes: expected .* found "big"/);
  expect(() => readOptions(['--fast'])).toThrow(/--fast/);
});

it('knows the sizes of what its layers make', () => {
  const size = (part: string): number => outputSize(layers(64).find(({ name }) => name.includes(part))!);
  expect(size('16 to 16, 64^3')).toBe(64);
  expect(size('transposed')).toBe(64);
  expect(size('7x7x7')).toBe(32);
  expect(size('dilation 2')).toBe(32);
  expect(size('3x3x3 stride 2')).toBe(32);
  expect(size('4x4x4 stride 2')).toBe(32);
});
