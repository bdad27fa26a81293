import type { Three } from '../../calls/index.ts';
import { boxBySlots } from '../../formats/index.ts';
import { nativeText } from '../library.ts';
import type { Maker, Step } from '../maker.ts';
import type { CudaTensor } from '../tensors.ts';
import { takesMatrix } from './matrix-conv.ts';
import { Ending, pack, STEP, SUMS_WORDS } from './matrix-parts.ts';
import { THREADS } from './printer.ts';
import { BLOCK, blocksOf, type Contraction, product, slabOf, tileSource } from './tile.ts';
import { tilesIn } from './tiles-of-box.ts';
import { titleOf } from './window.ts';

// Transposed convolutions of bfloat16 images on tensor cores whose kernel is as long as its stride, so that every position of the input
// makes a box of outputs of its own. A block has tiles of 8 x 16 positions of the input and 16 channels of the output, one tile behind the
// other along d; a warp has a line, and sums of all places of the kernel.

const TILE: Three = [1, 8, 16];
/** Most places of the kernel: their sums take 8 registers each. */
const MOST_PLACES = 8;

/** Whether {@link matrixTransposeSteps} does a call. */
export function takesMatrixTranspose(call: Contraction, make: Maker): boolean {
  const { op, window } = call;
  const apart = window.kernel.every((length, i) => length === window.stride[i]);
  const few = product(window.kernel) <= MOST_PLACES && product(window.dilation) === 1;
  return op === 'conv_transpose' && apart && few && takesMatrix(call, make);
}

export function matrixTransposeSteps(call: Contraction, weight: CudaTensor, make: Maker): Step[] {
  const { window, sources, out } = call;
  const { kernel, pad } = window;
  const { start, size } = boxBySlots(out.shape, out.box, out.slots);
  const [cases] = size;
  // Positions of the input that make the box.
  const first = kernel.map((length, i) => Math.floor((start[i + 1] + pad[i]) / length));
  const count = kernel.map(
    (length, i) => Math.floor((start[i + 1] + size[i + 1] - 1 + pad[i]) / length) - first[i] + 1,
  );
  const inputs = sources.reduce((sum, source) => sum + blocksOf(source), 0);
  const outputs = size[4] / BLOCK;
  const packed = pack(call, weight, make, { inputs, outputs, turned: false });
  const to = make.printer();
  to.title = `${titleOf(call.op, call.window)}, tensor cores`;
  const { tiles, high, wide, run } = tilesIn(count, TILE, cases * outputs);
  const ending = new Ending(make, to, call, { tiles, outputs, cases });
  to.args.longs('start', start);
  to.args.longs('size', size);
  to.args.longs('first', first);
  for (const [name, value] of Object.entries({ tiles, high, wide, run, inputs, outputs, deep: count[0] }))
    to.args.long(name, value);
  to.args.pointer('packed', 'const Four', packed.address);
  to.barriers = true;
  const places = product(kernel);
  // Results of one line of the kernel at a time lie in shared memory.
  const [slab, rounds] = [slabOf(product(TILE)), kernel[0] * kernel[1]];
  const words = Math.max(8 * slab, product(TILE) * kernel[2] * STEP, SUMS_WORDS);
  let before = 0;
  const parts = sources.map((one) => {
    const source = tileSource(to, one);
    const block = `(int)a.${to.long('block', before)}`;
    const blocks = `(int)a.${to.long('blocks', blocksOf(one))}`;
    before += blocksOf(one);
    const tile = { into: 'tile', shape: TILE, block: 'i', threads: THREADS, slab };
    return `      for (int i = 0; i < ${blocks}; i++) {
        __syncthreads();
${source.load({ ...tile, from: ['u', 'h0', 'w0'] })}        __syncthreads();
        u32 m[4];
        load_matrix<false>(m, tile + lane / 16 * ${slab} + warp * ${TILE[2]} + lane % 16);
        const Four *const packed = a.packed + (u32)((out * (int)a.inputs + ${block} + i) * ${places * 32} + lane);
#pragma unroll
        for (int k = 0; k < ${places}; k++) {
          const Four b = packed[k * 32];
          add_product(sum[k][0], m, b.x[0], b.x[1]);
          add_product(sum[k][1], m, b.x[2], b.x[3]);
        }
      }
`;
  });
  const source = to.source(
    `  HM_ROOM(u32, words, ${words + ending.bytes / 4});
  Four *const tile = (Four *)words;
  float *const results = (float *)words;
  const int thread = threadIdx.x, warp = thread / 32, lane = thread % 32, half = thread % 2;
  const u32 place = blockIdx.x % (u32)a.tiles, group = blockIdx.x / (u32)a.tiles;
  const int out = (int)(group % (u32)a.outputs), n = (int)a.start[0] + (int)(group / (u32)a.outputs);
  const int w0 = (int)a.first[2] + ${TILE[2]} * (int)(place % (u32)a.wide), h0 = (int)a.first[1] + ${TILE[1]} * (int)(place / (u32)a.wide % (u32)a.high);
  const int begin = (int)(place / (u32)a.wide / (u32)a.high * (u32)a.run), end = min(begin + (int)a.run, (int)a.deep);
${ending.begin(words)}  for (int i0 = begin; i0 < end; i0++) {
    const int u = (int)a.first[0] + i0;
    float sum[${places}][2][4];
    for (int k = 0; k < ${places}; k++)
      for (int r = 0; r < 8; r++) sum[k][r / 4][r % 4] = 0;
${parts.join('')}#pragma unroll
    for (int line = 0; line < ${rounds}; line++) {
      __syncthreads();
      for (int k = 0; k < ${kernel[2]}; k++)
        for (int r = 0; r < 8; r++) {
          const int v = (warp * ${TILE[2]} + lane / 4 + 8 * (r % 4 / 2)) * ${kernel[2]} + k;
          results[v * ${STEP} + 8 * (r / 4) + 2 * (lane % 4) + r % 2] = sum[line * ${kernel[2]} + k][r / 4][r % 4];
        }
      __syncthreads();
${ending.tile(
  product(TILE) * kernel[2],
  `        const int d = u * ${kernel[0]} - ${pad[0]} + line / ${kernel[1]}, h = (h0 + v / ${TILE[2] * kernel[2]}) * ${kernel[1]} - ${pad[1]} + line % ${kernel[1]};
        const int w = w0 * ${kernel[2]} - ${pad[2]} + v % ${TILE[2] * kernel[2]};
        if (d < (int)a.start[1] || d >= (int)(a.start[1] + a.size[1]) || h < (int)a.start[2] || h >= (int)(a.start[2] + a.size[2]) ||
            w < (int)a.start[3] || w >= (int)(a.start[3] + a.size[3])) continue;
`,
)}    }
  }
${ending.end}`,
    { head: nativeText('matrix.h'), together: 2, shared: 4 * words + ending.bytes },
  );
  return [
    ...packed.steps,
    { source, blocks: tiles * cases * outputs, args: to.args.bytes },
    ...ending.steps(),
  ];
}
