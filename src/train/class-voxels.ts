import { existsSync } from 'node:fs';
import { writeAll, writeAtomically } from '../files/index.ts';
import type { Case } from '../imaging/index.ts';
import type { Processes } from '../machine/index.ts';
import type { ClassVoxels } from './case-order.ts';
import { readJson } from './config-error.ts';

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
  const known = new Map(
    existsSync(file) ? Object.entries(readJson(file) as Record<string, ClassVoxels>) : [],
  );
  const counts = new Map<string, ClassVoxels>();
  for (const entry of cases) counts.set(entry.id, known.get(entry.id) ?? (await count(entry)));
  await writeAtomically(file, (handle) =>
    writeAll(handle, Buffer.from(`${JSON.stringify(Object.fromEntries(counts))}\n`)),
  );
  return cases.map(({ id }) => counts.get(id) ?? []);
}
