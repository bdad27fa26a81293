import { describe, expect, it } from 'vitest';
import { drawText, isDrawn, textWidth } from './font.ts';
import { Raster } from './raster.ts';

describe('font', () => {
  it('writes the letters of all languages with Latin letters in Unicode 1 to 17f and 1e00 to 1eff, marks and all', () => {
    const letters = (from: number, to: number): string[] =>
      Array.from({ length: to - from + 1 }, (_, n) => String.fromCodePoint(from + n)).filter((c) =>
        /\p{Script=Latin}/u.test(c),
      );
    // Long s with marks, and letters of medieval manuscripts and phonetics.
    const rare = new Set('ẚẛẜẝẟỺỻỼỽỾỿ');
    const wanted = [...letters(1, 0x17f), ...letters(0x1e00, 0x1eff), ...'ơưȘșȚț'].filter(
      (c) => !rare.has(c),
    );
    expect(wanted.filter((c) => !isDrawn(c)).join('')).toBe('');
    expect(isDrawn('漢')).toBe(false);
    for (let code = 33; code < 127; code++) expect(isDrawn(String.fromCharCode(code)), `${code}`).toBe(true);
  });

  it('draws marks: a letter with one has more ink than the letter alone, also where it came as two characters', () => {
    const ink = (text: string): number => {
      const raster = new Raster(60, 40, [255, 255, 255]);
      drawText(raster, text, [10, 25], { color: [0, 0, 0], size: 14 });
      return raster.data.reduce((sum, value) => sum + 255 - value, 0);
    };
    for (const [marked, letter] of ['ée', 'ÅA', 'ňn', 'ęe', 'şs', 'ệe'])
      expect(ink(marked), marked).toBeGreaterThan(ink(letter) * 1.02);
    expect(ink('e\u0301')).toBe(ink('\u00e9'));
    expect(textWidth('e\u0301')).toBe(textWidth('\u00e9'));
  });
});
