import { describe, expect, it } from 'vitest';
import { CLASS_COLORS } from './index.ts';
import type { Color } from './raster.ts';

const distance = (a: Color, b: Color): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

describe('overlay', () => {
  it('has colours that can be told apart without red, green or blue cones', () => {
    // Machado, Oliveira and Fernandes 2009, full severity, in linear RGB.
    const sights = [
      [1, 0, 0, 0, 1, 0, 0, 0, 1],
      [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
      [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
      [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
    ];
    const linear = (color: Color): number[] =>
      color.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    const seen = (color: Color, m: readonly number[]): Color => {
      const c = linear(color);
      const [r, g, b] = [0, 3, 6].map((row) =>
        Math.min(1, Math.max(0, m[row] * c[0] + m[row + 1] * c[1] + m[row + 2] * c[2])),
      );
      // Oklab.
      const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
      const n = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
      const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
      return [
        0.2104542553 * l + 0.793617785 * n - 0.0040720468 * s,
        1.9779984951 * l - 2.428592205 * n + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * n - 0.808675766 * s,
      ];
    };
    const apart = (a: Color, b: Color): number =>
      Math.min(...sights.map((m) => distance(seen(a, m), seen(b, m))));
    const all = CLASS_COLORS.flat();
    for (const [n, a] of all.entries())
      for (const b of all.slice(n + 1)) expect(apart(a, b)).toBeGreaterThan(0.1);
    for (const [truth, prediction] of CLASS_COLORS) expect(apart(truth, prediction)).toBeGreaterThan(0.19);
  });
});
