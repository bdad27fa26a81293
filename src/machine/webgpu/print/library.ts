// What printed kernels are made of: arithmetic of rows, random numbers, and pairs of float32 numbers in the place of float64 ones.
//
// WGSL lets a compiler reorder sums and fuse products into them. `held` keeps both away: it passes bits through an operation on whole
// numbers with an argument that is always 0, so every result is rounded where it is written and has the same bits in every kernel.

const WIDTHS = [1, 2, 3, 4] as const;
const vector = (kind: string, width: number): string => (width === 1 ? kind : `vec${width}<${kind}>`);

/** Functions for numbers (_1) and short vectors (_2 to _4). */
const forWidth = (width: number): string => {
  const [V, U, B] = ['f32', 'u32', 'bool'].map((kind) => vector(kind, width));
  const each = (one: string) =>
    width === 1
      ? one
      : `${V}(${Array.from({ length: width }, (_, l) => one.replace(/\b([xy])\b/g, `$1[${l}]`)).join(', ')})`;
  return `fn held_${width}(x: ${V}) -> ${V} { return bitcast<${V}>(bitcast<${U}>(x) ^ ${U}(a.zero)); }
fn nan_${width}(x: ${V}) -> ${B} { return (bitcast<${U}>(x) & ${U}(0x7fffffffu)) > ${U}(0x7f800000u); }
fn min_${width}(x: ${V}, y: ${V}) -> ${V} { return select(select(y, x, x < y), x, nan_${width}(x)); }
fn max_${width}(x: ${V}, y: ${V}) -> ${V} { return select(select(y, x, x > y), x, nan_${width}(x)); }
// The larger; one that is no number wins.
fn larger_${width}(x: ${V}, y: ${V}) -> ${V} { return select(x, y, (y > x) | nan_${width}(y)); }
fn bf16_${width}(x: ${V}) -> ${V} {
  let u = bitcast<${U}>(x);
  return bitcast<${V}>(select((u + ${U}(0x7fffu) + ((u >> ${U}(16u)) & ${U}(1u))) & ${U}(0xffff0000u), u | ${U}(0x400000u), nan_${width}(x)));
}
fn exp_${width}(x: ${V}) -> ${V} { return exp(x); }
fn sigmoid_${width}(x: ${V}) -> ${V} { return ${V}(1.0) / (${V}(1.0) + exp_${width}(-x)); }
fn tanh_${width}(x: ${V}) -> ${V} {
  let t = exp(max(abs(x) * -2.0, ${V}(-80.0)));
  return sign(x) * ((${V}(1.0) - t) / (${V}(1.0) + t));
}
fn erf_${width}(x: ${V}) -> ${V} { return ${each('erf_one(x)')}; }
fn pow_${width}(x: ${V}, y: ${V}) -> ${V} { return ${each('pow_one(x, y)')}; }
`;
};

const ARITHMETIC = `fn pow_one(x: f32, y: f32) -> f32 {
  if (y == 0.0) { return 1.0; }
  if (x == 0.0) { return select(0.0, bitcast<f32>(0x7f800000u ^ a.zero), y < 0.0); }
  let p = pow(abs(x), y);
  if (x > 0.0) { return p; }
  if (floor(y) != y) { return bitcast<f32>(0x7fc00000u ^ a.zero); }
  return select(p, -p, fract(y * 0.5) != 0.0);
}
// The polynomials of native/rows/lanemath.h.
fn erf_one(x: f32) -> f32 {
  let z = x * x;
  if (abs(x) < 1.0) {
    var p = fma(7.8758750533e-5, z, -8.0168642839e-4);
    p = fma(p, z, 5.1890874230e-3);
    p = fma(p, z, -2.6854212010e-2);
    p = fma(p, z, 1.1283594715e-1);
    p = fma(p, z, -3.7612626667e-1);
    return fma(p, z, 1.1283791658) * x;
  }
  if (nan_1(x)) { return x; }
  let b = min(abs(x), 4.0);
  var p = fma(1.6371514135e-6, b, -4.6058042677e-5);
  p = fma(p, b, 5.9680562564e-4);
  p = fma(p, b, -4.7595962936e-3);
  p = fma(p, b, 2.6421136008e-2);
  p = fma(p, b, -1.1008008296e-1);
  p = fma(p, b, -6.3182605155e-1);
  p = fma(p, b, -1.1302334348);
  p = fma(p, b, 3.2013805192e-4);
  return sign(x) * (1.0 - exp(p));
}
${WIDTHS.map(forWidth).join('')}
// Saturates; what is no number is 0.
fn i32_of(x: vec2<f32>) -> i32 {
  if (nan_1(x.x)) { return 0; }
  if (x.x >= 2147483648.0) { return 2147483647; }
  if (x.x <= -2147483648.0) { return -2147483647 - 1; }
  return i32(x.x) + i32(x.y);
}
fn u8_of(x: vec2<f32>) -> i32 { return clamp(i32_of(x), 0, 255); }

// 64-bit whole numbers as (low, high).
fn wide_mul(x: vec2<u32>, y: u32) -> vec2<u32> {
  let low = x.x & 0xffffu; let high = x.x >> 16u; let a0 = y & 0xffffu; let a1 = y >> 16u;
  let p0 = low * a0; let p1 = low * a1; let p2 = high * a0; let p3 = high * a1;
  let middle = (p0 >> 16u) + (p1 & 0xffffu) + (p2 & 0xffffu);
  return vec2<u32>((p0 & 0xffffu) | (middle << 16u), p3 + (p1 >> 16u) + (p2 >> 16u) + (middle >> 16u) + x.y * y);
}
fn wide_add(x: vec2<u32>, y: u32) -> vec2<u32> {
  let low = x.x + y;
  return vec2<u32>(low, x.y + select(0u, 1u, low < y));
}

// Random numbers: the twin of native/rows/random.h and src/core/random.ts.
fn mix_bits(x: u32) -> u32 {
  var y = x ^ (x >> 16u);
  y *= 0x21f0aaadu;
  y ^= y >> 15u;
  y *= 0xd35a2d97u;
  return y ^ (y >> 15u);
}
fn random_bits(key0: u32, key1: u32, step: u32, index: vec2<u32>) -> u32 {
  let p = mix_bits(key0 ^ mix_bits(index.y + 0x9e3779b9u));
  let q = mix_bits(key1 ^ mix_bits(step + 0x85ebca6bu));
  return mix_bits(mix_bits(index.x ^ p) + q);
}
fn unit_of(bits: u32) -> f32 { return f32(bits >> 8u) * 5.9604644775390625e-8; }
fn normal_of(key0: u32, key1: u32, step: u32, index: vec2<u32>) -> f32 {
  let u = f32((random_bits(key0, key1, step, index) >> 8u) + 1u) * 5.9604644775390625e-8;
  let turns = unit_of(random_bits(key0, key1 ^ 0x6a09e667u, step, index));
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * turns);
}
`;

/** Pairs: the sum of two float32 numbers, the larger first; 48 bits, the range of float32. */
const WIDE = `fn finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }
// x + y with what it is rounded by; |x| >= |y|.
fn quick_pair(x: f32, y: f32) -> vec2<f32> {
  let s = held_1(x + y);
  let e = y - held_1(s - x);
  return vec2<f32>(s, select(0.0, e, finite(s)));
}
fn sum_pair(x: f32, y: f32) -> vec2<f32> {
  let s = held_1(x + y);
  let b = held_1(s - x);
  let e = held_1(x - held_1(s - b)) + held_1(y - b);
  return vec2<f32>(s, select(0.0, e, finite(s)));
}
fn add_pair(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> {
  let s = sum_pair(x.x, y.x);
  return quick_pair(s.x, held_1(s.y + held_1(x.y + y.y)));
}
fn sub_pair(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> { return add_pair(x, -y); }
fn top_bits(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }
fn product_pair(x: f32, y: f32) -> vec2<f32> {
  let p = held_1(x * y);
  let x1 = top_bits(x); let x0 = held_1(x - x1); let y1 = top_bits(y); let y0 = held_1(y - y1);
  let e = held_1(held_1(held_1(held_1(x1 * y1) - p) + held_1(x1 * y0)) + held_1(x0 * y1)) + held_1(x0 * y0);
  return vec2<f32>(p, select(0.0, e, finite(p)));
}
fn mul_pair(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> {
  let p = product_pair(x.x, y.x);
  return quick_pair(p.x, held_1(p.y + held_1(held_1(x.x * y.y) + held_1(x.y * y.x))));
}
fn div_pair(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> {
  let q = held_1(x.x / y.x);
  if (!finite(q) || !finite(y.x)) { return vec2<f32>(q, 0.0); }
  let r = sub_pair(x, mul_pair(y, vec2<f32>(q, 0.0)));
  let q1 = held_1(r.x / y.x);
  let r1 = sub_pair(r, mul_pair(y, vec2<f32>(q1, 0.0)));
  return add_pair(quick_pair(q, q1), vec2<f32>(held_1(r1.x / y.x), 0.0));
}
fn sqrt_pair(x: vec2<f32>) -> vec2<f32> {
  if (!(x.x > 0.0) || !finite(x.x)) { return vec2<f32>(sqrt(x.x), 0.0); }
  let y = held_1(sqrt(x.x));
  let r = sub_pair(x, product_pair(y, y));
  let z = quick_pair(y, held_1(r.x / held_1(2.0 * y)));
  let r1 = sub_pair(x, mul_pair(z, z));
  return add_pair(z, vec2<f32>(held_1(r1.x / held_1(2.0 * y)), 0.0));
}
fn scale_pair(x: vec2<f32>, by: f32) -> vec2<f32> { return vec2<f32>(x.x * by, x.y * by); }
fn exp_pair(x: vec2<f32>) -> vec2<f32> {
  if (nan_1(x.x)) { return x; }
  if (x.x > 88.72) { return vec2<f32>(bitcast<f32>(0x7f800000u ^ a.zero), 0.0); }
  if (x.x < -87.0) { return vec2<f32>(0.0, 0.0); }
  let k = round(x.x * 1.4426950408889634);
  // ln 2 as a pair.
  let r = scale_pair(sub_pair(x, mul_pair(vec2<f32>(k, 0.0), vec2<f32>(0.69314718246459961, -1.9046543e-9))), 0.125);
  var sum = vec2<f32>(1.0, 0.0);
  for (var i = 11; i > 0; i--) {
    sum = add_pair(vec2<f32>(1.0, 0.0), mul_pair(div_pair(r, vec2<f32>(f32(i), 0.0)), sum));
  }
  sum = mul_pair(sum, sum);
  sum = mul_pair(sum, sum);
  sum = mul_pair(sum, sum);
  // By two powers of 2, since one alone may leave the range.
  let half = floor(k * 0.5);
  return scale_pair(scale_pair(sum, ldexp(1.0, i32(half))), ldexp(1.0, i32(k - half)));
}
fn log_pair(x: vec2<f32>) -> vec2<f32> {
  if (!(x.x > 0.0) || !finite(x.x)) { return vec2<f32>(log(x.x), 0.0); }
  var y = vec2<f32>(log(x.x), 0.0);
  for (var i = 0; i < 2; i++) { y = sub_pair(add_pair(y, mul_pair(x, exp_pair(-y))), vec2<f32>(1.0, 0.0)); }
  return y;
}
fn less_pair(x: vec2<f32>, y: vec2<f32>) -> bool { return x.x < y.x || (x.x == y.x && x.y < y.y); }
fn same_pair(x: vec2<f32>, y: vec2<f32>) -> bool { return x.x == y.x && x.y == y.y; }
fn floor_pair(x: vec2<f32>) -> vec2<f32> {
  let f = floor(x.x);
  if (f != x.x) { return vec2<f32>(f, 0.0); }
  return quick_pair(f, floor(x.y));
}
fn abs_pair(x: vec2<f32>) -> vec2<f32> { return select(x, -x, x.x < 0.0 || (x.x == 0.0 && x.y < 0.0)); }
fn sign_pair(x: vec2<f32>) -> vec2<f32> { return vec2<f32>(select(sign(x.x), x.x, nan_1(x.x)), 0.0); }
fn trunc_pair(x: vec2<f32>) -> vec2<f32> {
  let f = floor_pair(abs_pair(x));
  return select(f, -f, x.x < 0.0);
}
fn min_pair(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> { return select(y, x, less_pair(x, y) || nan_1(x.x)); }
fn max_pair(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> { return select(y, x, less_pair(y, x) || nan_1(x.x)); }
fn recip_pair(x: vec2<f32>) -> vec2<f32> { return div_pair(vec2<f32>(1.0, 0.0), x); }
fn sigmoid_pair(x: vec2<f32>) -> vec2<f32> { return recip_pair(add_pair(vec2<f32>(1.0, 0.0), exp_pair(-x))); }
fn tanh_pair(x: vec2<f32>) -> vec2<f32> {
  let t = exp_pair(scale_pair(-abs_pair(x), 2.0));
  let y = div_pair(sub_pair(vec2<f32>(1.0, 0.0), t), add_pair(vec2<f32>(1.0, 0.0), t));
  return select(y, -y, x.x < 0.0);
}
// 2 / sqrt(pi) e^(-x^2) times the sum of 2^n x^(2 n + 1) / (1 3 5 ... (2 n + 1)), whose terms have one sign.
fn erf_pair(x: vec2<f32>) -> vec2<f32> {
  if (nan_1(x.x)) { return x; }
  if (abs(x.x) > 6.0) { return vec2<f32>(sign(x.x), 0.0); }
  let z = mul_pair(x, x);
  var term = x;
  var sum = x;
  for (var n = 1; n < 150; n++) {
    term = div_pair(mul_pair(term, scale_pair(z, 2.0)), vec2<f32>(f32(2 * n + 1), 0.0));
    sum = add_pair(sum, term);
    if (abs(term.x) < abs(sum.x) * 1e-16) { break; }
  }
  return mul_pair(mul_pair(vec2<f32>(1.12837922573089599609375, -5.8635383e-8), exp_pair(-z)), sum);
}
fn pow_pair(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> {
  if (y.x == 0.0) { return vec2<f32>(1.0, 0.0); }
  if (!(x.x > 0.0) && !(x.x < 0.0)) { return vec2<f32>(pow_one(x.x, y.x), 0.0); }
  let p = exp_pair(mul_pair(y, log_pair(abs_pair(x))));
  if (x.x > 0.0) { return p; }
  if (floor(y.x) != y.x) { return vec2<f32>(bitcast<f32>(0x7fc00000u ^ a.zero), 0.0); }
  return select(p, -p, fract(y.x * 0.5) != 0.0);
}
fn pair_of_i32(x: i32) -> vec2<f32> { return sum_pair(f32(x & -65536), f32(x & 65535)); }
`;

/** The functions of a text, by name. */
const functionsOf = (text: string): Map<string, string> =>
  new Map(
    text
      .split(/^(?=fn )/m)
      .map((one) => [/^fn (\w+)/.exec(one)?.[1] ?? '', one.replace(/^\/\/.*\n|^\n/gm, '')] as const)
      .filter(([name]) => name !== ''),
  );

const LIBRARY = functionsOf(`${ARITHMETIC}${WIDE}`);

/** Of the library and of `more` functions those that a text calls, and that these call. */
export function functionsFor(text: string, more: string): string {
  const known = new Map([...LIBRARY, ...functionsOf(more)]);
  const found = new Set<string>();
  const search = (one: string): void => {
    for (const [, name] of one.matchAll(/(\w+)\(/g)) {
      const body = known.get(name);
      if (body === undefined || found.has(name)) continue;
      found.add(name);
      search(body);
    }
  };
  search(text);
  return [...known].flatMap(([name, body]) => (found.has(name) ? [body] : [])).join('');
}
