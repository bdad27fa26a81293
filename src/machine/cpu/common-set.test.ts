import { describe, expect, it } from 'vitest';
import { commonSet } from './common-set.ts';

const all = ['avx512', 'avx2', 'base'] as const;

describe('commonSet', () => {
  it('is the best that all have', () => {
    expect(commonSet([{ usable: all }, { usable: all }])).toBe('avx512');
    expect(commonSet([{ usable: all }, { usable: ['avx2', 'base'] }])).toBe('avx2');
    expect(commonSet([{ usable: ['avx512', 'base'] }, { usable: ['avx2', 'base'] }])).toBe('base');
  });

  it('is the one that any of them is told to take', () => {
    expect(commonSet([{ usable: all }, { usable: all, forced: 'base' }, { usable: all }])).toBe('base');
  });

  it('is refused where they are told different ones, or one lacks it', () => {
    expect(() =>
      commonSet([
        { usable: all, forced: 'avx2' },
        { usable: all, forced: 'base' },
      ]),
    ).toThrow(/expected HALOMESH_ISA=avx2, as on rank 0, found HALOMESH_ISA=base on rank 1/);
    expect(() => commonSet([{ usable: all, forced: 'avx512' }, { usable: ['avx2', 'base'] }])).toThrow(
      /expected avx512, found avx2, base on rank 1/,
    );
    expect(() => commonSet([{ usable: ['avx512'] }, { usable: ['base'] }])).toThrow(/a set that all have/);
  });
});
