import { fail } from '../../core/index.ts';
import { INSTRUCTION_SETS, type InstructionSet } from './library.ts';

/** What a process could run its kernels with. */
export interface UsableSets {
  /** Sets that are built and that its processor has. */
  readonly usable: readonly InstructionSet[];
  /** What HALOMESH_ISA asks for there. */
  readonly forced?: string;
}

/**
 * The instruction set that processes compute with together, best first: kernels of different ones round differently in the last
 * bits, so all take one that all have, or the one that some of them are told to take. `of`: by rank. Throws HalomeshError where
 * ranks are told different ones, or one does not have it.
 */
export function commonSet(of: readonly UsableSets[]): InstructionSet {
  const refuse = (expected: string, found: string): never =>
    fail({
      where: `start of ${of.length} processes`,
      problem: 'they cannot compute with one instruction set',
      expected,
      found,
      hint: 'Give all the same HALOMESH_ISA, or none; kernels of another set round differently',
    });
  const first = of.findIndex(({ forced }) => forced !== undefined);
  const forced = of[first]?.forced;
  const other = of.findIndex((one) => one.forced !== undefined && one.forced !== forced);
  if (other >= 0)
    refuse(
      `HALOMESH_ISA=${forced}, as on rank ${first}`,
      `HALOMESH_ISA=${of[other].forced} on rank ${other}`,
    );
  const wanted = INSTRUCTION_SETS.filter((isa) => forced === undefined || isa === forced);
  const common = wanted.find((isa) => of.every(({ usable }) => usable.includes(isa)));
  if (common !== undefined) return common;
  const lacking = of.findIndex(({ usable }) => !wanted.some((isa) => usable.includes(isa)));
  const at = lacking < 0 ? 0 : lacking;
  return refuse(forced ?? 'a set that all have', `${of[at].usable.join(', ') || 'none'} on rank ${at}`);
}
