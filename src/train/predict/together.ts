import { HalomeshError } from '../../core/index.ts';
import { ImagingError } from '../../imaging/index.ts';
import type { Processes } from '../../machine/index.ts';

/**
 * Does what one process may fail at and another not, such as reading a file: where any process fails, all raise an error, that of
 * the first of them, so that none waits for what will not come. All processes call it.
 */
export async function together<T>(processes: Processes | undefined, work: () => Promise<T>): Promise<T> {
  if (processes === undefined || processes.hosts.length === 1) return work();
  let value: { readonly done: T } | undefined;
  let error: unknown;
  try {
    value = { done: await work() };
  } catch (caught) {
    // Only what a file is at fault for: anything else ends all processes.
    if (!(caught instanceof ImagingError || caught instanceof HalomeshError)) throw caught;
    error = caught;
  }
  const found = error === undefined ? '' : (error as Error).message;
  const messages = await processes.share('faults of a file', found);
  const first = messages.findIndex((message) => message !== '');
  if (first < 0) return value!.done;
  if (first === processes.host) throw error;
  throw new HalomeshError({ where: `process ${first}`, problem: messages[first] });
}

/** Sums of whole numbers over all processes, by place; exact below 2^53. All processes call it, with as many numbers. */
export async function sumOver(
  processes: Processes | undefined,
  label: string,
  numbers: readonly number[],
): Promise<readonly number[]> {
  if (processes === undefined || processes.hosts.length === 1) return numbers;
  const all = await processes.share(label, JSON.stringify(numbers));
  return all
    .map((text) => JSON.parse(text) as readonly number[])
    .reduce((sums, more) => sums.map((sum, n) => sum + more[n]));
}

/** What process 0 has, on all; what JSON keeps of it. */
export async function fromFirst<T>(processes: Processes | undefined, value: T): Promise<T> {
  if (processes === undefined || processes.hosts.length === 1) return value;
  const [first] = await processes.share('the result', JSON.stringify(value));
  return JSON.parse(first) as T;
}
