import { describe, expect, it } from 'vitest';
import { digits, gib, median, percent, spread, times } from './statistics.ts';

describe('statistics', () => {
  it('takes the middle, or the mean of the two middle numbers, and changes nothing', () => {
    const values = [3, 1, 2];
    expect(median(values)).toBe(2);
    expect(values).toEqual([3, 1, 2]);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(median([10, 9, 100])).toBe(10);
  });

  it('tells how far the largest lies above the smallest', () => {
    expect(spread([2, 3, 2.5])).toBe(0.5);
    expect(spread([4])).toBe(0);
  });

  it('shows three digits', () => {
    expect([0, 0.01234, 0.5, 1.234, 12.34, 123.4, 1234.5].map(digits)).toEqual(
      ['0.00', '0.0123', '0.500', '1.23', '12.3', '123', '1235'], // never an exponent
    );
    expect(digits(Number.NaN)).toBe('');
  });

  it('shows shares, sizes and ratios', () => {
    expect(percent(0.6549)).toBe('65 %');
    expect(percent(Number.NaN)).toBe('');
    expect(gib(1.5 * 2 ** 30)).toBe('1.50 GiB');
    expect(times(3, 2)).toBe('1.50x');
    expect(times(3, Number.NaN)).toBe('');
  });
});
