import { existsSync } from 'node:fs';
import { isPictureName } from '../formats/picture/picture-grid.ts';
import { ImagingError } from '../volume/errors.ts';
import { type FoundCase, type FoundCases, volumesOf } from './dataset-files.ts';

/**
 * The cases with the colours of their pictures as channels, where nothing has named channels: those of the first picture that can be
 * opened. Pictures of other colours are refused when they are read.
 */
export async function withPictureChannels<T extends FoundCases & { readonly test: readonly FoundCase[] }>(
  found: T,
  named: readonly string[] | undefined,
): Promise<T> {
  if (named !== undefined || found.channelNames !== undefined) return found;
  const all = [...found.cases, ...found.test];
  const pictures = all.filter(({ image }) => isPictureName(image) && existsSync(image));
  for (const { image } of pictures) {
    const channelNames = await channelsIn(image);
    if (channelNames === undefined) continue;
    const withColours = (one: FoundCase): FoundCase =>
      isPictureName(one.image) && channelNames.length > 1
        ? { ...one, channels: volumesOf(one.image, channelNames.length) }
        : one;
    return { ...found, cases: found.cases.map(withColours), test: found.test.map(withColours), channelNames };
  }
  return found;
}

/** Names of the channels of a picture; undefined where it cannot be opened, which whoever reads it says. */
async function channelsIn(file: string): Promise<readonly string[] | undefined> {
  const { openPicture } = await import('../formats/picture/picture.ts');
  const { channelNames } = await import('../formats/picture/picture-scan.ts');
  const { diskFiles } = await import('../formats/disk-files.ts');
  try {
    const picture = await openPicture(diskFiles, file);
    return picture && channelNames[picture.channels];
  } catch (error) {
    if (error instanceof ImagingError) return undefined;
    throw error;
  }
}
