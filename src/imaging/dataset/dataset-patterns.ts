import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { sameForm } from '../../files/index.ts';
import { mostChannels } from '../store/format.ts';
import { ImagingError } from '../volume/errors.ts';
import {
  type DatasetPatterns,
  type FoundCase,
  type FoundCases,
  namesIn,
  unwrapped,
} from './dataset-files.ts';

// Cases by patterns: paths in which a star stands for the id of a case and, in those of images, braces for a channel.

/** What stands for a channel in a pattern: any name, or one of a list. */
const braces = /\{([^{}]*)\}/;

/** Cases by patterns; numbers that braces stand for, as of files of nnU-Net, are places in `known` names. Throws ImagingError for a pattern that is none. */
export async function matchCases(
  dir: string,
  { images, labels }: DatasetPatterns,
  known: readonly string[] = [],
): Promise<FoundCases> {
  if (images === undefined) {
    const hint = 'Give "images" as well, such as *_ct.nii.gz.';
    throw new ImagingError({
      field: 'labels',
      expected: 'a pattern of images beside it',
      found: 'none',
      hint,
    });
  }
  const truths = labels === undefined ? [] : await matches(dir, labels, 'labels');
  const isTruth = new Set(truths.map(({ file }) => file));
  const truthOf = new Map(truths.map(({ id, file }) => [id, file]));
  // `*.nii.gz` would take `a_seg.nii.gz` for an image too.
  const found = (await matches(dir, images, 'images')).filter(({ file }) => !isTruth.has(file));
  const byCase = new Map<string, Map<string, string>>();
  for (const { id, channel, file } of found)
    byCase.set(id, (byCase.get(id) ?? new Map<string, string>()).set(channel, file));
  const names = namesOfChannels(images, found);
  const faults: ImagingError[] = [];
  const cases: FoundCase[] = [];
  for (const [id, files] of byCase) {
    const label = truthOf.get(id);
    const missing = names.filter((name) => !files.has(name));
    if (missing.length > 0) {
      faults.push(lacking(dir, images, id, missing, [...files.keys()]));
      continue;
    }
    const channels = names.map((name) => ({ file: files.get(name)! }));
    cases.push({ id, image: channels[0].file, ...(names.length > 1 && { channels }), label });
  }
  for (const { id, file } of truths) {
    if (byCase.has(id)) continue;
    const expected = `its image ${images.replace('*', id)}`;
    const hint = `Add the image, or take the label map out of ${dir}.`;
    const found = 'nothing at this path';
    faults.push(new ImagingError({ file, field: `label of case ${id}`, expected, found, hint }));
  }
  const channelNames = names.map((name) => (/^\d{4}$/.test(name) && known[Number(name)]) || name);
  return { cases, faults, ...(braces.test(images) && { channelNames }) };
}

/** A case whose files lack channels. */
function lacking(
  dir: string,
  images: string,
  id: string,
  missing: readonly string[],
  there: readonly string[],
): ImagingError {
  return new ImagingError({
    file: path.join(dir, images.replace('*', id).replace(braces, missing[0])),
    field: `channels of case ${id}`,
    expected: `a file of ${missing.join(', ')}`,
    found: there.length === 0 ? 'none' : `those of ${there.join(', ')}`,
    hint: 'Add the file, or name the channels that all cases have in the pattern, as {t1,t2}.',
  });
}

/** Channels in their order: as the pattern lists them, else those that were found in natural order. */
function namesOfChannels(pattern: string, found: readonly Match[]): string[] {
  const listed = listOf(pattern);
  if (listed !== undefined) return listed;
  const natural = new Intl.Collator('en', { numeric: true });
  const names = [...new Set(found.map(({ channel }) => channel))].sort(natural.compare);
  if (names.length > mostChannels)
    throw new ImagingError({
      field: 'images',
      expected: `at most ${mostChannels} channels`,
      found: `${names.length} by "${pattern}": ${names.slice(0, 5).join(', ')}...`,
      hint: 'Name the channels in the pattern, as {t1,t2}.',
    });
  return names;
}

/** The channels that a pattern lists. */
function listOf(pattern: string): string[] | undefined {
  const inside = braces.exec(pattern)?.[1];
  return inside === undefined || inside === 'channel'
    ? undefined
    : inside.split(',').map((name) => sameForm(name.trim()));
}

/** A path that a pattern fits, and what its star and its braces stand for there. */
interface Match {
  readonly id: string;
  /** Empty where the pattern has no braces. */
  readonly channel: string;
  readonly file: string;
}

/** The paths that a pattern fits, in the order of the folders. */
async function matches(dir: string, pattern: string, field: 'images' | 'labels'): Promise<Match[]> {
  const parts = pattern.split('/').filter((part) => part !== '.' && part !== '');
  checkPattern(pattern, parts, field);
  const listed = listOf(pattern);
  let found: Match[] = [{ id: '', channel: '', file: dir }];
  for (const part of parts) {
    const fits = fitOf(sameForm(part), listed);
    const next: Match[] = [];
    for (const match of found) {
      if (fits === undefined) {
        next.push({ ...match, file: path.join(match.file, part) });
        continue;
      }
      // What a star found may be a file; where the pattern begins there must be a folder.
      const within = match.id !== '' || match.channel !== '';
      if (within && !(existsSync(match.file) && statSync(match.file).isDirectory())) continue;
      for (const { name } of await namesIn(match.file)) {
        const fit = fits.exec(sameForm(name));
        if (fit === null) continue;
        const { id = match.id, channel = match.channel } = fit.groups ?? {};
        next.push({ id, channel, file: path.join(match.file, name) });
      }
    }
    found = next;
  }
  const seen = new Map<string, string>();
  return found
    .filter(({ file }) => existsSync(file))
    .map(({ id, channel, file }) => {
      const key = `${id}/${channel}`;
      const other = seen.get(key);
      if (other !== undefined) {
        const [both, one] = [
          `${path.relative(dir, other)} and ${path.relative(dir, file)}`,
          channel && `, channel ${channel}`,
        ];
        throw new ImagingError({
          file: dir,
          field: 'files',
          expected: `one of case ${id}${one}`,
          found: both,
        });
      }
      seen.set(key, file);
      return { id, channel, file: unwrapped(file) };
    });
}

function checkPattern(pattern: string, parts: readonly string[], field: 'images' | 'labels'): void {
  const stars = pattern.split('*').length - 1;
  const [opened, closed] = [pattern.split('{').length - 1, pattern.split('}').length - 1];
  const sound =
    opened === closed && opened <= (field === 'images' ? 1 : 0) && opened === (braces.test(pattern) ? 1 : 0);
  if (stars === 1 && sound && !path.isAbsolute(pattern) && !parts.includes('..')) {
    const listed = listOf(pattern);
    if (
      listed === undefined ||
      (!listed.some((name) => name === '' || name.includes('/')) && new Set(listed).size === listed.length)
    )
      return;
  }
  const also = field === 'images' ? ', and at most one {channel} or {t1,t2}' : '';
  const expected = `a path within the data set with one * where the id of a case stands${also}`;
  throw new ImagingError({ field, expected, found: `"${pattern}"` });
}

/** What fits one part of a path; undefined where it stands for itself. */
function fitOf(part: string, listed: readonly string[] | undefined): RegExp | undefined {
  if (!part.includes('*') && !braces.test(part)) return undefined;
  const plain = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const channel = listed === undefined ? '.+?' : listed.map(plain).join('|');
  const pieces = part.split(/(\*|\{[^{}]*\})/).map((piece) => {
    if (piece === '*') return '(?<id>.+)';
    return braces.test(piece) ? `(?<channel>${channel})` : plain(piece);
  });
  return new RegExp(`^${pieces.join('')}$`, 's');
}
