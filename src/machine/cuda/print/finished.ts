import { fail } from '../../../core/index.ts';
import type { LocalValue } from '../../../plan/index.ts';
import type { Source } from '../../calls/index.ts';
import { leaving, type Row } from '../../rows/index.ts';
import type { Maker, Step } from '../maker.ts';
import type { CudaTensor } from '../tensors.ts';
import { frame } from './frame.ts';
import { canFinish, channelsOf, storedTensor } from './tile.ts';
import { printSource } from './window.ts';

// Sources whose numbers a kernel would work out more than once: worked out once, into scratch, as the bfloat16 numbers that products take.

/** A value that stands for a tensor in rows like a source's. */
function standIn({ row }: Source, tensor: CudaTensor, make: Maker): LocalValue {
  for (const operand of row.operands)
    if (operand.kind === 'tensor') return make.standIn(operand.value, tensor);
  return fail({
    where: 'device cuda',
    problem: 'only what is worked out from stored tensors can be finished',
  });
}

/** A row that loads a value. */
const loadRow = ({ row: { shape, slots } }: Source, value: LocalValue): Row => ({
  shape,
  slots,
  instructions: [{ op: 'LOAD', dst: 0, src: [], operand: 0, imm: 0, keys: [0, 0] }],
  operands: [{ kind: 'tensor', value }],
  registers: 1,
  wide: false,
  input: -1,
  result: 0,
});

/** A row whose result goes to bfloat16 numbers, which rounds it. */
const rounded = (row: Row): Row => {
  const at = row.instructions.findLastIndex(({ dst }) => dst === row.result);
  if (row.instructions[at]?.op !== 'ROUND_BF16') return row;
  return { ...row, instructions: row.instructions.with(at, { ...row.instructions[at], op: 'COPY' }) };
};

/** The launches that put a source's numbers where a value lies. */
function finish(source: Source, value: LocalValue, make: Maker): Step[] {
  const { region } = source;
  const row = rounded(source.row);
  return frame(make, region, leaving('STORE', region, value), {
    title: 'finished numbers',
    rows: [row],
    print(to, { lanes }) {
      const printed = printSource(to, { region, row }, lanes);
      return { before: printed.begin('from', 'c'), each: `${printed.load('from', 'd, h, w', 'c', 'x')}\n` };
    },
  });
}

/** Sources of which those that are read more than once (`reads`) and do not lie ready are finished. */
export function finishedEach(
  sources: readonly Source[],
  reads: number,
  make: Maker,
): { readonly sources: readonly Source[]; readonly before: readonly Step[] } {
  const before: Step[] = [];
  const result = sources.map((source) => {
    if (reads < 2 || !canFinish(source, make) || storedTensor(source, make.tensorOf) !== undefined)
      return source;
    const { shape, box } = source.region;
    const value = standIn(source, make.blocked(shape, box), make);
    before.push(...finish(source, value, make));
    return { row: loadRow(source, value), region: source.region };
  });
  return { sources: result, before };
}

/** All sources as one image, their channels one after the other from that of the first; a single one that lies ready stays as it is. */
export function finishedTogether(
  sources: readonly Source[],
  make: Maker,
): { readonly source: Source; readonly tensor: CudaTensor; readonly before: readonly Step[] } {
  const [first, ...more] = sources;
  const ready = more.length === 0 ? storedTensor(first, make.tensorOf) : undefined;
  if (ready !== undefined) return { source: first, tensor: ready, before: [] };
  const { shape, box, slots } = first.region;
  const last = box.length - 1;
  const channels = sources.reduce((sum, source) => sum + channelsOf(source), 0);
  const { start } = box[last];
  const wide = box.map((range, i) => (i === last ? { start, end: start + channels } : range));
  const tensor = make.blocked(shape, wide);
  let before = 0;
  const steps = sources.flatMap((source) => {
    // As the source's own box, at its channels among all.
    const address = tensor.address + (before / tensor.block) * tensor.strides[last] * 2;
    before += channelsOf(source);
    const { shape, box } = source.region;
    return finish(source, standIn(source, { ...tensor, address, box, shape }, make), make);
  });
  const region = {
    shape: shape.map((dim, i) => (i === last ? { ...dim, size: start + channels } : dim)),
    box: wide,
    slots,
  };
  return { source: { row: loadRow(first, standIn(first, tensor, make)), region }, tensor, before: steps };
}
