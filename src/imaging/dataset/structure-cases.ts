import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { sameForm } from '../../files/index.ts';
import { type Structure, structuresOf } from '../formats/structures/structure-folder.ts';
import { ImagingError } from '../volume/errors.ts';
import { type FoundCase, type FoundCases, namesIn, stem } from './dataset-files.ts';

// Data sets whose label maps are folders with one file for each structure, as that of TotalSegmentator:
//
//   CASE/ct.nii.gz    CASE/segmentations/liver.nii.gz    CASE/segmentations/spleen.nii.gz ...

/** The folder of a case that holds its structures. */
const STRUCTURES = 'segmentations';

/** Whether a folder holds such cases. */
export async function hasStructureCases(dir: string): Promise<boolean> {
  const folders = (await namesIn(dir)).filter(({ folder }) => folder);
  return folders.some(({ name }) => isFolder(path.join(dir, name, STRUCTURES)));
}

const isFolder = (file: string): boolean => existsSync(file) && statSync(file).isDirectory();

/** The cases of such a folder: with structures to train on, without them to test. */
export async function structureCases(
  dir: string,
): Promise<FoundCases & { readonly test: readonly FoundCase[] }> {
  const found: FoundCase[] = [];
  const faults: ImagingError[] = [];
  for (const { name, folder } of await namesIn(dir)) {
    if (!folder) continue;
    const own = path.join(dir, name);
    const labelled = isFolder(path.join(own, STRUCTURES));
    const scans = (await namesIn(own)).filter((entry) => !entry.folder && stem(entry.name) !== entry.name);
    if (scans.length === 0 && !labelled) continue;
    if (scans.length !== 1) {
      faults.push(
        new ImagingError({
          file: own,
          field: `image of case ${name}`,
          expected: 'one scan beside its segmentations',
          found: scans.length === 0 ? 'none' : scans.map((scan) => scan.name).join(', '),
          hint: `Say which it is: --images '*/ct.nii.gz' --labels '*/${STRUCTURES}'.`,
        }),
      );
      continue;
    }
    const image = path.join(own, scans[0].name);
    found.push({ id: sameForm(name), image, ...(labelled && { label: path.join(own, STRUCTURES) }) });
  }
  return {
    cases: found.filter(({ label }) => label !== undefined),
    test: found.filter(({ label }) => label === undefined),
    faults,
  };
}

/** Structures of a label map that is a folder; undefined where it is none. */
function structuresIn(label: string): readonly Structure[] | undefined {
  if (!isFolder(label)) return undefined;
  const found = structuresOf(label, readdirSync(label));
  return found.length > 0 || path.basename(label) === STRUCTURES ? found : undefined;
}

/** Names of label values where label maps are folders of structures, and what is wrong with folders that lack some. */
export interface NamedStructures {
  readonly labels: ReadonlyMap<number, string>;
  readonly faults: readonly ImagingError[];
}

/** The names that the files of structures give to the labels of cases; undefined where no label map is a folder of structures. */
export function namedStructures(cases: readonly FoundCase[]): NamedStructures | undefined {
  const found = cases.flatMap(({ id, label }) =>
    label === undefined ? [] : [{ id, label, structures: structuresIn(label) }],
  );
  if (!found.some(({ structures }) => structures !== undefined)) return undefined;
  // The most complete one says the names and their order.
  const most = found.reduce((best, one) =>
    (one.structures?.length ?? 0) > (best.structures?.length ?? 0) ? one : best,
  );
  const names = (most.structures ?? []).map(({ name }) => name);
  const faults = found.flatMap(({ id, label, structures }) => {
    const own = structures?.map(({ name }) => name);
    if (own?.join('\n') === names.join('\n')) return [];
    const missing = names.filter((name) => !own?.includes(name));
    const further = (own ?? []).filter((name) => !names.includes(name));
    const told = (list: readonly string[]) =>
      `${list.slice(0, 5).join(', ')}${list.length > 5 ? ` and ${list.length - 5} more` : ''}`;
    const wrong = [
      ...(missing.length > 0 ? [`none of ${told(missing)}`] : []),
      ...(further.length > 0 ? [`${told(further)} beside them`] : []),
    ];
    return [
      new ImagingError({
        file: label,
        field: `label of case ${id}`,
        expected: `a file for each of the ${names.length} structures of case ${most.id}`,
        found: own === undefined ? 'no folder of structures' : wrong.join('; ') || 'one of them twice',
        hint: 'A structure that a scan does not show has a file of zeros.',
      }),
    ];
  });
  return { labels: new Map([[0, 'background'], ...names.map((name, n) => [n + 1, name] as const)]), faults };
}
