import { boxBySlots, presentIn } from '../../formats/index.ts';
import type { Maker, Step } from '../maker.ts';
import { type CudaTensor, placed } from '../tensors.ts';
import { Ending, STEP, SUMS_WORDS } from './matrix-parts.ts';
import { overLanes } from './row.ts';
import { BLOCK, type Contraction, channelsOf, product } from './tile.ts';
import { loadFloats } from './tiled.ts';
import { placeInTile, placeOfBlock, tilesIn } from './tiles-of-box.ts';
import { titleOf } from './window.ts';

// 3x3x3 convolutions in float32, and their gradients for the input. A block computes tiles of 4 x 8 x 16 positions and 16 channels, one
// behind the other along d; four channels of what it reads and their weights lie in shared memory. A thread has 8 positions of a line and
// 4 channels: 96 multiply-adds for 5 loads of pairs and 3 of fours from there, where the general kernel loads five times for 16 and
// evaluates the source's row 27 times. Sums of every position go by source, channel, kernel along h, d and w, wherever the tile begins.

const TILE = [4, 8, 16] as const;
const READ = [TILE[0] + 2, TILE[1] + 2, TILE[2] + 2] as const;
/** Channels in shared memory at a time. */
const CHANNELS = 4;
const SLAB = product(READ);
const WORDS = Math.max(CHANNELS * SLAB + CHANNELS * 27 * BLOCK, product(TILE) * STEP, SUMS_WORDS);

/** Whether {@link tiledConvSteps} does a call. */
export function takesTiledConv({ window, sources, out, epilogue }: Contraction): boolean {
  const three = [...window.kernel, ...window.stride, ...window.dilation].join() === '3,3,3,1,1,1,1,1,1';
  const outputs = boxBySlots(out.shape, out.box, out.slots).size[4];
  const rows = [epilogue, ...sources.map(({ row }) => row)];
  return three && outputs % BLOCK === 0 && rows.every((row) => !overLanes(row) && !row.wide);
}

export function tiledConvSteps(call: Contraction, weight: CudaTensor, make: Maker): Step[] {
  const { window, sources, out, op } = call;
  const { slots } = call.weight;
  const turned = op === 'conv_transpose';
  const pad = window.pad.map((before) => (turned ? 2 - before : before));
  const { start, size } = boxBySlots(out.shape, out.box, out.slots);
  const [cases, ...space] = size;
  const outputs = size[4] / BLOCK;
  const to = make.printer();
  to.title = `${titleOf(op, window)}, tiles`;
  const { tiles, high, wide, run } = tilesIn(space, TILE, cases * outputs);
  const ending = new Ending(make, to, call, { tiles, outputs, cases });
  to.args.longs('start', start);
  to.args.longs('size', size);
  for (const [name, value] of Object.entries({ tiles, high, wide, run: run * TILE[0], outputs }))
    to.args.long(name, value);
  const view = `a.${to.view(weight, placed(weight, slots), presentIn(weight.shape, slots))}`;
  const first = boxBySlots(weight.shape, call.weight.box, slots).start;
  to.barriers = true;
  let channel = first[0];
  const [d, h, w] = ['d', 'h', 'w'].map((axis, i) => `${axis}0 - ${pad[i]}`);
  const parts = sources.map((one) => {
    const channels = channelsOf(one);
    const count = `(int)a.${to.long('count', channels)}`;
    const row = `(int)a.${to.long('row', channel)}`;
    channel += channels;
    const load = loadFloats(to, one);
    return `    for (int i = 0; i < ${count}; i += ${CHANNELS}) {
      __syncthreads();
${load({ into: 'xs', shape: READ, from: [d, h, w], channel: 'i', channels: CHANNELS, slab: SLAB })}      for (int v = thread; v < ${CHANNELS * 27 * BLOCK}; v += block_threads) {
        const int o = v % ${BLOCK}, k = ${turned ? '26 - ' : ''}v / ${BLOCK} % 27, j = v / ${27 * BLOCK};
        ws[v] = i + j < ${count} ? get<float>(${view}, ${row} + i + j, k / 9, k / 3 % 3, k % 3, (int)a.${to.long('column', first[4])} + ${BLOCK} * out + o) : 0.0f;
      }
      __syncthreads();
      multiply_tile(sum, xs + line, ws + 4 * group4, min(${CHANNELS}, ${count} - i));
    }
`;
  });
  const bytes = 4 * WORDS + ending.bytes;
  const source = to.source(
    `  HM_ROOM(u32, words, ${bytes / 4});
  float *const xs = (float *)words, *const ws = xs + ${CHANNELS * SLAB}, *const results = xs;
  const int thread = threadIdx.x, half = thread % 2;
  // Of the products: which channels, where in a line, which line, which plane.
  const int group4 = thread % 4, side = thread / 4 % 2, lineh = thread / 8 % ${TILE[1]}, plane = thread / 64;
  const int line = (plane * ${READ[1]} + lineh) * ${READ[2]} + 8 * side;
${placeOfBlock(TILE)}${ending.begin(WORDS)}  for (int d0 = begin; d0 < end; d0 += ${TILE[0]}) {
    float sum[8][4];
    for (int r = 0; r < 32; r++) sum[r / 4][r % 4] = 0;
${parts.join('')}    __syncthreads();
    for (int r = 0; r < 32; r++)
      results[(plane * ${TILE[1] * TILE[2]} + lineh * ${TILE[2]} + 8 * side + r / 4) * ${STEP} + 4 * group4 + r % 4] = sum[r / 4][r % 4];
    __syncthreads();
${ending.tile(product(TILE), placeInTile(TILE))}  }
${ending.end}`,
    { head: MULTIPLY, together: 2, shared: bytes },
  );
  return [{ source, blocks: tiles * cases * outputs, args: to.args.bytes }, ...ending.steps()];
}

const MULTIPLY = `// Adds the products of some channels: 8 positions of a line, 4 channels of the output.
HM_FN void multiply_tile(float (&sum)[8][4], const float *line, const float *weights, int channels) {
#pragma unroll 1
  for (int j = 0; j < channels; j++)
#pragma unroll 1
    for (int kh = 0; kh < 3; kh++)
#pragma unroll
      for (int kd = 0; kd < 3; kd++) {
        const float *const from = line + j * ${SLAB} + (kd * ${READ[1]} + kh) * ${READ[2]};
        float x[10];
#pragma unroll
        for (int p = 0; p < 5; p++) {
          const Pack<float, 2> two = *(const Pack<float, 2> *)(from + 2 * p);
          x[2 * p] = two.x[0], x[2 * p + 1] = two.x[1];
        }
#pragma unroll
        for (int kw = 0; kw < 3; kw++) {
          const Pack<float, 4> k = *(const Pack<float, 4> *)(weights + (j * 27 + kd * 9 + kh * 3 + kw) * ${BLOCK});
#pragma unroll
          for (int p = 0; p < 8; p++) HM_LANES(4) sum[p][l] = fma_of(x[p + kw], k.x[l], sum[p][l]);
        }
      }
}
`;
