import { ImagingError } from '../../../volume/errors.ts';
import type { DicomSlice } from '../dicom-slice.ts';
import { dropDecoder, frameDecoder, transferSyntaxName } from './decoders.ts';
import { CodecError } from './frame-format.ts';

/** The pixels of a compressed frame. Throws ImagingError for a damaged one. */
export async function unpack(
  { file, rows, columns, pixels }: DicomSlice,
  packed: Uint8Array,
  syntax: string,
): Promise<Uint8Array> {
  const decode = await frameDecoder(syntax);
  const signed = !pixels.type.startsWith('u');
  try {
    return decode(packed, { rows, columns, bytes: pixels.bytes, signed });
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    dropDecoder(syntax);
    const expected = `a sound frame of ${transferSyntaxName(syntax)}`;
    const hint = 'The file is damaged: copy it again, or decompress the series with another program.';
    const problem = { file, field: 'Pixel Data (7FE0,0010)', expected, found: error.message, hint };
    throw new ImagingError(problem, { cause: error });
  }
}
