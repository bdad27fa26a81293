import { createInterface } from 'node:readline';
import { HalomeshError } from '../../core/index.ts';
import { isSamePath, openFile, sameForm } from '../../files/index.ts';
import { type Dataset, openDataset } from '../../imaging/index.ts';
import type { TrainConfig } from '../config/config.ts';
import type { RunFolder } from '../record/run-folder.ts';
import { chooseCases } from '../samples/cases.ts';

// What a run did with a case. Scores on cases that a network learnt from say little of what it does elsewhere, so the kinds are never
// in one mean.

/** Held out for validation, trained on, or unknown to the run. */
export type CaseKind = 'held out' | 'training' | 'unseen';

/** In the order in which they are looked for: what says most of a network first. */
export const CASE_KINDS: readonly CaseKind[] = ['held out', 'unseen', 'training'];

/** So many cases of a kind, in words. */
export function casesOfKind(kind: CaseKind, count: number): string {
  const name = kind === 'held out' ? 'held-out' : kind;
  return `${count} ${name} ${count === 1 ? 'case' : 'cases'}`;
}

/** What is to be known of scores on cases that were trained on; empty for other kinds. */
export function kindNote(kind: CaseKind): string {
  if (kind !== 'training') return '';
  return 'The network was trained on these cases: their scores do not say how good it is on others.';
}

/**
 * The kind of each case of a data set, by id, for the network of a run. The split is that of the run's own data set; where that is no
 * longer there, that of the data set which is given, if it fits what the log says. A case of which the log has a step was trained on,
 * whatever the split would be today.
 */
export async function caseKinds(
  folder: RunFolder,
  config: TrainConfig,
  dataset: Dataset,
): Promise<ReadonlyMap<string, CaseKind>> {
  const trained = await idsOfLog(folder.log);
  const split = await splitOfRun(config, dataset, trained);
  return new Map(
    dataset.cases.map(({ id }) => {
      const form = sameForm(id);
      if (trained.has(form) || split.training.has(form)) return [id, 'training'];
      return [id, split.validation.has(form) ? 'held out' : 'unseen'];
    }),
  );
}

/** Ids in one Unicode form: those of a folder are composed as it is opened, those of a log and of a store are as they were written. */
interface Split {
  readonly training: ReadonlySet<string>;
  readonly validation: ReadonlySet<string>;
}

async function splitOfRun(config: TrainConfig, given: Dataset, trained: ReadonlySet<string>): Promise<Split> {
  const none: Split = { training: new Set(), validation: new Set() };
  if (isSamePath(given.dir, config.data)) return refusedAs(none, async () => split(given, config));
  const own = await refusedAs(undefined, async () => split(await openDataset(config.data, config), config));
  if (own !== undefined) return own;
  // The data set of the run has moved: the one that is given may be it.
  const moved = await refusedAs(none, async () => split(given, config));
  return [...trained].every((id) => moved.training.has(id)) ? moved : none;
}

function split(dataset: Dataset, config: TrainConfig): Split {
  const { training, validation } = chooseCases(dataset, config);
  const ids = (cases: Dataset['cases']): Set<string> => new Set(cases.map(({ id }) => sameForm(id)));
  return { training: ids(training), validation: ids(validation) };
}

/** A value in place of what a file or a setting is at fault for. */
async function refusedAs<T>(other: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HalomeshError) return other;
    throw error;
  }
}

/** Ids of the cases that the steps of a log took, in one Unicode form; none where there is no log. Lines that are damaged are left out. */
async function idsOfLog(file: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  try {
    const log = await openFile(file);
    for await (const line of createInterface({ input: log.createReadStream() })) {
      try {
        const { cases } = JSON.parse(line) as { cases?: unknown };
        if (Array.isArray(cases)) for (const id of cases) if (typeof id === 'string') ids.add(sameForm(id));
      } catch {
        // A line that was cut off, or damaged on the disk.
      }
    }
  } catch {
    // A run may have been copied without its log.
  }
  return ids;
}
