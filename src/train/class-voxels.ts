import { z } from 'zod';
import { readJsonFileSync, writeTextAtomically } from '../files/index.ts';
import type { Case } from '../imaging/index.ts';
import type { Processes } from '../machine/index.ts';
import type { ClassVoxels } from './case-order.ts';

/**
 * Voxels of each class in each case, counted once in a run: they are kept in a file of its folder, from which a resumed run
 * has them. Of several processes the first one counts, for all.
 */
export async function classVoxels(
  cases: readonly Case[],
  count: (entry: Case) => Promise<ClassVoxels>,
  file: string,
  processes: Processes,
): Promise<readonly ClassVoxels[]> {
  const own = processes.host === 0 ? JSON.stringify(await knownOrCounted(cases, count, file)) : '';
  const [text] = await processes.share('voxels of the classes', own);
  return JSON.parse(text) as readonly ClassVoxels[];
}

async function knownOrCounted(
  cases: readonly Case[],
  count: (entry: Case) => Promise<ClassVoxels>,
  file: string,
): Promise<readonly ClassVoxels[]> {
  const known = countsIn(file);
  const counts = new Map<string, ClassVoxels>();
  for (const entry of cases) counts.set(entry.id, known.get(entry.id) ?? (await count(entry)));
  await writeTextAtomically(file, `${JSON.stringify(Object.fromEntries(counts))}\n`);
  return cases.map(({ id }) => counts.get(id) ?? []);
}

const schema = z.record(z.string(), z.array(z.number().int().nonnegative()));

/** What a file has; nothing where it is damaged: then all is counted again. */
function countsIn(file: string): ReadonlyMap<string, ClassVoxels> {
  try {
    return new Map(Object.entries(schema.parse(readJsonFileSync(file))));
  } catch {
    return new Map();
  }
}
