/** Files that are read at the same time: enough to hide the waiting, and far below what any system lets a process open. */
const AT_ONCE = 16;

/**
 * What `work` makes of all items, in their order, for a few of them at a time. Work on files goes through this: a data set or a
 * series has more of them than a process may hold open (`ulimit -n`). The first failure ends it once what was begun has ended.
 */
export async function mapSome<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index], index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(AT_ONCE, items.length) }, worker);
  const ended = await Promise.allSettled(workers);
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return results;
}
