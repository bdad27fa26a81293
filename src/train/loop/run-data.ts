import { existsSync } from 'node:fs';
import { z } from 'zod';
import { fail, HalomeshError } from '../../core/index.ts';
import { isSamePath, writeTextAtomically } from '../../files/index.ts';
import { type Dataset, datasetIdentity } from '../../imaging/index.ts';
import { layerTimes } from '../../plan/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { check, readJson, settingIn } from '../config/config-error.ts';
import { readLog } from '../record/log.ts';
import type { RunFolder } from '../record/run-folder.ts';
import type { TakenRun } from '../record/run-place.ts';
import { writeRunPlan } from '../record/run-plan.ts';
import type { ChosenCases } from '../samples/cases.ts';
import type { Forecast } from './forecast.ts';

// What a run is trained on is kept in its folder, so that it goes on with the same data wherever they lie by then.

/** A case of a run. */
export interface RunCase {
  readonly id: string;
  readonly use: 'training' | 'validation';
  /** What its files are known by; see datasetIdentity. */
  readonly files: string;
}

const schema = z.object(
  {
    cases: z.array(
      z.object({ id: z.string(), use: z.enum(['training', 'validation']), files: z.string() }),
      'a list of cases with id, use and files',
    ),
  },
  'an object with cases',
);

/**
 * The cases of a run, in the order that draws count by; some KiB of each are read. Throws HalomeshError where those of a resumed
 * run are not what they were; in the folder where they lay before, files that have changed are told of.
 */
export async function sameCases(
  dataset: Dataset,
  chosen: ChosenCases,
  { folder, before }: TakenRun,
  warn: (text: string) => void,
): Promise<readonly RunCase[]> {
  const cases = await casesOfRun(dataset, chosen);
  if (before === undefined) return cases;
  const known = knownCases(folder, warn);
  const moved = !isSamePath(before.data, dataset.dir);
  if (known !== undefined) checkSame(folder, known, cases, moved ? undefined : warn);
  else await checkLogged(folder, cases);
  if (known === undefined && moved)
    warn(
      `${folder.dir} does not say what its data were like: they are taken to be the same, as its cases are there`,
    );
  return cases;
}

async function casesOfRun(
  dataset: Dataset,
  { training, validation }: ChosenCases,
): Promise<readonly RunCase[]> {
  const all = await datasetIdentity({ ...dataset, cases: [...training, ...validation] });
  const listed = (ids: readonly { readonly id: string }[], use: RunCase['use']): RunCase[] =>
    ids.map(({ id }) => ({ id, use, files: all.get(id) ?? '' }));
  return [...listed(training, 'training'), ...listed(validation, 'validation')];
}

/** Writes the cases of a run, and what is expected of its steps, into its folder. */
export async function writeRunData(
  folder: RunFolder,
  cases: readonly RunCase[],
  { report, plans }: Forecast,
): Promise<void> {
  await writeTextAtomically(folder.data, `${JSON.stringify({ cases }, null, 1)}\n`);
  const { predictedPeakBytes, flops, ranks } = report;
  // The plan of a step is the first of them.
  const [step] = plans.values();
  const layers = layerTimes(step);
  await writeRunPlan(folder, { predictedPeakBytes, flops, ranks: ranks.length, layers });
}

/** What a run began with; undefined where it does not say so, as runs of older versions. */
function knownCases({ data }: RunFolder, warn: (text: string) => void): readonly RunCase[] | undefined {
  if (!existsSync(data)) return undefined;
  try {
    return check(schema, readJson(data), settingIn(data)).cases;
  } catch (error) {
    if (!(error instanceof HalomeshError)) throw error;
    warn(`${error.message}. It is written anew`);
    return undefined;
  }
}

/** `warn`: where the data lie where they lay, a case whose files were mended is told and taken. */
function checkSame(
  folder: RunFolder,
  before: readonly RunCase[],
  cases: readonly RunCase[],
  warn?: (text: string) => void,
): void {
  for (let n = 0; n < Math.max(before.length, cases.length); n++) {
    const [old, now] = [before[n], cases[n]];
    if (old?.id !== now?.id || old?.use !== now?.use) refuse(folder, describe(old), describe(now));
    if (old?.files === now?.files) continue;
    if (warn === undefined)
      refuse(folder, `the files of case "${old.id}" as they were`, 'files of other sizes or contents');
    warn(
      `the files of case "${now.id}" have changed since the run began: it goes on with them as they are now`,
    );
  }
}

/** Where nothing else is known, the cases that the log names must be there. */
async function checkLogged(folder: RunFolder, cases: readonly RunCase[]): Promise<void> {
  const known = new Set(cases.flatMap(({ id, use }) => (use === 'training' ? [id] : [])));
  const lines = existsSync(folder.log) ? await readLog(folder.log) : [];
  for (const line of lines)
    for (const id of line.kind === 'step' ? line.cases : [])
      if (!known.has(id))
        refuse(folder, `case "${id}", which step ${line.step} was trained on`, 'no such case');
}

const describe = (one: RunCase | undefined): string =>
  one === undefined ? 'no more cases' : `case "${one.id}" for ${one.use}`;

function refuse(folder: RunFolder, expected: string, found: string): never {
  return fail({
    where: folder.dir,
    problem: 'a resumed run must keep its data',
    expected,
    found,
    hint: 'Give the same data with --data, wherever they lie, or begin a new run',
  });
}

/** Refuses to train on what imported networks see. */
export function refuseImported({ nnunet }: TrainConfig): void {
  if (nnunet === undefined) return;
  fail({
    where: 'config "nnunet"',
    problem: 'is how imported networks segment',
    expected: 'nothing: scans are prepared otherwise in a training here',
    found: `patches of ${nnunet.patch.join(' x ')} voxels`,
    hint: 'Leave it out; "network" may stand in the config of a training',
  });
}
