import { readdirSync } from 'node:fs';
import path from 'node:path';
import { isPictureName } from '../formats/picture/picture-grid.ts';
import { ImagingError } from '../volume/errors.ts';
import { imageFiles } from './channels.ts';
import { type FoundCase, isDataName, stem } from './dataset-files.ts';

// Files of a data set that no case uses: a training that leaves them out must not look as if it had seen them.

/** Folders whose files are all meant to be used. */
const own = ['imagesTr', 'labelsTr', 'imagesTs'];

const alike = (file: string): string => path.resolve(file).normalize('NFC');

/** Scans in the folders of a data set that are in none of its cases, sorted, as paths from its folder; `known`: told elsewhere. */
export function unusedFiles(dir: string, cases: readonly FoundCase[], known: readonly string[]): string[] {
  const used = cases.flatMap((one) => [...imageFiles(one), ...(one.label === undefined ? [] : [one.label])]);
  // A folder with a file of a case in it is used as well.
  const seen = new Set([...used, ...used.map((file) => path.dirname(file)), ...known].map(alike));
  const folders = new Set(own.map((name) => path.join(path.resolve(dir), name)));
  for (const file of used) folders.add(path.dirname(path.resolve(file)));
  const within = [...folders].filter((folder) => !path.relative(path.resolve(dir), folder).startsWith('..'));
  const pictures = cases.some(({ image }) => isPictureName(image));
  return within
    .flatMap((folder) => scansIn(folder, pictures))
    .filter((file) => !seen.has(alike(file)))
    .map((file) => path.relative(path.resolve(dir), file))
    .sort();
}

function scansIn(folder: string, pictures: boolean): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.') && isDataName(name, pictures))
      .map((name) => path.join(folder, name));
  } catch {
    // It is missing, or whoever reads a case in it says why it cannot be listed.
    return [];
  }
}

/**
 * What is wrong with images that are one of several channels, as the numbers at the ends of their names say (`a_0000`, `a_0001`), where
 * the others are in no case. Numbers that label maps have too count patients.
 */
export function furtherChannels(
  dir: string,
  cases: readonly FoundCase[],
  unused: readonly string[],
): ImagingError[] {
  const channels = new Map<string, string[]>();
  for (const file of unused) {
    const series = seriesOf(path.join(dir, file));
    if (series !== undefined) channels.set(series, [...(channels.get(series) ?? []), path.basename(file)]);
  }
  return cases.flatMap(({ id, image, channels: several, label }) => {
    if (several !== undefined) return [];
    const series = seriesOf(image);
    const others = series === undefined ? undefined : channels.get(series);
    const patients =
      label === undefined
        ? !/_0000$/.test(stem(path.basename(image)))
        : stem(path.basename(label)) === stem(path.basename(image));
    if (others === undefined || patients) return [];
    return [
      new ImagingError({
        file: image,
        field: `channels of case ${id}`,
        expected: 'one file',
        found: `${others.sort().slice(0, 5).join(', ')} beside it`,
        hint: 'Name all channels in "channel_names" of dataset.json. Where this channel alone is meant, move the others to another folder.',
      }),
    ];
  });
}

/** Folder and name of an image without the number of its channel; undefined where it has none. */
function seriesOf(file: string): string | undefined {
  const found = /^(.+)_\d{4}$/.exec(stem(path.basename(file)));
  return found === null ? undefined : alike(path.join(path.dirname(file), found[1]));
}
