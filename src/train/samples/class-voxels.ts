import { readJsonFileSync, writeTextAtomically } from '../../files/index.ts';
import type { Case } from '../../imaging/index.ts';
import type { Processes } from '../../machine/index.ts';
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
  const own = processes.index === 0 ? JSON.stringify(await knownOrCounted(cases, count, file)) : '';
  const [text] = await processes.share('voxels of the classes', own);
  return JSON.parse(text) as readonly ClassVoxels[];
}

async function knownOrCounted(
  cases: readonly Case[],
  count: (entry: Case) => Promise<ClassVoxels>,
  file: string,
): Promise<readonly ClassVoxels[]> {
  const known = keptCounts(file);
  const counts: [string, ClassVoxels][] = [];
  for (const entry of cases) counts.push([entry.id, known.get(entry.id) ?? (await count(entry))]);
  await writeTextAtomically(file, `${JSON.stringify(Object.fromEntries(counts))}\n`);
  return counts.map(([, voxels]) => voxels);
}

/** What a file says of cases, `__proto__` among them; what is damaged or no list of counts is counted anew. */
function keptCounts(file: string): ReadonlyMap<string, ClassVoxels> {
  const isCount = (voxels: unknown): boolean => Number.isSafeInteger(voxels) && Number(voxels) >= 0;
  try {
    const content = readJsonFileSync(file);
    if (typeof content !== 'object' || content === null) return new Map();
    return new Map(
      Object.entries(content).filter(
        (entry): entry is [string, ClassVoxels] => Array.isArray(entry[1]) && entry[1].every(isCount),
      ),
    );
  } catch {
    return new Map();
  }
}
