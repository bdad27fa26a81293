import { ImagingError } from '../../../volume/errors.ts';
import { viewOf } from '../../bytes.ts';
import { CodecError } from '../../dicom/codecs/frame-format.ts';
import type { ScanFiles } from '../../scan-files.ts';
import { decodeJpegPicture, jpegFacts } from '../codecs/colour-codecs.ts';
import type { PictureFacts, PictureReadOptions, PictureTiles, PixelSize } from '../picture-types.ts';
import { reopenedFile } from '../reopened-file.ts';
import { isPixelSize, noteOnSize } from '../tiff/tiff-scale.ts';
import { checkWhole } from './whole-picture.ts';

/** Bytes of a JPEG file, at most. */
const mostBytes = 2 ** 30;
/** Bytes before the samples, at most: colour profiles and comments among them. */
const mostHead = 2 ** 24;
/** Pixels that a bit can stand for, at most: a block of 16 x 16 takes a bit and more of each channel. */
const pixelsPerBit = 256;

/** Opens a JPEG picture, which is unpacked as a whole when its first pixel is read. Throws ImagingError where it cannot be read. */
export async function openJpeg(
  files: ScanFiles,
  file: string,
  { labels, maxBytes }: PictureReadOptions,
): Promise<PictureTiles> {
  const refuse = (field: string, expected: string, found: string, hint?: string): never => {
    throw new ImagingError({ file, field, expected, found, ...(hint && { hint }) });
  };
  if (labels)
    refuse(
      'format',
      'PNG or TIFF',
      'JPEG, which changes values',
      'Give label maps in a format without losses.',
    );
  const source = await reopenedFile(files, file);
  if (source.size > mostBytes) refuse('file size', `at most ${mostBytes} bytes of JPEG`, `${source.size}`);
  const head = await source.read(0, Math.min(source.size, mostHead));
  const facts = announcedIn(head, refuse);
  const { height, width, channels } = facts;
  const about = { file, format: 'JPEG', channels, type: 'uint8' } as const satisfies Partial<PictureFacts>;
  checkWhole(about, height, width, maxBytes);
  if (height * width > 8 * pixelsPerBit * source.size)
    refuse(
      'file size',
      `enough for ${width} x ${height} pixels`,
      `${source.size} bytes`,
      'It is cut short or damaged.',
    );
  const found = densityIn(head);
  const isKnown = found !== undefined && isPixelSize(found);
  let whole: Promise<Uint8Array> | undefined;
  const unpacked = async (): Promise<Uint8Array> => {
    try {
      return await decodeJpegPicture(await source.read(0, source.size));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      return refuse('pixels', 'intact data', error.message, 'Copy or download the file again.');
    }
  };
  return {
    ...about,
    levels: [{ height, width, tileHeight: height, tileWidth: width }],
    ...(isKnown && { pixel: found }),
    notes: found !== undefined && !isKnown ? [noteOnSize(found)] : [],
    tile: () => {
      whole ??= unpacked();
      return whole;
    },
  };
}

function announcedIn(
  head: Uint8Array,
  refuse: (field: string, expected: string, found: string, hint?: string) => never,
): { readonly height: number; readonly width: number; readonly channels: 1 | 3 } {
  try {
    const { height, width, channels } = jpegFacts(head);
    return { height, width, channels: channels === 3 ? 3 : 1 };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return refuse('header', 'a JPEG picture of 8 bits, grey or in colours', error.message);
  }
}

/** The size of pixels by the density of JFIF, which is the first segment; undefined where it tells proportions alone. */
function densityIn(head: Uint8Array): PixelSize | undefined {
  const view = viewOf(head);
  if (head.length < 18 || view.getUint16(2) !== 0xffe0 || view.getUint32(6) !== 0x4a464946) return undefined;
  const micronsOfUnit = ({ 1: 25_400, 2: 10_000 } as Readonly<Record<number, number>>)[head[13]];
  const [across, down] = [view.getUint16(14), view.getUint16(16)];
  if (micronsOfUnit === undefined || across === 0 || down === 0) return undefined;
  return { row: micronsOfUnit / down, column: micronsOfUnit / across };
}
