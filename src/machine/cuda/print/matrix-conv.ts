import type { Three, WindowThree } from '../../calls/index.ts';
import { boxBySlots } from '../../formats/index.ts';
import { nativeText } from '../library.ts';
import type { Maker, Step } from '../maker.ts';
import type { CudaTensor } from '../tensors.ts';
import { Ending, pack, STEP, SUMS_WORDS } from './matrix-parts.ts';
import { THREADS } from './printer.ts';
import { overLanes } from './row.ts';
import {
  BLOCK,
  blocksOf,
  type Contraction,
  channelsOf,
  product,
  readBy,
  slabOf,
  takesTile,
  tileSource,
} from './tile.ts';
import { placeInTile, placeOfBlock, tilesIn } from './tiles-of-box.ts';
import { titleOf } from './window.ts';

// Convolutions of bfloat16 images on tensor cores, any window, and the gradients of those without a stride. A block computes tiles of up to
// 4 x 8 x 16 positions and 16 channels, one tile behind the other along d. Sixteen channels of what a tile reads at a time lie in shared
// memory, rounded to bfloat16 after the source's row; a warp has a line of each plane, and without a stride what it loads serves all planes
// that read it. Sums of every position go by source, channels, kernel along h, w and d, wherever the tile begins.

/** Bytes of shared memory: most for tiles, so that with sums every device has them, and what needs not be asked for. */
const [SHARED, DECLARED] = [64 << 10, 48 << 10];
/** Products a position below which the general kernel waits for memory alone. */
const FEWEST = 24;

/** The window of what a call gathers: of a gradient the one from the last place to the first. */
function gathered({ op, window }: Contraction): WindowThree {
  if (op === 'conv') return window;
  const { kernel, dilation, pad } = window;
  return { ...window, pad: pad.map((x, i) => dilation[i] * (kernel[i] - 1) - x) as unknown as Three };
}

/** The tile, what it reads, and the words of shared memory that take it or its results. */
function tileOf(window: WindowThree) {
  for (const planes of [4, 2, 1]) {
    const tile: Three = [planes, 8, 16];
    const read = readBy(tile, window);
    const words = Math.max(8 * slabOf(product(read)), product(tile) * STEP, SUMS_WORDS);
    if (4 * words <= SHARED) return { tile, read, words };
  }
  return undefined;
}

/** Whether tensor cores can do a contraction, whatever its window. */
export function takesMatrix({ window, sources, out, epilogue }: Contraction, make: Maker): boolean {
  const outputs = boxBySlots(out.shape, out.box, out.slots).size[4];
  const inputs = sources.reduce((sum, source) => sum + channelsOf(source), 0);
  return (
    outputs % BLOCK === 0 &&
    inputs * product(window.kernel) >= FEWEST &&
    !overLanes(epilogue) &&
    sources.every((source) => takesTile(source, make))
  );
}

/** Whether {@link matrixConvSteps} does a call. */
export function takesMatrixConv(call: Contraction, make: Maker): boolean {
  const straight = call.op === 'conv' || product(call.window.stride) === 1;
  return straight && takesMatrix(call, make) && tileOf(gathered(call)) !== undefined;
}

export function matrixConvSteps(call: Contraction, weight: CudaTensor, make: Maker): Step[] {
  const { sources, out, op } = call;
  const window = gathered(call);
  const { tile, read, words } = tileOf(window)!;
  const { start, size } = boxBySlots(out.shape, out.box, out.slots);
  const [cases, ...space] = size;
  const inputs = sources.reduce((sum, source) => sum + blocksOf(source), 0);
  const outputs = size[4] / BLOCK;
  const packed = pack(call, weight, make, { inputs, outputs, turned: op === 'conv_transpose' });
  const to = make.printer();
  to.title = `${titleOf(op, call.window)}, tensor cores`;
  const { tiles, high, wide, run } = tilesIn(space, tile, cases * outputs);
  const ending = new Ending(make, to, call, { tiles, outputs, cases });
  to.args.longs('start', start);
  to.args.longs('size', size);
  for (const [name, value] of Object.entries({ tiles, high, wide, run: run * tile[0], inputs, outputs }))
    to.args.long(name, value);
  to.args.pointer('packed', 'const Four', packed.address);
  to.barriers = true;
  const { pad, stride } = window;
  const from = ['d', 'h', 'w'].map((axis, i) => `${axis}0 * ${stride[i]} - ${pad[i]}`);
  const slab = slabOf(product(read));
  const places = product(window.kernel);
  let before = 0;
  const parts = sources.map((one) => {
    const source = tileSource(to, one);
    const first = `(int)a.${to.long('block', before)}`;
    const blocks = `(int)a.${to.long('blocks', blocksOf(one))}`;
    before += blocksOf(one);
    const [d, h, w] = from;
    return `      for (int i = 0; i < ${blocks}; i++) {
        __syncthreads();
${source.load({ into: 'tile', shape: read, from: [d, h, w], block: 'i', threads: THREADS, slab })}        __syncthreads();
        multiply_tile(sum, tile, a.packed + (u32)((out * (int)a.inputs + ${first} + i) * ${places * 32} + lane), warp, lane);
      }
`;
  });
  const bytes = 4 * words + ending.bytes;
  const declared = bytes <= DECLARED;
  const source = to.source(
    `  ${declared ? 'HM_SHARED' : 'HM_ROOM'}(u32, words, ${bytes / 4});
  Four *const tile = (Four *)words;
  const int thread = threadIdx.x, warp = thread / 32, lane = thread % 32, half = thread % 2;
${placeOfBlock(tile)}${ending.begin(words)}  for (int d0 = begin; d0 < end; d0 += ${tile[0]}) {
    float sum[${tile[0]}][2][4];
    for (int d = 0; d < ${tile[0]}; d++)
      for (int r = 0; r < 8; r++) sum[d][r / 4][r % 4] = 0;
${parts.join('')}    __syncthreads();
    float *const results = (float *)words;
    for (int d = 0; d < ${tile[0]}; d++)
      for (int r = 0; r < 8; r++) {
        const int v = (d * ${tile[1]} + warp) * ${tile[2]} + lane / 4 + 8 * (r % 4 / 2);
        results[v * ${STEP} + 8 * (r / 4) + 2 * (lane % 4) + r % 2] = sum[d][r / 4][r % 4];
      }
    __syncthreads();
${ending.tile(product(tile), placeInTile(tile))}  }
${ending.end}`,
    {
      head: `${nativeText('matrix.h')}${multiply(window, tile, read)}`,
      // One block multiplies while another one loads.
      together: 2,
      ...(declared ? {} : { shared: bytes }),
    },
  );
  return [
    ...packed.steps,
    { source, blocks: tiles * cases * outputs, args: to.args.bytes },
    ...ending.steps(),
  ];
}

/** The products of a block of channels. */
function multiply({ kernel, stride, dilation }: WindowThree, tile: Three, read: Three): string {
  const slab = slabOf(product(read));
  const at = (z: string) =>
    `tile + half * ${slab} + ((${z}) * ${read[1]} + warp * ${stride[1]} + kh * ${dilation[1]}) * ${read[2]} + kw * ${dilation[2]} + row * ${stride[2]}`;
  const products = (d: string) => `add_product(sum[${d}][0], m, b[kd].x[0], b[kd].x[1]);
          add_product(sum[${d}][1], m, b[kd].x[2], b[kd].x[3]);`;
  const inside = `d < 0 || d >= ${tile[0]}`;
  // Without a stride a line of the tile is loaded once for all planes that read it.
  const planes =
    stride[0] === 1 && dilation[0] === 1
      ? `      for (int z = 0; z < ${read[0]}; z++) {
        u32 m[4];
        load_matrix<false>(m, ${at('z')});
#pragma unroll
        for (int kd = 0; kd < ${kernel[0]}; kd++) {
          const int d = z - kd;
          if (${inside}) continue;
          ${products(`${inside} ? 0 : d`)}
        }
      }`
      : `      for (int d = 0; d < ${tile[0]}; d++)
#pragma unroll
        for (int kd = 0; kd < ${kernel[0]}; kd++) {
          u32 m[4];
          load_matrix<false>(m, ${at(`d * ${stride[0]} + kd * ${dilation[0]}`)});
          ${products('d')}
        }`;
  return `// Adds the products of one block of channels: a line of each plane for the warp, at the places of the kernel.
HM_FN void multiply_tile(float (&sum)[${tile[0]}][2][4], const Four *tile, const Four *packed, int warp, int lane) {
  const int row = lane % 8 + lane / 8 % 2 * 8, half = lane / 16;
#pragma unroll 1
  for (int kh = 0; kh < ${kernel[1]}; kh++)
#pragma unroll 1
    for (int kw = 0; kw < ${kernel[2]}; kw++) {
      Four b[${kernel[0]}];
#pragma unroll
      for (int kd = 0; kd < ${kernel[0]}; kd++) b[kd] = packed[((kd * ${kernel[1]} + kh) * ${kernel[2]} + kw) * 32];
#pragma unroll
${planes}
    }
}
`;
}
