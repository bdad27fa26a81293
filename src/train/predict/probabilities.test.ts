import { describe, expect, it } from 'vitest';
import { probabilityNames } from './probabilities.ts';

describe('probabilityNames', () => {
  it('keeps letters and digits of any writing', () => {
    expect(probabilityNames('d/a.nii.gz', ['background', 'größe', '__proto__', 'left kidney'])).toEqual([
      'd/a_probability_background.nii.gz',
      'd/a_probability_größe.nii.gz',
      'd/a_probability___proto__.nii.gz',
      'd/a_probability_left_kidney.nii.gz',
    ]);
  });

  it('gives every class a file of its own in the folder of the scan', () => {
    const classes = [
      'a+b',
      'a b',
      'A/b',
      '../x',
      'é',
      'e\u0301',
      'x'.repeat(100),
      `${'x'.repeat(99)}y`,
      '肝'.repeat(100),
    ];
    const names = probabilityNames('d/a.nii', classes);
    expect(new Set(names.map((name) => name.toLowerCase().normalize('NFC'))).size).toBe(classes.length);
    for (const name of names) expect(name).toMatch(/^d\/a_probability_[^/]{1,64}\.nii$/);
  });
});
