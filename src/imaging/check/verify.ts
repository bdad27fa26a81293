import { availableParallelism } from 'node:os';
import { type Case, type Dataset, surveyDataset } from '../dataset/dataset.ts';
import type { DatasetPatterns } from '../dataset/dataset-files.ts';
import { inParallel } from '../volume/in-parallel.ts';
import { softTissueWindow } from '../volume/intensity-window.ts';
import type { LabelCodes } from '../volume/label-codes.ts';
import { defaultNormalizations } from '../volume/normalization.ts';
import { casesByClass } from './fingerprint.ts';
import { type CaseReport, type Finding, faultOf, type VerifyContext, verifyCase } from './verify-case.ts';

export interface VerifyOptions extends DatasetPatterns {
  /** Called after each case. */
  readonly onCase?: (id: string, done: number, all: number) => void;
  /** Cases read at the same time; as many as there are processors by default. */
  readonly together?: number;
}

/** All that was found in a data set; nothing ends the search. */
export interface VerifyReport {
  readonly data: string;
  readonly name: string;
  readonly labelNames?: readonly string[];
  /** What the values of label maps mean, where they are not the classes themselves. */
  readonly labelCodes?: LabelCodes;
  /** Cases of each class that images belong to as a whole, where these are known. */
  readonly imageClasses?: Readonly<Record<string, number>>;
  readonly cases: readonly CaseReport[];
  /** What is wrong with the data set and not with the files of one case: missing files, names that no case has. */
  readonly findings: readonly Finding[];
  /** Of all findings. */
  readonly faults: number;
  readonly warnings: number;
}

/**
 * Reads every file of a data set to its last byte: whether it can be read, geometry of image and label map, label values, finite
 * voxels, constant images, duplicates by content; and as warnings what is unusual. One fault does not keep the next from being
 * found. Throws ImagingError only where there is no data set.
 */
export async function verifyDataset(dir: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { dataset, unlabelled, faults } = await surveyDataset(dir, options);
  const { labelNames, labelCodes, channelNames, imageClasses, name } = dataset;
  const normalizations = defaultNormalizations(channelNames, softTissueWindow);
  const context: VerifyContext = { labelNames, labelCodes, channelNames, normalizations };
  const of = (kind: CaseReport['kind'], list: readonly Case[]) => list.map((entry) => ({ ...entry, kind }));
  const entries = [
    ...of('training', dataset.cases),
    ...of('unlabelled', unlabelled),
    ...of('test', dataset.test),
  ];
  const seen: Awaited<ReturnType<typeof verifyCase>>[] = [];
  let done = 0;
  await inParallel(entries.keys(), options.together ?? availableParallelism(), async (n) => {
    seen[n] = await verifyCase(entries[n], entries[n].kind, context);
    options.onCase?.(entries[n].id, ++done, entries.length);
  });
  const cases = seen.map(({ report, hash }, n) => {
    const twin = hash === undefined ? -1 : seen.findIndex((other) => other.hash === hash);
    if (twin === n || twin < 0) return report;
    const found = `those of case ${seen[twin].report.id}`;
    const hint = 'A scan that is there twice counts twice, or is trained on and then judged by.';
    const file = entries[n].image;
    const twice = faultOf({ file, field: 'voxels', expected: 'those of no other case', found, hint });
    return { ...report, findings: [...report.findings, twice] };
  });
  const findings = [
    ...faults.map(faultOf),
    ...unusedFindings(dir, dataset.unused ?? []),
    ...datasetFindings(dir, cases, dataset.cases.length, dataset),
  ];
  const all = [...findings, ...cases.flatMap((report) => report.findings)];
  const count = (level: Finding['level']) => all.filter((finding) => finding.level === level).length;
  return {
    ...{ data: dir, name, labelNames, ...(labelCodes && { labelCodes }), cases, findings },
    ...(imageClasses && { imageClasses: casesByClass(imageClasses, dataset.cases) }),
    ...{ faults: count('fault'), warnings: count('warning') },
  };
}

function unusedFindings(file: string, unused: readonly string[]): Finding[] {
  if (unused.length === 0) return [];
  const found = `${unused.length} in none: ${unused.slice(0, 5).join(', ')}${unused.length > 5 ? '...' : ''}`;
  const hint = 'They are not read. Add them to the list of cases, or move them to another folder.';
  return [{ level: 'warning', file, field: 'files', expected: 'each scan in some case', found, hint }];
}

/** Classes of images that no image belongs to, and a single class, which there is nothing to learn of. */
function imageClassFindings(file: string, counts: Readonly<Record<string, number>>): Finding[] {
  const level = 'warning';
  const field = 'image labels';
  const unseen = Object.keys(counts).filter((name) => counts[name] === 0);
  const findings = unseen.map(
    (name): Finding => ({
      ...{ level, file, field, expected: 'each class in some case', found: `"${name}" in none` },
    }),
  );
  if (Object.keys(counts).length > 1) return findings;
  return [{ level, file, field, expected: 'at least two classes', found: Object.keys(counts).join() }];
}

function datasetFindings(
  file: string,
  cases: readonly CaseReport[],
  labelled: number,
  { labelNames: names, labelCodes, imageClasses, cases: entries }: Dataset,
): Finding[] {
  if (cases.length === 0) return [faultOf({ file, field: 'cases', expected: 'at least one', found: 'none' })];
  if (labelled === 0) return [];
  if (imageClasses !== undefined && entries.every(({ label }) => label === undefined))
    return imageClassFindings(file, casesByClass(imageClasses, entries));
  if (names === undefined) {
    const expected = '"labels" in dataset.json';
    const hint = 'Training then needs "classes" in its config.';
    return [{ level: 'warning', file, field: 'labels', expected, found: 'none', hint }];
  }
  const seen = new Set(
    cases.flatMap(({ labels }) =>
      Object.keys(labels ?? {}).map((value) => labelCodes?.classOf[value] ?? Number(value)),
    ),
  );
  const unseen = names.filter((_, cls) => !seen.has(cls));
  return unseen.map((name) => {
    const found = `"${name}" in none`;
    return { level: 'warning', file, field: 'labels', expected: 'each label in some case', found };
  });
}
