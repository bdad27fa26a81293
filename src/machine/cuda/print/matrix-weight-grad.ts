import type { CallOf, Three } from '../../calls/index.ts';
import { boxBySlots, five } from '../../formats/index.ts';
import { nativeText } from '../library.ts';
import type { Maker, Step } from '../maker.ts';
import type { CudaTensor } from '../tensors.ts';
import { finishedEach, finishedTogether } from './finished.ts';
import { slabsOf, withPlanes } from './slabs.ts';
import {
  BLOCK,
  blocksOf,
  canFinish,
  channelsOf,
  overlaps,
  product,
  readBy,
  readsOf,
  slabOf,
  takesTile,
  tileSource,
} from './tile.ts';
import { ends } from './weight-grad-sums.ts';
import { titleOf } from './window.ts';

// Gradients of weights of bfloat16 images on tensor cores, any window. A block has 16 channels of the input and 16 of the output, and takes
// cells: both images of one, or of a piece of one, lie in shared memory, the positions are the depth of the products. Some warps load
// pieces while the others multiply. Of these each has some places of the kernel; where there are fewer places than warps, warps share out
// the positions. Products are summed in float32 within a cell, in one order wherever a rank's part begins; cells are added in float64, by
// thread and `finish`.

type Call = CallOf<'conv_weight_grad'>;

/** Blocks of all weights together, where there are cells enough: two for every multiprocessor of an H100. */
const BLOCKS = 264;
/** Threads of a block: as many as leave 168 registers each. */
const BLOCK_THREADS = 384;
/** Bytes of shared memory: what every device has. Fewest pieces that lie there at a time, and most. */
const SHARED = 96 << 10;
const [FEWEST_STAGES, MOST_STAGES] = [2, 4];
/** Most places of the kernel a warp. */
const MOST_PLACES = 4;

/** How a call is cut, if it can be; cells of less than the depth of a product, those of tiny images, are not worth it. */
function planOf({ window, cell }: Call) {
  const places = product(window.kernel);
  // Two warps for each of the four parts of a multiprocessor: with nine, three of them would wait for the fourth.
  const each = places <= 9 ? 1 : Math.ceil(places / 8);
  const warps = places < 8 ? 8 : Math.ceil(places / each);
  const shares = places < warps ? Math.floor(warps / places) : 1;
  const piece: [number, number, number] = [...cell];
  const slabs = () => {
    const positions = Math.ceil(product(piece) / 16) * 16;
    return { x: slabOf(product(readBy(piece, window))), y: slabOf(positions), steps: positions / 16 };
  };
  const stage = () => 32 * (slabs().x + slabs().y);
  const bytes = () => FEWEST_STAGES * stage();
  for (const axis of [0, 1, 2])
    while (bytes() > SHARED && piece[axis] % 2 === 0 && product(piece) > 16) piece[axis] /= 2;
  if (each > MOST_PLACES || bytes() > SHARED || product(cell) < 16) return undefined;
  const stages = Math.min(Math.floor(SHARED / stage()), MOST_STAGES);
  return { places, warps, each, shares, piece: piece as Three, stages, shared: stages * stage(), ...slabs() };
}

export function takesMatrixWeightGrad(call: Call, make: Maker): boolean {
  const { x, dy, into } = call;
  const kernel = five(into.value.shape, into.slots, (i) => into.box[i].end - into.box[i].start, 1);
  const inputs = x.reduce((sum, source) => sum + channelsOf(source), 0);
  const whole = inputs === kernel[0] && channelsOf(dy) === kernel[4];
  return whole && [...x, dy].every((source) => takesTile(source, make)) && planOf(call) !== undefined;
}

/** A call whose images lie ready as far as that is worth it, and the launches before it. */
function ready(call: Call, make: Maker): { readonly call: Call; readonly before: readonly Step[] } {
  // The few threads that load are slow at long rows.
  const often = readsOf(call.x, (overlaps(call.window) ? 2 : 1) * blocksOf(call.dy)) > 1;
  const together = often && call.x.every((source) => canFinish(source, make));
  const x = together ? finishedTogether(call.x, make) : { source: undefined, before: [] };
  const inputs = call.x.reduce((sum, source) => sum + blocksOf(source), 0);
  const dy = finishedEach([call.dy], readsOf([call.dy], inputs), make);
  const sources = x.source === undefined ? call.x : [x.source];
  return { call: { ...call, x: sources, dy: dy.sources[0] }, before: [...x.before, ...dy.before] };
}

export function matrixWeightGradSteps(make: Maker, call: Call, result: CudaTensor): Step[] {
  const { window, dy, cell } = call;
  const { places, shares } = planOf(call)!;
  const [inputs, outputs] = [call.x.reduce((sum, source) => sum + blocksOf(source), 0), blocksOf(dy)];
  const one = outputs * places * inputs * BLOCK * BLOCK;
  const slabs = slabsOf(dy.region, [...call.x, dy], cell[0], make).map((slab) => {
    const [stride, pad, reach] = [
      window.stride[0],
      window.pad[0],
      window.dilation[0] * (window.kernel[0] - 1),
    ];
    const read = { begin: slab.begin * stride - pad, end: (slab.end - 1) * stride - pad + reach + 1 };
    const region = withPlanes(dy.region, slab);
    const parts = call.x.map((source) => ({ ...source, region: withPlanes(source.region, read) }));
    return { ...call, x: parts, dy: { ...dy, region } };
  });
  const counts = slabs.map((slab) => segmentsOf(slab, inputs * outputs));
  const tiles = counts.reduce((sum, count) => sum + count * shares, 0);
  const part = make.scratch(8 * tiles * one);
  let before = 0;
  const steps = make.inTurn(
    slabs.map((slab, i) => () => {
      const { call: own, before: first } = ready(slab, make);
      const at = part + 8 * before * one;
      before += counts[i] * shares;
      return { x: own.x, steps: [...first, slabStep(make, own, at)] };
    }),
  );
  return [
    ...steps.flatMap(({ steps }) => steps),
    ...ends({ ...call, x: steps[0].x }, result, { part, places, inputs, tiles, one }),
  ];
}

/** The cells of a call: the first along each axis, how many there are, and all of all cases. */
function cellsOf({ dy, cell }: Call) {
  const { start, size } = boxBySlots(dy.region.shape, dy.region.box, dy.region.slots);
  const first = cell.map((length, i) => Math.floor(start[i + 1] / length));
  const cells = cell.map((length, i) => Math.floor((start[i + 1] + size[i + 1] - 1) / length) - first[i] + 1);
  return { start, first, cells, all: size[0] * product(cells) };
}

/** Blocks of threads that share the cells of a pair of blocks of channels. */
const segmentsOf = (call: Call, pairs: number): number =>
  Math.max(1, Math.min(cellsOf(call).all, Math.floor(BLOCKS / pairs)));

/** The launch over the cells of a slab, whose sums go to `part`. */
function slabStep(make: Maker, call: Call, part: number): Step {
  const { window, x, dy, cell } = call;
  const { places, warps, each, shares, piece, stages, shared, ...slabs } = planOf(call)!;
  // Pieces whose copies are on their way while the next ones are asked for; a third stage is what that takes.
  const behind = stages > 2 ? 1 : 0;
  const { start, first, cells, all } = cellsOf(call);
  const [inputs, outputs] = [x.reduce((sum, source) => sum + blocksOf(source), 0), blocksOf(dy)];
  const segments = segmentsOf(call, inputs * outputs);
  const threads = BLOCK_THREADS - 32 * warps;
  const to = make.printer();
  to.title = `${titleOf('conv_weight_grad', call.window)}, tensor cores`;
  const images = x.map((source) => tileSource(to, source));
  const other = tileSource(to, dy);
  to.args.longs('start', start);
  to.args.longs('cell_first', first);
  to.args.longs('cells', cells);
  for (const [name, value] of Object.entries({ segments, inputs, outputs, all })) to.args.long(name, value);
  to.args.pointer('part', 'double', part);
  to.barriers = true;
  const [read, { stride, kernel, dilation, pad }] = [readBy(piece, window), window];
  const at = (i: number, axis: string) => `${axis}0 * ${stride[i]} - ${pad[i]}`;
  // A single image that lies ready is copied by what was worked out before all pieces.
  const tileOfX = { shape: read, threads, waits: true };
  const tileOfY = { shape: piece, threads, waits: true };
  const prepared = images.length === 1 ? (images[0].prepare?.(tileOfX) ?? '') : '';
  const preparedY = other.prepare?.(tileOfY) ?? '';
  let before = 0;
  const loads = images.map((image, s) => {
    const own = s === 0 ? 'in' : `in - (int)a.${to.long('block', before)}`;
    before += blocksOf(x[s]);
    const from = [at(0, 'd'), at(1, 'h'), at(2, 'w')] as const;
    const load = image.load({ ...tileOfX, into: 'xs', from, block: own, slab: slabs.x }, prepared !== '');
    return s === images.length - 1 ? load : `if (in < (int)a.${to.long('limit', before)}) ${load} else `;
  });
  const steps = [0, 1, 2].map((i) => cell[i] / piece[i]);
  // Of position q of a piece: where the window of (d, h, w) begins in the slab of the input.
  const begins = `(q / ${piece[1] * piece[2]} * ${stride[0]} * ${read[1]} + q / ${piece[2]} % ${piece[1]} * ${stride[1]}) * ${read[2]} + q % ${piece[2]} * ${stride[2]}`;
  const pieces = (each: string): string => `  u32 piece = 0;
  for (u32 p = segment; p < (u32)a.all; p += (u32)a.segments) {
    u32 rest = p;
    int cell[3];
    for (int k = 2; k >= 0; k--) cell[k] = (int)(a.cell_first[k] + rest % (u32)a.cells[k]), rest /= (u32)a.cells[k];
    const int n = (int)(a.start[0] + rest);
${each}  }
`;
  // What lies in shared memory at a time; a stage is full, and then free again, when all threads have come.
  const stage = `const int stage = piece % ${stages};
      Four *const xs = room + stage * ${2 * (slabs.x + slabs.y)}, *const ys = xs + ${2 * slabs.x};
`;
  const [FULL, FREE] = [1, 1 + stages];
  // Sixteen positions side by side make a step of the products' depth.
  const lines = piece[2] === 16 && shares === 1;
  const straight = `      const Four *const from = xs + (lane / 16 * 8 + lane % 8) * ${stride[2]} + lane / 8 % 2 * ${slabs.x};
      const Four *const gradient = ys + lane / 16 * ${slabs.y} + lane % 16;
#pragma unroll
      for (int k = 0; k < ${slabs.steps}; k++) {
        u32 b[4];
        load_matrix<true>(b, gradient + 16 * k);
#pragma unroll
        for (int j = 0; j < ${each}; j++) {
          u32 m[4];
          load_matrix<true>(m, from + offset[j] + (k / ${piece[1]} * ${stride[0] * read[1]} + k % ${piece[1]} * ${stride[1]}) * ${read[2]});
          add_product(sum[j][0], m, b[0], b[1]);
          add_product(sum[j][1], m, b[2], b[3]);
        }
      }
`;
  const general = `#pragma unroll 1
      for (int k = share; k < ${slabs.steps}; k += ${shares}) {
        // Lanes tell where the 8 x 8 quarters of a matrix lie: their positions, and which of them.
        const int q = min(16 * k + lane / 16 * 8 + lane % 8, ${product(piece) - 1}), quarter = lane / 8;
        const int from = ${begins} + quarter % 2 * ${slabs.x};
        u32 b[4];
        load_matrix<true>(b, ys + quarter / 2 * ${slabs.y} + 16 * k + quarter % 2 * 8 + lane % 8);
#pragma unroll
        for (int j = 0; j < ${each}; j++) {
          u32 m[4];
          load_matrix<true>(m, xs + from + offset[j]);
          add_product(sum[j][0], m, b[0], b[1]);
          add_product(sum[j][1], m, b[2], b[3]);
        }
      }
`;
  const source = to.source(
    `  HM_ROOM(Four, room, ${2 * stages * (slabs.x + slabs.y)});
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const u32 segment = blockIdx.x % (u32)a.segments, pair = blockIdx.x / (u32)a.segments;
  const int in = (int)(pair % (u32)a.inputs), out = (int)(pair / (u32)a.inputs);
  const u32 pieces = ((u32)a.all - segment + (u32)a.segments - 1) / (u32)a.segments * ${product(steps)};
  if (warp >= ${warps}) {
    const int thread = threadIdx.x - ${32 * warps};
    ${prepared}${preparedY}${
      product(piece) % 16 === 0
        ? ''
        : `    for (int v = thread; v < ${2 * stages * (slabs.x + slabs.y)}; v += ${threads}) room[v] = {{0, 0, 0, 0}};
    wait_at(${FREE + stages}, ${threads});
`
    }${pieces(`#pragma unroll 1
    for (int e = 0; e < ${product(steps)}; e++, piece++) {
      const int d0 = cell[0] * ${cell[0]} + e / ${steps[1] * steps[2]} * ${piece[0]}, h0 = cell[1] * ${cell[1]} + e / ${steps[2]} % ${steps[1]} * ${piece[1]}, w0 = cell[2] * ${cell[2]} + e % ${steps[2]} * ${piece[2]};
      ${stage}      if (piece >= ${stages}) wait_at(${FREE} + stage, ${BLOCK_THREADS});
${loads.join('')}${other.load({ ...tileOfY, into: 'ys', from: ['d0', 'h0', 'w0'], block: 'out', slab: slabs.y }, preparedY !== '')}      end_batch();
      if (piece >= ${behind}) {
        wait_batches<${behind}>();
        come_to(${FULL} + (piece - ${behind}) % ${stages}, ${BLOCK_THREADS});
      }
    }
`)}${
      behind === 0
        ? ''
        : `    wait_batches<0>();
    come_to(${FULL} + (piece - 1) % ${stages}, ${BLOCK_THREADS});
`
    }    return;
  }
  ${shares > 1 ? `const int share = warp / ${places}, place = warp % ${places};` : `const int share = 0, place = warp * ${each};`}
  int offset[${each}];
  for (int j = 0; j < ${each}; j++) {
    const int k = min(place + j, ${places - 1});
    offset[j] = (k / ${kernel[1] * kernel[2]} * ${dilation[0]} * ${read[1]} + k / ${kernel[2]} % ${kernel[1]} * ${dilation[1]}) * ${read[2]} + k % ${kernel[2]} * ${dilation[2]};
  }
  double total[${each}][8];
  for (int j = 0; j < ${each}; j++) HM_LANES(8) total[j][l] = 0;
${pieces(`    float sum[${each}][2][4];
    for (int j = 0; j < ${each}; j++) HM_LANES(8) sum[j][l / 4][l % 4] = 0;
#pragma unroll 1
    for (int e = 0; e < ${product(steps)}; e++, piece++) {
      ${stage}      wait_at(${FULL} + stage, ${BLOCK_THREADS});
${lines ? straight : general}      if (piece + ${stages} < pieces) come_to(${FREE} + stage, ${BLOCK_THREADS});
    }
    for (int j = 0; j < ${each}; j++) HM_LANES(8) total[j][l] += (double)sum[j][l / 4][l % 4];
`)}  ${shares > 1 ? `if (share >= ${shares}) return;` : ''}
  double *const part = a.part + ((i64)(segment * ${shares} + share) * a.outputs + out) * ${places} * a.inputs * ${BLOCK * BLOCK};
  for (int j = 0; j < ${each}; j++)
    if (place + j < ${places})
      HM_LANES(8) {
        const int row = lane / 4 + l % 4 / 2 * 8, column = l / 4 * 8 + lane % 4 * 2 + l % 2;
        part[((place + j) * a.inputs + in) * ${BLOCK * BLOCK} + row * ${BLOCK} + column] = total[j][l];
      }
`,
    { head: nativeText('matrix.h'), threads: BLOCK_THREADS, shared },
  );
  return { source, blocks: segments * inputs * outputs, args: to.args.bytes };
}
