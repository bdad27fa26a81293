import type { CallOf, Source } from '../../calls/index.ts';
import { boxBySlots } from '../../formats/index.ts';
import type { Maker } from '../maker.ts';
import type { Step } from '../step.ts';
import { type GpuTensor, placed } from '../tensors.ts';
import type { Printer } from './printer.ts';
import { printRow } from './row.ts';
import { sumNames } from './row-context.ts';
import { byFours, overLanes } from './row-lanes.ts';
import { blockSum, finish } from './sums.ts';
import { channelsOf, printSource, titleOf } from './window.ts';

// 3x3x3 convolutions and their gradients for the input. A workgroup computes tiles of 4 x 8 x 16 positions and 16 channels, one behind the
// other along d; four channels of what it reads and their weights lie in its own memory. A thread has 8 positions of a line and 8 channels:
// 192 multiply-adds for 3 + 6 loads of four numbers from there, where the general kernel evaluates the source's row 27 times. Sums of
// every position go by source, four channels, channel, kernel along d, h and w, wherever the tile begins.

type Contraction = CallOf<'conv' | 'conv_transpose'>;

const TILE = [4, 8, 16] as const;
/** Positions that a tile reads; along w in fours. */
const [PLANES, LINES, FOURS] = [TILE[0] + 2, TILE[1] + 2, 5];
const SLAB = PLANES * LINES * FOURS;
const THREADS = 128;
const BLOCK = 16;
/** Channels in the memory of a workgroup at a time. */
const CHANNELS = 4;
/** Fours of the weights of these channels. */
const WEIGHTS = CHANNELS * 27 * (BLOCK / 4);
/** Workgroups that end sums at most. */
const MOST_SUMMING = 4096;

/** Whether {@link tiledConvSteps} does a call: a fact of the whole layer, but for channels cut where no vector ends. */
export function takesTiledConv({ window, sources, out, epilogue }: Contraction): boolean {
  const three = [...window.kernel, ...window.stride, ...window.dilation].join() === '3,3,3,1,1,1,1,1,1';
  const { start, size, global } = boxBySlots(out.shape, out.box, out.slots);
  const rows = [epilogue, ...sources.map(({ row }) => row)];
  const whole = global[4] % BLOCK === 0 && start[4] % 4 === 0 && size[4] % 4 === 0;
  return three && whole && rows.every((row) => !overLanes(row) && !row.wide);
}

export function tiledConvSteps(call: Contraction, weight: GpuTensor, make: Maker): Step[] {
  const { window, sources, out, op, epilogue } = call;
  const turned = op === 'conv_transpose';
  const pad = window.pad.map((before) => (turned ? 2 - before : before));
  const { start, size } = boxBySlots(out.shape, out.box, out.slots);
  const [cases, , , , channels] = size;
  const outer = Math.ceil(channels / BLOCK);
  const [deep, high, wide] = TILE.map((length, i) => Math.ceil(size[i + 1] / length));
  const to = make.printer();
  to.title = `${titleOf(op, window)}, tiles`;
  const row = printRow(to, epilogue, { first: start[4], channels, lanes: 4 });
  const summing = row.sums.length > 0;
  const columns = high * wide * cases * outer;
  // Tiles along d that a workgroup goes through.
  const run = summing ? Math.min(deep, Math.max(1, Math.ceil((deep * columns) / MOST_SUMMING))) : 1;
  const runs = Math.ceil(deep / run);
  const tiles = runs * high * wide;
  const blocks = tiles * cases * outer;
  to.args.ints('start', start);
  to.args.ints('size', size);
  for (const [name, value] of Object.entries({ tiles, high, wide, run: run * TILE[0], outer }))
    to.args.int(name, value);
  const sums = row.sums.length * BLOCK;
  const part = summing ? make.scratch(8 * sums * blocks) : 0;
  const line = summing ? to.line(part, sums * blocks, 'f64') : '';
  const place = placed(weight, call.weight.slots);
  const view = to.view(weight, place);
  const fours = byFours(place, { first: start[4], channels, lanes: 4 });
  if (fours) view.fours = true;
  const first = boxBySlots(weight.shape, call.weight.box, call.weight.slots).start[0];
  let channel = first;
  const texts = sources.map((one, s) => {
    const text = sourceText(to, one, { pad, s, turned, weight: view.name, fours, from: channel });
    channel += channelsOf(one);
    return text;
  });
  to.functions.push(TILE_MEMORY, multiplyText());
  const body = `let tile = block % a.tiles;
let group_n = block / a.tiles;
let n = a.start_0 + group_n / a.outer;
let c0 = a.start_4 + group_n % a.outer * ${BLOCK};
let end_c = min(c0 + ${BLOCK}, a.start_4 + a.size_4);
let w0 = a.start_3 + tile % a.wide * ${TILE[2]};
let h0 = a.start_2 + tile / a.wide % a.high * ${TILE[1]};
let begin_d = tile / (a.wide * a.high) * a.run;
let end_d = min(begin_d + a.run, a.size_1);
// Of the products: which channels, where in a line, which line, which plane.
let side = thread / 2 % 2; let line_h = thread / 4 % ${TILE[1]}; let plane = thread / ${4 * TILE[1]};
let place_x = (plane * ${LINES} + line_h) * ${FOURS} + 2 * side;
let c = c0 + 4 * (thread % 4);
let fixed = ${row.name}_begin(n, min(c, end_c - 4));
for (var along = begin_d; along < end_d; along += ${TILE[0]}) {
let d0 = a.start_1 + along;
clear_sums();
${texts.join('')}for (var half = 0; half < 2; half++) {
workgroupBarrier();
if (plane / 2 == half) { leave_sums((plane % 2 * ${TILE[1] * TILE[2]} + line_h * ${TILE[2]} + 8 * side) * 4 + thread % 2 * 2); }
workgroupBarrier();
for (var v = thread; v < ${2 * TILE[1] * TILE[2] * 4}; v += ${THREADS}) {
let p = v / 4;
let d = d0 + half * 2 + p / ${TILE[1] * TILE[2]}; let h = h0 + p / ${TILE[2]} % ${TILE[1]}; let w = w0 + p % ${TILE[2]};
if (c < end_c && d < a.start_1 + a.size_1 && h < a.start_2 + a.size_2 && w < a.start_3 + a.size_3) {
let ignored = ${row.name}(fixed, n, d, h, w, c, 4, Lanes4(tile_x[v]));
}
}
}
}
${row.sums
  .map((_, k) => {
    const [highs, lows] = sumNames(row.name, k, 0);
    const at = `block * ${sums} + ${k * BLOCK}`;
    return blockSum(to, {
      ...{ width: 4, lanes: BLOCK, threads: THREADS, columns: 4 },
      ...{ high: highs, low: lows, into: line, at },
    });
  })
  .join('')}`;
  const step = to.step(body, blocks, { threads: THREADS });
  const ends = row.sums.flatMap(({ operand: number }, k) => {
    const operand = epilogue.operands[number];
    if (operand.kind !== 'tensor') return [];
    return [
      finish(make, out, operand.value, {
        part: part + 8 * k * BLOCK,
        count: sums * blocks - k * BLOCK,
        ...{ lanes: BLOCK, tiles, tileStep: sums, step: [outer * tiles * sums, 0, 0, 0, tiles * sums] },
      }),
    ];
  });
  return [step, ...ends];
}

/** Loads four channels of a source at a time, with their weights, and adds their products. */
function sourceText(
  to: Printer,
  one: Source,
  {
    pad,
    s,
    turned,
    weight,
    fours,
    from,
  }: {
    readonly pad: readonly number[];
    readonly s: number;
    readonly turned: boolean;
    readonly weight: string;
    readonly fours: boolean;
    /** Row of the weight that the first channel has. */
    readonly from: number;
  },
): string {
  const channels = channelsOf(one);
  const lanes = Math.min(CHANNELS, channels);
  const source = printSource(to, one, lanes);
  const region = boxBySlots(one.region.shape, one.region.box, one.region.slots);
  const held = to.ints('held', [
    ...region.start.slice(1, 4),
    ...region.start.slice(1, 4).map((x, i) => x + region.size[i + 1]),
  ]);
  const count = to.int('count', channels);
  const begin = to.int('begin', source.start);
  const base = to.int('row', from);
  const inside = ['id', 'ih'].map((x, i) => `${x} >= ${held}_${i} && ${x} < ${held}_${i + 3}`).join(' && ');
  const each = [0, 1, 2, 3].map(
    (p) => `if (line_in && iw + ${p} >= ${held}_2 && iw + ${p} < ${held}_5) {
${source.load(`f${s}`, `id, ih, iw + ${p}`, `${begin} + i`, 'y')}${Array.from({ length: lanes }, (_, l) => `x${l}[${p}] = y_0${lanes === 1 ? '' : `[${l}]`}; `).join('')}
}
`,
  );
  const k = turned ? '26 - v / 4 % 27' : 'v / 4 % 27';
  const get = (l: number) =>
    `${weight}_get(${base} + i + j, k / 9, k / 3 % 3, k % 3, c0 + 4 * (v % 4) + ${l})`;
  const four = fours
    ? `${weight}_get4(${base} + i + j, k / 9, k / 3 % 3, k % 3, c0 + 4 * (v % 4))`
    : `vec4<f32>(${[0, 1, 2, 3].map(get).join(', ')})`;
  return `for (var i = 0; i < ${count}; i += ${CHANNELS}) {
workgroupBarrier();
${source.begin(`f${s}`, `${begin} + i`)}for (var v = thread; v < ${SLAB}; v += ${THREADS}) {
let iw = w0 - ${pad[2]} + v % ${FOURS} * 4; let ih = h0 - ${pad[1]} + v / ${FOURS} % ${LINES}; let id = d0 - ${pad[0]} + v / ${FOURS * LINES};
let line_in = ${inside};
${Array.from({ length: lanes }, (_, l) => `var x${l} = vec4<f32>(0.0); `).join('')}
${each.join('')}${Array.from({ length: lanes }, (_, l) => `tile_x[${l * SLAB} + v] = x${l}; `).join('')}
}
for (var v = thread; v < ${WEIGHTS}; v += ${THREADS}) {
let k = ${k}; let j = v / ${27 * 4};
if (i + j < ${count} && c0 + 4 * (v % 4) < end_c) { tile_w[v] = ${four}; }
}
workgroupBarrier();
multiply_tile(place_x, thread % 2 * 2, min(${CHANNELS}, ${count} - i));
}
`;
}

const SUMS = Array.from({ length: 16 }, (_, i) => i);

const TILE_MEMORY = `var<workgroup> tile_x: array<vec4<f32>, ${CHANNELS * SLAB}>;
var<workgroup> tile_w: array<vec4<f32>, ${WEIGHTS}>;
${SUMS.map((i) => `var<private> sum_${i}: vec4<f32>;\n`).join('')}fn clear_sums() { ${SUMS.map((i) => `sum_${i} = vec4<f32>(0.0); `).join('')}}
// Position p and four channels q of the thread's sums, to the four of the tile that begins there.
fn leave_sums(at: i32) { ${SUMS.map((i) => `tile_x[at + ${(i >> 1) * 4 + (i & 1)}] = sum_${i}; `).join('')}}
`;

/** Adds the products of some channels: 8 positions of a line, 8 channels of the output. */
function multiplyText(): string {
  const number = (p: number) => `v${p >> 2}[${p & 3}]`;
  const taps = [0, 1, 2].map(
    (kw) => `{ let k0 = tile_w[at_w + ${4 * kw}]; let k1 = tile_w[at_w + ${4 * kw + 1}];
${Array.from(
  { length: 8 },
  (_, p) =>
    `s${2 * p} = fma(vec4<f32>(${number(p + kw)}), k0, s${2 * p}); s${2 * p + 1} = fma(vec4<f32>(${number(p + kw)}), k1, s${2 * p + 1});\n`,
).join('')}}
`,
  );
  return `fn multiply_tile(place: i32, four: i32, channels: i32) {
${SUMS.map((i) => `var s${i} = sum_${i}; `).join('')}
for (var j = 0; j < channels; j++) {
for (var k = 0; k < 9; k++) {
let at_x = j * ${SLAB} + place + (k / 3 * ${LINES} + k % 3) * ${FOURS};
let at_w = (j * 27 + k * 3) * 4 + four;
let v0 = tile_x[at_x]; let v1 = tile_x[at_x + 1]; let v2 = tile_x[at_x + 2];
${taps.join('')}}
}
${SUMS.map((i) => `sum_${i} = s${i}; `).join('')}
}
`;
}
