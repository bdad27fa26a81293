import path from 'node:path';
import { readScanHeader, readScanSlabs } from '../formats/scan.ts';
import { imageOf, isZarr } from '../store/format.ts';
import { ImagingError } from '../volume/errors.ts';
import type { ChannelFile, ScanHeader, ScanReadOptions, SlabSink } from '../volume/scan-types.ts';
import type { Grid } from '../volume/volume.ts';
import { checkChannelGrid } from './channel-grid.ts';

/** What the channels of a case are read by. */
export interface ChannelledCase {
  readonly id: string;
  /** The image, or that of the first of several channels. */
  readonly image: string;
  readonly series?: string;
  readonly lean?: ScanReadOptions['lean'];
  readonly channels?: readonly ChannelFile[];
}

/** Where the channels of a case lie, in their order. */
export function channelFiles({ image, channels }: ChannelledCase): readonly ChannelFile[] {
  return channels ?? [{ file: image }];
}

/** A case with its channels, so many, also where it is one of a store, which lists the first. */
export function withStoredChannels<T extends ChannelledCase>(entry: T, count: number): T {
  if (count === 1 || !isZarr(entry.image)) return entry;
  const file = (n: number): string => path.join(path.dirname(entry.image), imageOf(n));
  return { ...entry, channels: Array.from({ length: count }, (_, n) => ({ file: file(n) })) };
}

/** The files of the image of a case, each once. */
export function imageFiles(entry: ChannelledCase): readonly string[] {
  return [...new Set(channelFiles(entry).map(({ file }) => file))];
}

function optionsOf(
  { series, lean }: ChannelledCase,
  { volume, volumes }: ChannelFile,
  options: ScanReadOptions = {},
): ScanReadOptions {
  return { ...options, series, ...(lean && { lean }), ...(volume !== undefined && { volume, volumes }) };
}

/** Reads the header of a channel of a case. Throws ImagingError as readScanHeader does. */
export function readChannelHeader(entry: ChannelledCase, channel = 0): Promise<ScanHeader> {
  const place = channelFiles(entry)[channel];
  return readScanHeader(place.file, optionsOf(entry, place));
}

/** Reads a channel of a case, a few slices at a time. Throws ImagingError as readScanSlabs does. */
export function readChannelSlabs<T>(
  entry: ChannelledCase,
  channel: number,
  begin: (scan: ScanHeader) => SlabSink<T>,
  options?: ScanReadOptions,
): Promise<T> {
  const place = channelFiles(entry)[channel];
  return readScanSlabs(place.file, optionsOf(entry, place, options), begin);
}

/** Throws ImagingError where a channel of a case does not lie on the voxels of its first one; the order of axes may differ. */
export function checkSameGrid(entry: ChannelledCase, channel: number, grid: Grid, first: Grid): void {
  checkChannelGrid({ id: entry.id, file: channelFiles(entry)[channel].file, channel }, grid, first);
}

/** Throws ImagingError where a case has another number of channels than it should. */
export function checkChannelCount(entry: ChannelledCase, wanted: number): void {
  const found = channelFiles(entry);
  if (found.length === wanted) return;
  throw new ImagingError({
    file: entry.image,
    field: `channels of case ${entry.id}`,
    expected: wanted === 1 ? 'one' : `${wanted}: ${wanted} files, or one with ${wanted} volumes`,
    found: `${found.length}`,
  });
}
