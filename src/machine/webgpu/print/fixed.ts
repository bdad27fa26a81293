import { type Box, boxVolume, isEmpty } from '../../../core/index.ts';
import type { CallOf } from '../../calls/index.ts';
import { boxBySlots, type Five, type Moved, movedSlots, rightAligned } from '../../formats/index.ts';
import type { Maker } from '../maker.ts';
import type { Step } from '../step.ts';
import { type GpuTensor, placed, WORDS } from '../tensors.ts';
import { MOST_BLOCKS } from './frame.ts';
import { type Printer, THREADS } from './printer.ts';
import { collapse } from './sums.ts';
import type { View } from './views.ts';
import { pairLiteral } from './wide-row.ts';

// Kernels that move, fill, combine, reduce and contract tensors of any type.

function viewOf(to: Printer, tensor: GpuTensor, slots = rightAligned(tensor.shape)): View {
  const view = to.view(tensor, placed(tensor, slots));
  view.singles = true;
  return view;
}

/** A thread an element of `box`; its coordinates in row-major slots are p0 to p4. */
function eachElement(to: Printer, { shape }: GpuTensor, box: Box, text: string): Step {
  const { start, size } = boxBySlots(shape, box, rightAligned(shape));
  const count = boxVolume(box);
  to.args.ints('start', start);
  to.args.ints('size', size);
  to.args.int('count', count);
  const blocks = Math.min(Math.ceil(count / THREADS), MOST_BLOCKS);
  const places = [4, 3, 2, 1, 0].map(
    (k) => `let p${k} = a.start_${k} + rest % a.size_${k}; rest /= a.size_${k};\n`,
  );
  return to.step(
    `for (var i = block * ${THREADS} + thread; i < a.count; i += a.blocks * ${THREADS}) {
var rest = i;
${places.join('')}${text}
}
`,
    blocks,
  );
}

/** A copy of `box` (coordinates of `to`): dimension i of `from` is dimension `perm[i]` of `to`, moved by `shift`. Equal types keep their bits. */
export function copySteps(
  make: Maker,
  to: GpuTensor,
  from: GpuTensor,
  box: Box,
  moved: Moved = {
    perm: box.map((_, i) => i),
    shift: box.map(() => 0),
  },
): Step[] {
  if (isEmpty(box)) return [];
  const { perm, shift } = movedSlots(to.shape, from.shape, moved);
  const printer = make.printer();
  printer.title = 'copy';
  const [target, source] = [viewOf(printer, to), viewOf(printer, from)];
  printer.args.ints('shift', shift);
  const at = perm.map((slot, k) => `p${slot} - a.shift_${k}`).join(', ');
  if (to.dtype !== from.dtype)
    return [
      eachElement(
        printer,
        to,
        box,
        `${target.name}_put_wide(p0, p1, p2, p3, p4, ${source.name}_get_wide(${at}));`,
      ),
    ];
  target.raw = true;
  source.raw = true;
  const words = Array.from(
    { length: WORDS[to.dtype] },
    (_, word) => `${printer.windowOf(target)}[k + ${word}] = ${printer.windowOf(source)}[j + ${word}];`,
  );
  const text = `let k = ${target.name}_at(p0, p1, p2, p3, p4); let j = ${source.name}_at(${at});\n${words.join(' ')}`;
  return [eachElement(printer, to, box, text)];
}

export function fillSteps(make: Maker, to: GpuTensor, box: Box, number: number): Step[] {
  if (isEmpty(box)) return [];
  const printer = make.printer();
  printer.title = 'fill';
  const view = viewOf(printer, to);
  return [
    eachElement(printer, to, box, `${view.name}_put_wide(p0, p1, p2, p3, p4, ${pairLiteral(number)});`),
  ];
}

/** Elements in row-major order of the whole tensors, by other dimensions: the box of `to` that is written. */
export function reshapeSteps(make: Maker, to: GpuTensor, from: GpuTensor, written: Box): Step[] {
  const printer = make.printer();
  printer.title = 'reshape';
  const [target, source] = [viewOf(printer, to), viewOf(printer, from)];
  for (const [name, tensor] of Object.entries({ to_global: to, from_global: from }))
    printer.args.ints(name, placed(tensor, rightAligned(tensor.shape)).global);
  const flat = [1, 2, 3, 4].map((k) => `flat = flat * a.to_global_${k} + p${k};`).join(' ');
  const places = [4, 3, 2, 1, 0].map(
    (k) => `let q${k} = flat % a.from_global_${k}; flat /= a.from_global_${k};`,
  );
  const text = `var flat = p0; ${flat} ${places.join(' ')}
${target.name}_put_wide(p0, p1, p2, p3, p4, ${source.name}_get_wide(q0, q1, q2, q3, q4));`;
  return [eachElement(printer, to, written, text)];
}

const JOIN = { sum: 'add_pair', max: 'max_pair', min: 'min_pair' } as const;

/** Replaces all tensors, which lie alike, by their combination, element by element, in their order, as pairs. */
export function combineSteps(make: Maker, tensors: readonly GpuTensor[], how: keyof typeof JOIN): Step[] {
  const [{ dtype, bytes }] = tensors;
  const count = bytes / (4 * WORDS[dtype]);
  const to = make.printer();
  to.title = `combine ${tensors.length}`;
  const lines = tensors.map(({ address }) => to.line(address, count, dtype));
  to.args.int('count', count);
  const rest = lines.slice(1).map((line) => `x = ${JOIN[how]}(x, ${line}_get_wide(i));\n`);
  const blocks = Math.min(Math.ceil(count / THREADS), MOST_BLOCKS);
  return [
    to.step(
      `for (var i = block * ${THREADS} + thread; i < a.count; i += a.blocks * ${THREADS}) {
var x = ${lines[0]}_get_wide(i);
${rest.join('')}${lines.map((line) => `${line}_put_wide(i, x);\n`).join('')}}
`,
      blocks,
    ),
  ];
}

const NEUTRAL = {
  sum: 'vec2<f32>(0.0, 0.0)',
  max: 'vec2<f32>(bitcast<f32>(0xff800000u ^ a.zero), 0.0)',
  min: 'vec2<f32>(bitcast<f32>(0x7f800000u ^ a.zero), 0.0)',
} as const;

/** to[x] = sum, maximum or minimum of every element of the box that agrees with x in the dimensions kept. */
export function reduceSteps(make: Maker, { how, from, region, into }: CallOf<'reduce'>): Step[] {
  const to = make.printer();
  to.title = `reduce ${how}`;
  const target = viewOf(to, make.tensorOf(into.value), into.slots);
  const source = viewOf(to, make.tensorOf(from.value), from.slots);
  const { start, size } = boxBySlots(region.shape, region.box, region.slots);
  const kept = new Set(into.value.shape.map(({ name }) => into.slots.get(name)!));
  const product = (list: Five, wanted: boolean) =>
    list.reduce((x, length, i) => (kept.has(i) === wanted ? x * length : x), 1);
  const [count, inner] = [product(size, true), product(size, false)];
  to.args.ints('start', start);
  to.args.ints('size', size);
  to.args.ints('own', placed(make.tensorOf(into.value), into.slots).start);
  to.args.int('count', count);
  to.args.int('inner', inner);
  const split = (k: number) => {
    const name = kept.has(k) ? 'number' : 'other';
    return `let p${k} = a.start_${k} + ${name} % a.size_${k}; ${name} /= a.size_${k};\n`;
  };
  to.functions.push(`fn reduced(x: vec2<f32>, y: vec2<f32>) -> vec2<f32> { return ${how === 'sum' ? 'add_pair(x, y)' : `${JOIN[how]}(y, x)`}; }
fn element(of_number: i32, j: i32) -> vec2<f32> {
var number = of_number; var other = j;
${[4, 3, 2, 1, 0].map(split).join('')}return ${source.name}_get_wide(p0, p1, p2, p3, p4);
}
`);
  const places = [4, 3, 2, 1, 0].map((k) =>
    kept.has(k)
      ? `let p${k} = a.start_${k} + rest % a.size_${k}; rest /= a.size_${k};\n`
      : `let p${k} = a.own_${k};\n`,
  );
  return [
    collapse(to, count, inner, {
      neutral: NEUTRAL[how],
      of: 'element(number, j)',
      join: 'reduced',
      leave: `var rest = number;\n${places.join('')}${target.name}_put_wide(p0, p1, p2, p3, p4, x);\n`,
    }),
  ];
}

/** Sums of products, as pairs, over loops of which the first `outer` index the result. */
export function einsumSteps(make: Maker, { loops, loop, outer, inputs, into }: CallOf<'einsum'>): Step[] {
  const to = make.printer();
  to.title = 'einsum';
  const extents = loop.map(({ start, end }) => end - start);
  const count = extents.slice(0, outer).reduce((x, length) => x * length, 1);
  const inner = extents.slice(outer).reduce((x, length) => x * length, 1);
  to.args.ints('extent', extents);
  to.args.int('count', count);
  to.args.int('inner', inner);
  const split = loops
    .map((_, k) => k)
    .reverse()
    .map((k) => {
      const name = k < outer ? 'number' : 'other';
      return `let p${k} = ${name} % a.extent_${k}; ${name} /= a.extent_${k};\n`;
    })
    .join('');
  /** A line over a tensor, and the element of it at p0, p1 and so on. */
  const operand = (tensor: GpuTensor): { line: string; at: string } => {
    const words = WORDS[tensor.dtype];
    const line = to.line(tensor.address, tensor.bytes / (4 * words), tensor.dtype);
    const terms = tensor.shape.map((dim, i) => {
      const at = loops.indexOf(dim.name);
      const before = to.int('before', loop[at].start - tensor.box[i].start);
      const stride = to.int('stride', tensor.strides[i]);
      const place = `(p${at} + ${before})`;
      const blocked = i === tensor.shape.length - 1 && tensor.block > 1;
      return blocked
        ? `${place} / ${tensor.block} * ${stride} + ${place} % ${tensor.block}`
        : `${place} * ${stride}`;
    });
    return { line, at: terms.length === 0 ? '0' : terms.join(' + ') };
  };
  const target = operand(make.tensorOf(into));
  const sources = inputs.map(({ value }) => operand(make.tensorOf(value)));
  const [first, ...others] = sources.map(({ line, at }) => `${line}_get_wide(${at})`);
  const product = others.reduce((text, one) => `mul_pair(${text}, ${one})`, first);
  to.functions.push(`fn product_of(of_number: i32, j: i32) -> vec2<f32> {
var number = of_number; var other = j;
${split}return ${product};
}
fn leave(of_number: i32, x: vec2<f32>) {
var number = of_number; var other = 0;
${split}${target.line}_put_wide(${target.at}, x);
}
`);
  return [
    collapse(to, count, inner, {
      neutral: NEUTRAL.sum,
      of: 'product_of(number, j)',
      join: 'add_pair',
      leave: 'leave(number, x);\n',
    }),
  ];
}
