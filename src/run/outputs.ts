import { type Box, isEmpty, sameBox, volume } from '../core/index.ts';
import type { HostArray, Processes } from '../machine/index.ts';
import type { Executable } from './executable.ts';
import { arrayLike, fromParts, heldByAll, strides } from './parts.ts';
import { scatter } from './rows.ts';

/** What a rank of this process computed of an output. */
export interface OutputPart {
  readonly rank: number;
  /** Where it lies in the whole output. */
  readonly box: Box;
  /** Its numbers, row-major. */
  readonly data: HostArray;
}

/**
 * The parts of an output that the ranks of this process computed. Ranks that hold the same box hold the same numbers: the first
 * of them gives it, so that the parts of all processes together are the whole output, once.
 */
export async function ownParts(executables: readonly Executable[], name: string): Promise<OutputPart[]> {
  const parts: OutputPart[] = [];
  for (const executable of executables) {
    const { rank } = executable;
    const { own } = executable.output(name);
    const first = own.findIndex((box) => sameBox(box, own[rank]));
    if (first !== rank || isEmpty(own[rank])) continue;
    parts.push({ rank, box: own[rank], data: (await executable.result(name)).data });
  }
  return parts;
}

/** A whole output from the parts that the ranks own; every process gets it. */
export async function wholeOutput(
  executables: readonly Executable[],
  processes: Processes,
  name: string,
): Promise<HostArray> {
  let whole: HostArray | undefined;
  for (const executable of executables) {
    const { value, data } = await executable.result(name);
    const size = volume(value.shape);
    if (processes.ranks.length > 1 && !heldByAll(value, value.own)) {
      const to = processes.ranks.map((_, index) => index);
      return fromParts(processes, `output "${name}"`, { type: value, boxes: value.own, part: data, to });
    }
    if (data.length === size) return data;
    whole ??= arrayLike(data, size);
    scatter(data, value.own[executable.rank], whole, strides(value));
  }
  return whole!;
}
