import type { CallOf, Source, Three, WindowThree } from '../../calls/index.ts';
import { boxBySlots, presentIn, SLOT_C } from '../../formats/index.ts';
import type { Row } from '../../rows/index.ts';
import type { Maker } from '../maker.ts';
import { type CudaTensor, placed } from '../tensors.ts';
import type { Printer } from './printer.ts';
import { overLanes } from './row.ts';
import { printSource } from './window.ts';

// What the kernels on tensor cores share: which sources they take, and how a tile of one comes into shared memory. Channels go there in
// blocks of 16, as two slabs of 8, each position 16 bytes; channels that are not there are zeros.

/** Whether a row leaves little room for other registers: it has many, or draws random numbers, whose index takes two. */
export const isLarge = ({ registers, instructions }: Row): boolean =>
  registers > 4 || instructions.some(({ op }) => ['UNIFORM', 'NORMAL', 'BERNOULLI'].includes(op));

/** How often numbers are read, as far as it matters for finishing them: those of long rows count as read often. */
export const readsOf = (sources: readonly Source[], reads: number): number =>
  sources.some(({ row }) => isLarge(row)) ? Math.max(reads, 2) : reads;

/** Channels of a block. */
export const BLOCK = 16;

export type Contraction = CallOf<'conv' | 'conv_transpose'>;

export const channelsOf = ({ region: { shape, box, slots } }: Source): number =>
  boxBySlots(shape, box, slots).size[SLOT_C];

export const blocksOf = (source: Source): number => Math.ceil(channelsOf(source) / BLOCK);

export const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/** Positions that a tile of a window's outputs reads along d, h, w. */
export const readBy = (tile: Three, { kernel, stride, dilation }: WindowThree): Three =>
  tile.map((length, i) => (length - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1) as unknown as Three;

/** Whether windows have places in common. */
export const overlaps = ({ kernel, stride }: WindowThree): boolean =>
  kernel.some((length, i) => length > stride[i]);

/** Positions of a slab: a count that keeps the two slabs in different banks. */
export const slabOf = (positions: number): number => Math.ceil((positions + 4) / 8) * 8 - 4;

/** Whether a row gives bfloat16 numbers, so that products of that precision are what is asked for: they are rounded, or all images are. */
function isNarrow(row: Row, tensorOf: Maker['tensorOf']): boolean {
  const last = row.instructions.findLast(({ dst }) => dst === row.result);
  if (last?.op === 'ROUND_BF16') return true;
  const images = row.operands.flatMap((operand) => {
    if (operand.kind === 'vector') return [];
    const { dtype, shape } = tensorOf(operand.value);
    return shape.some(({ name }) => [1, 2, 3].includes(row.slots.get(name) ?? 0)) ? [dtype] : [];
  });
  return images.length > 0 && images.every((dtype) => dtype === 'bf16');
}

/** Whether {@link tileSource} loads tiles of a source. */
export function takesTile(source: Source, make: Maker): boolean {
  const channels = channelsOf(source);
  if (!isNarrow(source.row, make.tensorOf)) return false;
  return overLanes(source.row) ? channels <= BLOCK : channels % 8 === 0 || channels <= BLOCK;
}

/** A tile in shared memory. */
export interface Tile {
  /** Where it goes: an array of `Four`. */
  readonly into: string;
  /** Positions along d, h, w. */
  readonly shape: Three;
  /** The place of its first position, which need not be inside of the source. */
  readonly from: readonly [string, string, string];
  /** Which block of the source's channels. */
  readonly block: string;
  /** Threads that load. */
  readonly threads: number;
  /** Positions from one slab to the other. */
  readonly slab: number;
  /** Whether the kernel itself waits for copies that come to shared memory by themselves. */
  readonly waits?: boolean;
}

/** The tensor of a source that lies in memory as tiles of it shall: the numbers themselves, in whole blocks of channels. */
export function storedTensor({ row, region }: Source, tensorOf: Maker['tensorOf']): CudaTensor | undefined {
  const [only, ...more] = row.instructions;
  const operand = row.operands[only.operand];
  if (more.length > 0 || only.op !== 'LOAD' || operand.kind !== 'tensor') return undefined;
  const tensor = tensorOf(operand.value);
  const place = placed(tensor, row.slots);
  const { start, size } = boxBySlots(region.shape, region.box, region.slots);
  const whole = (start[SLOT_C] - place.start[SLOT_C]) % BLOCK === 0 && size[SLOT_C] % BLOCK === 0;
  return tensor.dtype === 'bf16' && place.block === BLOCK && whole ? tensor : undefined;
}

/** Whether a source's numbers can be worked out by themselves, into whole blocks of channels. */
export function canFinish(source: Source, make: Maker): boolean {
  const { row } = source;
  const stored = row.operands.some(({ kind }) => kind === 'tensor');
  return (
    stored && channelsOf(source) % BLOCK === 0 && !row.wide && !overLanes(row) && takesTile(source, make)
  );
}

/** Copies of such a source go to shared memory by themselves. */
function copyOf(to: Printer, { row, region }: Source, tensor: CudaTensor) {
  const view = to.view(tensor, placed(tensor, row.slots), presentIn(tensor.shape, row.slots));
  const { start, size } = boxBySlots(region.shape, region.box, region.slots);
  const first = `a.${to.longs('first', start.slice(1, 4))}`;
  const held = `a.${to.longs('held', size.slice(1, 4))}`;
  const begin = `(int)a.${to.long('from', start[SLOT_C])}`;
  const inside = ['id', 'ih', 'iw']
    .map((x, i) => `${x} >= ${first}[${i}] && ${x} < ${first}[${i}] + ${held}[${i}]`)
    .join(' && ');
  const place = (
    shape: Three,
    v: string,
    from: readonly [string, string, string] = ['0', '0', '0'],
  ): string =>
    ['d', 'h', 'w']
      .map((axis, i) => {
        const within =
          i === 2
            ? `${v} % ${shape[2]}`
            : i === 1
              ? `${v} / ${shape[2]} % ${shape[1]}`
              : `${v} / ${shape[2] * shape[1]}`;
        return `i${axis} = ${from[i]} + ${within}`;
      })
      .join(', ');
  const eights = to.fresh('eights');
  const chunks = ({ shape, threads }: Pick<Tile, 'shape' | 'threads'>): number =>
    Math.ceil((2 * product(shape)) / threads);
  // Where the eights of a tile lie is the same for every tile, counted from its first position.
  const prepare = ({
    shape,
    threads,
  }: Pick<Tile, 'shape' | 'threads'>): string => `int ${eights}[${chunks({ shape, threads })}];
#pragma unroll
  for (int k = 0; k < ${chunks({ shape, threads })}; k++) {
    const int v = k * ${threads / 2} + thread / 2, ${place(shape, 'v')};
    ${eights}[k] = (int)((id * a.${view}.stride[1] + ih * a.${view}.stride[2]) / 8) + 2 * iw + thread % 2;
  }
`;
  const load = (
    { into, shape, from, block, threads, slab, waits = false }: Tile,
    prepared = false,
  ): string => {
    const one = `    const int ${place(shape, 'v', from)};
    copy_eight(&${into}[part * ${slab} + v], a.${view}, n, id, ih, iw, ci, ${inside});
`;
    const every = `#pragma unroll 2
  for (int v = thread / 2; v < ${product(shape)}; v += ${threads / 2}) {
${one}  }
`;
    const [d, h, w] = from;
    const corner = `id >= ${first}[0] && id + ${shape[0]} <= ${first}[0] + ${held}[0] && ih >= ${first}[1] && ih + ${shape[1]} <= ${first}[1] + ${held}[1] && iw >= ${first}[2] && iw + ${shape[2]} <= ${first}[2] + ${held}[2]`;
    const quick = `  const int id = ${d}, ih = ${h}, iw = ${w};
  if (${corner}) {
    const Four *const corner = (const Four *)(a.${view}.data + offset_of(a.${view}, n, id, ih, iw, ci - 8 * part));
#pragma unroll
    for (int k = 0; k < ${chunks({ shape, threads })}; k++) {
      const int v = k * ${threads / 2} + thread / 2;
      if (v < ${product(shape)}) copy_four(&${into}[part * ${slab} + v], corner + ${eights}[k]);
    }
  } else {
${every}  }
`;
    return `{
  const int part = thread % 2, ci = ${begin} + ${BLOCK} * (${block}) + 8 * part;
${prepared ? quick : every}${waits ? '' : '  wait_copies();\n'}}
`;
  };
  return { load, prepare };
}

/** Prints a source once; `load` gives the statements that load a tile of it, at the batch `n`, by threads number `thread`. */
export function tileSource(to: Printer, one: Source) {
  const channels = channelsOf(one);
  const stored = storedTensor(one, to.tensorOf);
  if (stored !== undefined) return { channels, ...copyOf(to, one, stored) };
  const large = isLarge(one.row);
  // Channels that a thread loads at once: those of a slab, half of them where the row takes many registers, or all.
  const lanes = channels % 8 !== 0 || overLanes(one.row) ? channels : large ? 4 : 8;
  const source = printSource(to, one, lanes);
  const region = boxBySlots(one.region.shape, one.region.box, one.region.slots);
  const first = `a.${to.longs('first', region.start.slice(1, 4))}`;
  const held = `a.${to.longs('held', region.size.slice(1, 4))}`;
  const from = `(int)a.${to.long('from', source.start)}`;
  const end = channels % BLOCK === 0 ? '' : `(int)a.${to.long('end', source.start + channels)}`;
  const fixed = to.fresh('f');
  const inside = ['id', 'ih', 'iw']
    .map((x, i) => `${x} >= ${first}[${i}] && ${x} < ${first}[${i}] + ${held}[${i}]`)
    .join(' && ');
  const unroll = `#pragma unroll ${one.row.registers < 4 ? 2 : 1}`;
  function load({ into, shape, from: [d, h, w], block, threads, slab }: Tile): string {
    const count = product(shape);
    const place = `const int iw = ${w} + v % ${shape[2]}, ih = ${h} + v / ${shape[2]} % ${shape[1]}, id = ${d} + v / ${shape[2] * shape[1]};`;
    if (lanes !== 4 && lanes !== 8)
      return `{
  ${source.begin(fixed, from)}
${unroll}
  for (int v = thread; v < ${count}; v += ${threads}) {
    ${place}
    float y[${channels}], low[8], high[8];
    HM_LANES(${channels}) y[l] = 0;
    if (${inside}) { ${source.load(fixed, 'id, ih, iw', from, 'y')} }
    HM_LANES(8) low[l] = l < ${channels} ? y[l < ${channels} ? l : 0] : 0.0f, high[l] = l + 8 < ${channels} ? y[l + 8 < ${channels} ? l + 8 : 0] : 0.0f;
    ${into}[v] = eight_of(low);
    ${into}[${slab} + v] = eight_of(high);
  }
}
`;
    const parts = BLOCK / lanes;
    const slot = lanes === 8 ? `part * ${slab} + v` : `part / 2 * ${slab} + v`;
    const store =
      lanes === 8
        ? `${into}[${slot}] = eight_of(y);`
        : `((Two *)&${into}[${slot}])[part % 2] = {{pair_of(y[0], y[1]), pair_of(y[2], y[3])}};`;
    return `{
  const int part = thread % ${parts}, wanted = ${from} + ${BLOCK} * (${block}) + ${lanes} * part;
  ${end === '' ? 'const int ci = wanted;' : `const bool there = wanted < ${end};\n  const int ci = there ? wanted : ${from};`}
  ${source.begin(fixed, 'ci')}
${unroll}
  for (int v = thread / ${parts}; v < ${count}; v += ${threads / parts}) {
    ${place}
    float y[${lanes}];
    HM_LANES(${lanes}) y[l] = 0;
    if (${end === '' ? '' : 'there && '}${inside}) { ${source.load(fixed, 'id, ih, iw', 'ci', 'y')} }
    ${store}
  }
}
`;
  }
  return { channels, load, prepare: undefined };
}
