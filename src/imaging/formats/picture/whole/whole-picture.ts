import { ImagingError } from '../../../volume/errors.ts';
import type { PictureFacts } from '../picture-types.ts';
import { sampleBytes } from '../picture-types.ts';

/** Bytes of samples of a picture that is unpacked as a whole, at most. */
const mostWhole = 2 ** 30;

/** Refuses a picture that is too large to be unpacked as a whole. */
export function checkWhole(
  { file, format, channels, type }: Pick<PictureFacts, 'file' | 'format' | 'channels' | 'type'>,
  height: number,
  width: number,
  maxBytes = mostWhole,
): void {
  const most = Math.min(maxBytes, mostWhole);
  const bytes = height * width * channels * sampleBytes(type);
  if (bytes <= most) return;
  throw new ImagingError({
    file,
    field: 'size of the picture',
    expected: `at most ${most} bytes unpacked, as a ${format} is unpacked as a whole`,
    found: `${bytes} (${width} x ${height} pixels)`,
    hint: 'Write it as TIFF in tiles, for example with: vips tiffsave IN OUT --tile --pyramid --bigtiff',
  });
}
