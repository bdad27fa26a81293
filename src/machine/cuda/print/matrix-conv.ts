import type { CallOf, Source } from '../../calls/index.ts';
import { boxBySlots } from '../../formats/index.ts';
import type { Row } from '../../rows/index.ts';
import { Arguments } from '../arguments.ts';
import { nativeText } from '../library.ts';
import { fixedStep, type Maker, type Step } from '../maker.ts';
import { type CudaTensor, placed } from '../tensors.ts';
import { finish, SUM_BLOCKS } from './frame.ts';
import { OVER_LANES, printRow } from './row.ts';
import { printSource } from './window.ts';

// 3x3x3 convolutions of bfloat16 images on tensor cores. A block computes tiles of 4 x 8 x 16 positions and 16 channels, one tile
// behind the other along d. Sixteen channels of what a tile reads at a time lie in shared memory, rounded to bfloat16 after the source's row; a warp has
// a line of each of the 4 planes, and what it loads serves up to three of them. Sums of every position go by source, channels, kernel
// along h, w and d, wherever the tile begins.

const TILE = [4, 8, 16] as const;
/** Positions that a tile reads. */
const READ = (TILE[0] + 2) * (TILE[1] + 2) * (TILE[2] + 2);
/** Numbers from one position to the next where results wait for the epilogue: keeps banks apart. */
const STEP = 18;
/** 32-bit words of shared memory. */
const WORDS = Math.max(8 * READ, TILE[0] * TILE[1] * TILE[2] * STEP);
const LANES = 8;
/** Registers of a source's row from which on a block needs a multiprocessor for itself. */
const LARGE = 5;

type Contraction = CallOf<'conv' | 'conv_transpose'>;

const channelsOf = ({ region: { shape, box, slots } }: Source): number =>
  boxBySlots(shape, box, slots).size[4];

/** Whether all images that a row loads are bfloat16, so that products of that precision are what is asked for. */
function isNarrow(row: Row, tensorOf: Maker['tensorOf']): boolean {
  const images = row.operands.flatMap((operand) => {
    if (operand.kind === 'vector') return [];
    const { dtype, shape } = tensorOf(operand.value);
    return shape.some(({ name }) => [1, 2, 3].includes(row.slots.get(name) ?? 0)) ? [dtype] : [];
  });
  return images.length > 0 && images.every((dtype) => dtype === 'bf16');
}

const overLanes = ({ instructions }: Row): boolean => instructions.some(({ op }) => OVER_LANES.includes(op));

/** Whether {@link matrixConvSteps} does a call. */
export function takesMatrixConv({ window, sources, out, epilogue }: Contraction, make: Maker): boolean {
  const three = [...window.kernel, ...window.stride, ...window.dilation].join() === '3,3,3,1,1,1,1,1,1';
  const channels = [boxBySlots(out.shape, out.box, out.slots).size[4], ...sources.map(channelsOf)];
  const rows = sources.every(({ row }) => !overLanes(row) && isNarrow(row, make.tensorOf));
  return three && rows && !overLanes(epilogue) && channels.every((count) => count % 16 === 0);
}

export function matrixConvSteps(call: Contraction, weight: CudaTensor, make: Maker): Step[] {
  const { window, sources, out, epilogue, op } = call;
  const { start, size } = boxBySlots(out.shape, out.box, out.slots);
  const [cases, ...space] = size;
  const turned = op === 'conv_transpose';
  const pad = window.pad.map((before) => (turned ? 2 - before : before));
  const inputs = sources.reduce((sum, source) => sum + channelsOf(source), 0) / 16;
  const outputs = size[4] / 16;
  const packed = pack(call, weight, make, { inputs, outputs, turned });
  const to = make.printer();
  const row = printRow(to, epilogue, { first: start[4], channels: size[4], lanes: LANES });
  const sums = row.sums.length * LANES;
  const [deep, high, wide] = TILE.map((length, i) => Math.ceil(space[i] / length));
  // As many tiles along d a block as leave blocks enough.
  const most = Math.max(1, Math.floor(SUM_BLOCKS / (cases * outputs * high * wide)));
  const run = Math.ceil(deep / Math.min(deep, most));
  const runs = Math.ceil(deep / run);
  const tiles = runs * high * wide;
  const blocks = tiles * cases * outputs;
  to.args.longs('start', start);
  to.args.longs('size', size);
  to.args.longs('pad', pad);
  for (const [name, value] of Object.entries({ tiles, high, wide, run: run * TILE[0], inputs, outputs }))
    to.args.long(name, value);
  to.args.pointer('packed', 'const Four', packed.address);
  const part = sums > 0 ? make.scratch(8 * blocks * 2 * sums) : 0;
  if (sums > 0) to.args.pointer('part', 'double', part);
  to.barriers = true;
  let before = 0;
  const parts = sources.map((one, s) => {
    const source = printSource(to, one, LANES);
    const region = boxBySlots(one.region.shape, one.region.box, one.region.slots);
    const first = `a.${to.longs('first', region.start.slice(1, 4))}`;
    const held = `a.${to.longs('held', region.size.slice(1, 4))}`;
    const from = `(int)a.${to.long('from', source.start)}`;
    const block = `(int)a.${to.long('block', before)}`;
    before += source.channels / 16;
    return `      for (int i = 0; i < (int)a.${to.long('blocks', source.channels / 16)}; i++) {
        __syncthreads();
        {
          const int ci = ${from} + 16 * i + 8 * half;
          ${source.begin(`f${s}`, 'ci')}
          for (int v = thread / 2; v < ${READ}; v += block_threads / 2) {
            const int iw = w0 - (int)a.pad[2] + v % ${TILE[2] + 2}, ih = h0 - (int)a.pad[1] + v / ${TILE[2] + 2} % ${TILE[1] + 2};
            const int id = d0 - (int)a.pad[0] + v / ${(TILE[2] + 2) * (TILE[1] + 2)};
            float y[8] = {0, 0, 0, 0, 0, 0, 0, 0};
            if (id >= ${first}[0] && id < ${first}[0] + ${held}[0] && ih >= ${first}[1] && ih < ${first}[1] + ${held}[1] &&
                iw >= ${first}[2] && iw < ${first}[2] + ${held}[2]) {
              ${source.load(`f${s}`, 'id, ih, iw', 'ci', 'y')}
            }
            tile[half * ${READ} + v] = eight_of(y);
          }
        }
        __syncthreads();
        multiply_tile(sum, tile, a.packed + (u32)((out * (int)a.inputs + ${block} + i) * 27 * 32 + lane), warp, lane);
      }
`;
  });
  const source = to.source(
    `  HM_SHARED(u32, words, ${WORDS});
  Four *const tile = (Four *)words;
  const int thread = threadIdx.x, warp = thread / 32, lane = thread % 32, half = thread % 2;
  const u32 place = blockIdx.x % (u32)a.tiles, group = blockIdx.x / (u32)a.tiles;
  const int out = (int)(group % (u32)a.outputs), n = (int)a.start[0] + (int)(group / (u32)a.outputs);
  const int w0 = (int)a.start[3] + ${TILE[2]} * (int)(place % (u32)a.wide), h0 = (int)a.start[2] + ${TILE[1]} * (int)(place / (u32)a.wide % (u32)a.high);
  const int begin = (int)a.start[1] + (int)(place / (u32)a.wide / (u32)a.high * (u32)a.run);
  const int end = min(begin + (int)a.run, (int)(a.start[1] + a.size[1]));
  const int c = (int)a.start[4] + 16 * out + 8 * half;
  const ${row.name}_fixed fixed = ${row.name}_begin(a, n, c, ${LANES});
  ${sums > 0 ? `double sums[${sums}];\n  for (int i = 0; i < ${sums}; i++) sums[i] = 0;` : 'double *const sums = 0;'}
  for (int d0 = begin; d0 < end; d0 += ${TILE[0]}) {
    float sum[${TILE[0]}][2][4];
    for (int d = 0; d < ${TILE[0]}; d++)
      for (int r = 0; r < 8; r++) sum[d][r / 4][r % 4] = 0;
${parts.join('')}    __syncthreads();
    float *const results = (float *)words;
    for (int d = 0; d < ${TILE[0]}; d++)
      for (int r = 0; r < 8; r++) {
        const int v = (d * ${TILE[1]} + warp) * ${TILE[2]} + lane / 4 + 8 * (r % 4 / 2);
        results[v * ${STEP} + 8 * (r / 4) + 2 * (lane % 4) + r % 2] = sum[d][r / 4][r % 4];
      }
    __syncthreads();
    for (int v = thread / 2; v < ${TILE[0] * TILE[1] * TILE[2]}; v += block_threads / 2) {
      const int d = d0 + v / ${TILE[1] * TILE[2]}, h = h0 + v / ${TILE[2]} % ${TILE[1]}, w = w0 + v % ${TILE[2]};
      if (d >= end || h >= (int)(a.start[2] + a.size[2]) || w >= (int)(a.start[3] + a.size[3])) continue;
      float x[8];
      HM_LANES(8) x[l] = results[v * ${STEP} + 8 * half + l];
      ${row.name}(a, fixed, n, d, h, w, c, ${LANES}, x, sums);
    }
  }
${sums === 0 ? '' : SUMS(sums)}`,
    {
      head: `${nativeText('matrix.h')}${MULTIPLY}`,
      // One block multiplies while another one loads, unless the sources' rows need all registers.
      together: sources.every(({ row: { registers } }) => registers < LARGE) ? 2 : 1,
    },
  );
  const ends = row.sums.flatMap(({ operand: number }, k) => {
    const operand = epilogue.operands[number];
    if (operand.kind !== 'tensor') return [];
    const step = [outputs * 2 * tiles * sums, 0, 0, 0, tiles * sums];
    const partial = { part: part + 8 * k * LANES, step, lanes: LANES, tiles, tileStep: sums };
    return [finish(make, out, operand.value, partial)];
  });
  return [packed.step, { source, blocks, args: to.args.bytes }, ...ends];
}

/** The two halves of the channels apart. */
const SUMS = (sums: number): string => `  for (int part = 0; part < 2; part++) {
    double own[${sums}];
    for (int i = 0; i < ${sums}; i++) own[i] = part == half ? sums[i] : 0.0;
    __syncthreads();
    block_sums_in((double *)words, own, a.part + ((i64)(group * 2 + part) * a.tiles + place) * ${sums});
  }
`;

const MULTIPLY = `// Adds the products of one block of channels: a line of each plane for the warp, at the places of the kernel.
HM_FN void multiply_tile(float (&sum)[${TILE[0]}][2][4], const Four *tile, const Four *packed, int warp, int lane) {
  const int row = lane % 8 + lane / 8 % 2 * 8, half = lane / 16;
#pragma unroll 1
  for (int kh = 0; kh < 3; kh++)
#pragma unroll 1
    for (int kw = 0; kw < 3; kw++) {
      Four b[3];
#pragma unroll
      for (int kd = 0; kd < 3; kd++) b[kd] = packed[((kd * 3 + kh) * 3 + kw) * 32];
#pragma unroll
      for (int z = 0; z < ${TILE[0] + 2}; z++) {
        u32 m[4];
        load_matrix<false>(m, tile + half * ${READ} + (z * ${TILE[1] + 2} + warp + kh) * ${TILE[2] + 2} + kw + row);
#pragma unroll
        for (int kd = 0; kd < 3; kd++) {
          const int d = z - kd;
          if (d < 0 || d >= ${TILE[0]}) continue;
          add_product(sum[d < 0 || d >= ${TILE[0]} ? 0 : d][0], m, b[kd].x[0], b[kd].x[1]);
          add_product(sum[d < 0 || d >= ${TILE[0]} ? 0 : d][1], m, b[kd].x[2], b[kd].x[3]);
        }
      }
    }
}
`;

/** Weights in the order in which warps load them. */
function pack(
  { weight: { slots, box } }: Contraction,
  weight: CudaTensor,
  make: Maker,
  sizes: { readonly inputs: number; readonly outputs: number; readonly turned: boolean },
): { address: number; step: Step } {
  const { inputs, outputs, turned } = sizes;
  const count = inputs * outputs * 27 * 32;
  const address = make.scratch(16 * count);
  const args = new Arguments();
  args.anyView('from', weight.dtype, weight.address, placed(weight, slots));
  args.pointer('to', 'Four', address);
  args.longs('start', boxBySlots(weight.shape, box, slots).start);
  for (const [name, value] of Object.entries({ inputs, outputs, turned: Number(turned), count }))
    args.long(name, value);
  return { address, step: fixedStep('pack', args, count) };
}
