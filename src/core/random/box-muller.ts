// After fdlibm, whose notice is:
//
//   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
//   Developed at SunSoft, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this software is
//   freely granted, provided that this notice is preserved.

/**
 * The logarithm and the cosine of Box and Muller for draws of 24 bits, operation by operation: with the same bits in every engine, whose
 * own Math.log and Math.cos may differ in the last place, and in `native/rows/normal.h`, the twin of this file. Reduction, polynomials and
 * their constants are those of fdlibm (Sun Microsystems), and so is every bit. Selections read tables where they can, since
 * branches on random numbers are mispredicted.
 */
const LN2_HIGH = 6.931471803691238e-1;
const LN2_LOW = 1.9082149292705877e-10;

/** Powers of two from 2^-32 to 2^0. */
const POWERS = Float64Array.from({ length: 33 }, (_, at) => 2 ** (at - 32));

/**
 * The natural logarithm of n / 2^24, for a whole n from 1 to 2^24. With n / 2^24 = 2^e (1 + f), sqrt(1/2) < 1 + f < sqrt(2), and
 * s = f / (2 + f): ln(1 + f) = f - s (f - R(s^2)).
 */
export function logOfDraw(n: number): number {
  const zeros = Math.clz32(n);
  // The 20 bits below the leading one.
  const head = ((n << zeros) >>> 11) & 0xfffff;
  const above = (head + 0x95f64) >> 20;
  const f = n * POWERS[1 + zeros - above] - 1;
  const e = 7 - zeros + above;
  if (((head + 2) & 0xfffff) < 3) {
    // |f| < 2^-20.
    const r = f * f * (0.5 - 3.333333333333333e-1 * f);
    return e * LN2_HIGH - (r - e * LN2_LOW - f);
  }
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (3.999999999940942e-1 + w * (2.2222198432149784e-1 + w * 1.5313837699209373e-1));
  const odd =
    z *
    (6.666666666666735e-1 +
      w * (2.857142874366239e-1 + w * (1.818357216161805e-1 + w * 1.4798198605116586e-1)));
  const r = odd + even;
  if (head < 0x6147a || head > 0x6b851) return e * LN2_HIGH - (s * (f - r) - e * LN2_LOW - f);
  const half = 0.5 * f * f;
  return e * LN2_HIGH - (half - (s * (half + r) + e * LN2_LOW) - f);
}

/** Pi / 2 in two parts; products of the first with a quarter's number are exact. */
const QUARTER = 1.5707963267341256;
const QUARTER_REST = 6.077100506506192e-11;
/** The sign of what is computed in each quarter. */
const SIGNS = Float64Array.of(1, -1, -1, 1, 1);
/** Draws between an angle and the nearest right one from which on their difference is above 0.3, and above 0.5. */
const [ABOVE_A, ABOVE_B] = [801_058, 1_335_088];
/** What is taken from 1 first, a quarter of the difference to 20 bits: nothing, above 0.3, above 0.5. */
const CUT = Float64Array.of(0, 2 ** 22, 2 ** 21);
const UNCUT = Float64Array.of(0, 2 ** -24, 2 ** -23);

/** The cosine of 2 pi k / 2^24, for a whole k from 0 to 2^24 - 1: sine or cosine of the angle to the nearest right one. */
export function cosOfDraw(k: number): number {
  const quarter = (k + 0x1fffff) >> 22;
  const from = Math.abs(k - (quarter << 22));
  const angle = 2 * Math.PI * (k * 2 ** -24);
  const rough = angle - quarter * QUARTER;
  const correction = quarter * QUARTER_REST;
  const x = rough - correction;
  const rest = rough - x - correction;
  const z = x * x;
  if (quarter & 1) {
    // What 2 pi k, as it is rounded, lacks of a right angle.
    if (from === 0) return quarter === 1 ? 6.123233995736766e-17 : -1.8369701987210297e-16;
    const cube = z * x;
    const r =
      8.33333333332249e-3 +
      z *
        (-1.984126982985795e-4 +
          z * (2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)));
    const sine = x - (z * (0.5 * rest - cube * r) - rest - cube * -1.6666666666666632e-1);
    return SIGNS[quarter] * sine;
  }
  const r =
    z *
    (4.16666666666666e-2 +
      z *
        (-1.388888888887411e-3 +
          z *
            (2.480158728947673e-5 +
              z * (-2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11)))));
  const size = Math.abs(x);
  const at = ((ABOVE_A - 1 - from) >>> 31) + ((ABOVE_B - 1 - from) >>> 31);
  let cut = Math.floor(size * CUT[at]) * UNCUT[at];
  if (size >= 0.78125 + 2 ** -21) cut = 0.28125;
  return SIGNS[quarter] * (1 - cut - (0.5 * z - cut - (z * r - x * rest)));
}
