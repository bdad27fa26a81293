import { fail } from '../../core/index.ts';
import { defaultSlots } from '../formats/index.ts';
import { ROW_CODES } from '../rows/index.ts';
import { prepareCopy } from './copy.ts';
import type { Kernels } from './library.ts';
import { boxView, type KernelTensor, operandOf } from './storage.ts';
import type { Arguments, Instruction } from './structs.ts';

// Element-wise combinations of tensors, in their order.

/** Operands of one kernel (`native/halomesh.h`). */
const MOST_OPERANDS = 64;
const COMBINE = { sum: 'ADD', max: 'MAX', min: 'MIN' } as const;
type How = keyof typeof COMBINE;

/**
 * Combines tensors in their order; the first `stored` of them get the result. Of more than a kernel takes the first one gathers them,
 * some at a time.
 */
export function prepareCombine(
  library: Kernels,
  args: Arguments,
  tensors: readonly KernelTensor[],
  how: How,
  stored: number,
): () => void {
  if (tensors.length <= MOST_OPERANDS) return combineAll(library, args, tensors, how, stored);
  const [first, ...others] = tensors;
  if (how === 'sum' && first.dtype !== 'f64')
    fail({
      where: library.where,
      problem: `more than ${MOST_OPERANDS} tensors are summed in f64 alone, found ${tensors.length} of ${first.dtype}`,
      hint: 'Split over fewer ranks',
    });
  const runs: (() => void)[] = [];
  for (let at = 0; at < others.length; at += MOST_OPERANDS - 1)
    runs.push(combineAll(library, args, [first, ...others.slice(at, at + MOST_OPERANDS - 1)], how, 1));
  for (const other of others.slice(0, stored - 1))
    runs.push(prepareCopy(library, args, other, first, first.box));
  return () => {
    for (const run of runs) run();
  };
}

/** The same by one kernel. */
function combineAll(
  library: Kernels,
  args: Arguments,
  tensors: readonly KernelTensor[],
  how: How,
  stored: number,
): () => void {
  const [first] = tensors;
  const { shape, box } = first;
  const slots = defaultSlots(shape);
  const code = ROW_CODES[COMBINE[how]];
  const none = { dst: -1, a: -1, b: -1, c: -1, operand: -1, key0: 0, key1: 0, imm: 0 };
  const instructions: Instruction[] = [{ ...none, op: ROW_CODES.LOAD, dst: 0, operand: 0 }];
  for (let i = 1; i < tensors.length; i++)
    instructions.push(
      { ...none, op: ROW_CODES.LOAD, dst: 1, operand: i },
      { ...none, op: code, dst: 2, a: 0, b: 1 },
      { ...none, op: ROW_CODES.COPY, dst: 0, a: 2 },
    );
  for (let i = 0; i < stored; i++) instructions.push({ ...none, op: ROW_CODES.STORE, a: 0, operand: i });
  const program = args.program({
    instructions,
    operands: tensors.map((tensor) => operandOf(tensor, slots)),
    registers: 3,
    wide: true,
    input: -1,
    result: -1,
    global: boxView({ shape, box, slots }).global,
  });
  const region = args.viewAt(boxView({ shape, box, slots }));
  return () => library.call('hm_rows', program, region);
}
