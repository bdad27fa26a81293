import { describe, expect, it } from 'vitest';
import { finder, regroup } from '../config/known-names.ts';
import { cleaningOf } from './cleaning.ts';

const classes = ['background', 'liver', 'tumour', 'a+b', 'c, d', 'x=y', 'e+f+g'];

describe('cleaningOf', () => {
  it('finds classes with plus, comma and equals sign in their names', () => {
    const { largest, fillHoles, minimumSize, inside } = cleaningOf(
      {
        largestComponent: ['liver+tumour', 'a+b', 'liver+a+b+e+f+g', 'c', 'd', 'tumour'],
        fillHoles: ['c', 'd', 'x=y'],
        minSize: { 'x=y': 50, 'c,d': 20 },
        inside: { tumour: 'liver', 'tumour=x': 'y', 'x=y': 'a+b' },
      },
      classes,
    );
    expect(largest).toEqual([[1, 2], 3, [1, 3, 6], 4, 2]);
    expect(fillHoles).toEqual([4, 5]);
    expect(minimumSize).toEqual([
      { label: 5, volume: 50 },
      { label: 4, volume: 20 },
    ]);
    expect(inside).toEqual([
      { lesion: 2, organ: 1 },
      { lesion: 2, organ: 5 },
      { lesion: 5, organ: 3 },
    ]);
  });

  it('names the classes there are for one that is none', () => {
    expect(() => cleaningOf({ largestComponent: ['liver+spleen'] }, classes)).toThrow(
      /largest component: no such class.*a\+b.*found spleen/,
    );
  });
});

it('regroup puts ids with commas together again, the longest first', () => {
  const known = finder(['a', 'b', 'a,b', 'c, d'], ',');
  expect(regroup(['a', 'b', 'c', 'd', 'x'], ',', known)).toEqual(['a,b', 'c, d', 'x']);
});
