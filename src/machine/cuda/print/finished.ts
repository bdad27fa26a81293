import type { Source } from '../../calls/index.ts';
import type { Place } from '../../formats/index.ts';
import type { Row } from '../../rows/index.ts';
import type { Maker, Step } from '../maker.ts';
import { type CudaTensor, placed } from '../tensors.ts';
import { frame } from './frame.ts';
import { canFinish, channelsOf, storedTensor } from './tile.ts';
import { printSource } from './window.ts';

// Sources whose numbers a kernel would work out more than once: worked out once, into scratch, as the bfloat16 numbers that products take.

const STEP = { operand: 0, imm: 0, keys: [0, 0] } as const;

/** The launches that put a source's numbers where `tensor` lies, and a row that loads them there. */
function finish(source: Source, tensor: CudaTensor, make: Maker): { row: Row; steps: Step[] } {
  const { row, region } = source;
  const operands = row.operands.flatMap((operand) =>
    operand.kind === 'tensor' ? [{ ...operand, value: make.standIn(operand.value, tensor) }] : [],
  );
  const of = {
    shape: row.shape,
    slots: row.slots,
    operands: operands.slice(0, 1),
    registers: 1,
    wide: false,
  };
  const store: Row = {
    ...of,
    instructions: [{ op: 'STORE', dst: -1, src: [0], ...STEP }],
    input: 0,
    result: -1,
  };
  const load: Row = { ...of, instructions: [{ op: 'LOAD', dst: 0, src: [], ...STEP }], input: -1, result: 0 };
  const steps = frame(make, region, store, {
    title: 'finished numbers',
    rows: [row],
    print(to, { lanes }) {
      const printed = printSource(to, source, lanes);
      return { before: printed.begin('from', 'c'), each: `${printed.load('from', 'd, h, w', 'c', 'x')}\n` };
    },
  });
  return { row: load, steps };
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
    const { row, steps } = finish(source, make.blocked(shape, box), make);
    before.push(...steps);
    return { row, region: source.region };
  });
  return { sources: result, before };
}

/** All sources as one image, their channels one after the other from that of the first. */
export function finishedTogether(
  sources: readonly Source[],
  make: Maker,
): { readonly address: number; readonly place: Place; readonly before: readonly Step[] } {
  const [{ row, region }, ...more] = sources;
  const ready = more.length === 0 ? storedTensor(sources[0], make.tensorOf) : undefined;
  if (ready !== undefined) return { address: ready.address, place: placed(ready, row.slots), before: [] };
  const last = region.box.length - 1;
  const channels = sources.reduce((sum, source) => sum + channelsOf(source), 0);
  const { start } = region.box[last];
  const all = make.blocked(
    region.shape,
    region.box.map((range, i) => (i === last ? { start, end: start + channels } : range)),
  );
  let before = 0;
  const steps = sources.flatMap((source) => {
    // As the source's own box, at its channels among all.
    const address = all.address + (before / all.block) * all.strides[last] * 2;
    before += channelsOf(source);
    return finish(source, { ...all, address, box: source.region.box, shape: source.region.shape }, make)
      .steps;
  });
  return { address: all.address, place: placed(all, region.slots), before: steps };
}
