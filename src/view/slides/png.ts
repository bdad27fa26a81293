import { promisify } from 'node:util';
import { crc32, deflate } from 'node:zlib';

const packed = promisify(deflate);

/** The bytes that every PNG begins with. */
const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** Samples of a picture of grey (1) or of red, green and blue (3), interleaved, as a PNG, packed away from the main thread. */
export async function encodePng(
  samples: Uint8Array,
  { height, width, channels }: { readonly height: number; readonly width: number; readonly channels: 1 | 3 },
): Promise<Buffer> {
  const row = width * channels;
  const lines = Buffer.alloc(height * (row + 1));
  for (let y = 0; y < height; y++) {
    const [from, to] = [y * row, y * (row + 1)];
    // Filter 1: what is kept is the difference to the pixel on the left.
    lines[to] = 1;
    for (let n = 0; n < row; n++)
      lines[to + 1 + n] = samples[from + n] - (n < channels ? 0 : samples[from + n - channels]);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // Bits of a sample; kind of colours.
  head.set([8, channels === 3 ? 2 : 0], 8);
  const data = await packed(lines, { level: 1 });
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(kind: string, data: Buffer): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(kind, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}
