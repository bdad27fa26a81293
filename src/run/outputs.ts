import { volume } from '../core/index.ts';
import type { HostArray, Processes } from '../machine/index.ts';
import type { Executable } from './executable.ts';
import { arrayLike, fromParts, heldByAll, strides } from './parts.ts';
import { scatter } from './rows.ts';

/** A whole output from the parts that the ranks own; every process gets it. */
export async function wholeOutput(
  executables: readonly Executable[],
  processes: Processes,
  name: string,
): Promise<HostArray> {
  let whole: HostArray | undefined;
  for (const executable of executables) {
    const { value, data } = executable.result(name);
    const size = volume(value.shape);
    if (processes.hosts.length > 1 && !heldByAll(value, value.own)) {
      const to = processes.hosts.map((_, host) => host);
      return fromParts(processes, `output "${name}"`, { type: value, boxes: value.own, part: data, to });
    }
    if (data.length === size) return data;
    whole ??= arrayLike(data, size);
    scatter(data, value.own[executable.rank], whole, strides(value));
  }
  return whole!;
}
