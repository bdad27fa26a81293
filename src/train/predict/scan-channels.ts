import { existsSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../../core/index.ts';
import {
  type ChannelFile,
  channelNumber,
  ImagingError,
  isPictureName,
  readChannelHeader,
  type ScanReadOptions,
  volumesOf,
} from '../../imaging/index.ts';
import { regroup } from '../config/known-names.ts';
import { isFolder, scanName } from './scans.ts';

// Where the channels of scans to segment lie. A run of one channel takes each file as a scan; one of several takes the files
// NAME_0000, NAME_0001... as one, a NIfTI file with as many volumes, a picture with as many colours, or a list of files with commas between them.

/** A scan to segment. */
export interface ChannelledScan {
  /** A file, or the folder of a DICOM series; of several channels the first one's file. */
  readonly input: string;
  readonly channels?: readonly ChannelFile[];
}

/** The scans of a folder's files, for a run with these channels; `volume`: which one of each file or series. */
export function groupedScans(
  files: readonly string[],
  names: readonly string[],
  volume?: number,
): readonly ChannelledScan[] {
  if (names.length === 1) return files.map((input) => scanOf(input, volume));
  checkVolume(volume, names);
  const series = new Map<string, Map<number, string>>();
  const keyOf = (file: string) => {
    const found = channelNumber(path.basename(file));
    return found && { key: path.join(path.dirname(file), found.series), channel: found.channel };
  };
  for (const file of files) {
    const found = keyOf(file);
    if (found) series.set(found.key, (series.get(found.key) ?? new Map()).set(found.channel, file));
  }
  const seen = new Set<string>();
  return files.flatMap((file) => {
    const found = keyOf(file);
    if (found === undefined) return [{ input: file, channels: volumesOf(file, names.length) }];
    if (seen.has(found.key)) return [];
    seen.add(found.key);
    const own = series.get(found.key)!;
    // A picture holds its colours in one file, which nnU-Net gives the number 0 all the same.
    if (own.size === 1 && isPictureName(file))
      return [{ input: file, channels: volumesOf(file, names.length) }];
    const first = own.get(0) ?? file;
    const numbered = (channel: number): string => {
      const [name, digits] = [path.basename(first), String(channel).padStart(4, '0')];
      return path.join(path.dirname(first), name.replace(/_\d{4}(?=(\.[a-z.]+)?$)/i, `_${digits}`));
    };
    const count = Math.max(names.length, Math.max(...own.keys()) + 1);
    const channels = Array.from({ length: count }, (_, n) => ({ file: own.get(n) ?? numbered(n) }));
    return [{ input: first, channels }];
  });
}

/** A scan of one channel. */
const scanOf = (input: string, volume: number | undefined): ChannelledScan =>
  volume === undefined ? { input } : { input, channels: [{ file: input, volume }] };

/** Raises a volume that is asked for where the volumes of a file are channels. */
function checkVolume(volume: number | undefined, names: readonly string[]): void {
  if (volume === undefined) return;
  fail({
    where: '--volume',
    problem: `one volume of a scan is asked for, and the run takes ${names.length} channels (${names.join(', ')})`,
    hint: 'Leave it out: the volumes of a file are the channels, in their order',
  });
}

/** The channels of a single scan. Raises a single file of a scan of several channels, and other numbers of files. */
export async function channelsOfInput(
  input: string,
  names: readonly string[],
  { series, volume }: Pick<ScanReadOptions, 'series' | 'volume'> = {},
): Promise<ChannelledScan> {
  if (names.length === 1) return scanOf(input, volume);
  checkVolume(volume, names);
  const list = regroup(input.split(','), ',', (name) =>
    existsSync(name.trim()) ? name.trim() : undefined,
  ).map((file) => file.trim());
  const problem = `the run takes ${names.length} channels (${names.join(', ')})`;
  const example = names.map((_, n) => `a_${String(n).padStart(4, '0')}.nii.gz`).join(',');
  const hint = `Give their files in this order with commas between them (--input ${example}), a NIfTI file with ${names.length} volumes, or a folder with such files`;
  if (existsSync(input) || list.length === 1) {
    const isNumbered = channelNumber(path.basename(input)) !== undefined && !isPictureName(input);
    if (isNumbered || (await isFolder(input)))
      fail({ where: input, problem, expected: 'all of them', found: 'one', hint });
    const channels = volumesOf(input, names.length);
    try {
      await readChannelHeader({ id: scanName(input), image: input, series, channels });
    } catch (error) {
      if (!(error instanceof ImagingError) || !['dim', 'channels'].includes(error.field)) throw error;
      fail({ where: input, problem, expected: 'all of them', found: error.found, hint }, { cause: error });
    }
    return { input, channels };
  }
  if (list.length !== names.length)
    fail({ where: input, problem, expected: `${names.length} files`, found: `${list.length}`, hint });
  const scan = { input: list[0], channels: list.map((file) => ({ file })) };
  checkChannels(scan, names);
  return scan;
}

/** Raises a scan whose channels are not those of the run: one that is not there, or one too many. */
export function checkChannels({ input, channels }: ChannelledScan, names: readonly string[]): void {
  if (channels === undefined) {
    const number = names.length === 1 ? channelNumber(path.basename(input))?.channel : undefined;
    if (number === undefined || number === 0 || number > 9) return;
    fail({
      where: input,
      problem: 'is a further channel of a scan',
      expected: '_0000',
      found: `_${String(number).padStart(4, '0')}`,
      hint: 'The run takes one channel: leave the files of others out of the folder',
    });
  }
  const problem = `channels of the scan ${scanName(input)}`;
  if (channels!.length > names.length)
    fail({
      where: channels![names.length].file,
      problem,
      expected: `${names.length}: ${names.join(', ')}`,
      found: `${channels!.length}`,
    });
  for (const [n, { file }] of channels!.entries())
    if (!existsSync(file))
      fail({
        where: file,
        problem,
        expected: `its channel ${n} (${names[n]})`,
        found: 'nothing at this path',
      });
}
