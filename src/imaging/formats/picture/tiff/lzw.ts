import { CodecError } from '../../dicom/codecs/frame-format.ts';

const clear = 256;
const end = 257;
const mostCodes = 4096;

/**
 * Bytes that are packed by LZW as TIFF has it (revision 6.0, section 13): codes of 9 to 12 bits, the highest bit first, that become
 * wider one code early. Gives `size` bytes. Throws CodecError where they are damaged or of another number.
 */
export function unpackLzw(packed: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  // A string of the table is that of another code and one byte more; where it was last written it is copied from.
  const place = new Int32Array(mostCodes);
  const length = new Int32Array(mostCodes);
  let codes = 258;
  let width = 9;
  let before = -1;
  let to = 0;
  let held = 0;
  let bits = 0;
  for (let at = 0; to < size; ) {
    while (bits < width && at < packed.length) {
      held = ((held << 8) | packed[at++]) & 0xffffff;
      bits += 8;
    }
    if (bits < width) break;
    bits -= width;
    const code = (held >> bits) & ((1 << width) - 1);
    if (code === end) break;
    if (code === clear) {
      [codes, width, before] = [258, 9, -1];
      continue;
    }
    // Only the code that this one makes may be used before it is there.
    if (code > codes || (code === codes && before < 0))
      throw new CodecError(`a code ${code} of LZW that is not there`);
    const start = to;
    if (code < 256) out[to++] = code;
    else {
      const [from, count] =
        code === codes ? [place[before], length[before] + 1] : [place[code], length[code]];
      if (to + count > size) {
        // The last string may reach beyond the tile.
        for (let n = 0; to < size; n++) out[to++] = out[from + n];
        break;
      }
      for (let n = 0; n < count; n++) out[to++] = out[from + n];
    }
    if (before >= 0 && codes < mostCodes) {
      // The string of the code before and the first byte of this one lie behind each other in what is unpacked.
      place[codes] = place[before];
      length[codes] = length[before] + 1;
      codes++;
    }
    before = code;
    if (code < 256) [place[code], length[code]] = [start, 1];
    else [place[code], length[code]] = [start, to - start];
    if (codes + 1 >= 1 << width && width < 12) width++;
  }
  if (to === size) return out;
  throw new CodecError(`${to} bytes unpacked, where there should be ${size}`);
}
