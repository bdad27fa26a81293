import type { FrameDecoder } from './frame-format.ts';

/** A way to compress pixels: its name, and what loads its decoder. */
interface Compression {
  readonly name: string;
  /** Absent where there is none. */
  readonly load?: () => Promise<FrameDecoder>;
}

const jpeg = async () => (await import('./jpeg.ts')).decodeJpeg;
const jpeg2000 = async () => (await import('./wasm-codec.ts')).loadJpeg2000();
const jpegLs = async () => (await import('./wasm-codec.ts')).loadJpegLs();
const rle = async () => (await import('./rle.ts')).decodeRle;

/** Transfer syntaxes whose pixels are compressed, by UID (DICOM PS3.6, annex A). */
const compressions: ReadonlyMap<string, Compression> = new Map<string, Compression>([
  ['1.2.840.10008.1.2.4.50', { name: 'JPEG Baseline', load: jpeg }],
  ['1.2.840.10008.1.2.4.51', { name: 'JPEG Extended', load: jpeg }],
  ['1.2.840.10008.1.2.4.57', { name: 'JPEG Lossless', load: jpeg }],
  ['1.2.840.10008.1.2.4.70', { name: 'JPEG Lossless, first-order prediction', load: jpeg }],
  ['1.2.840.10008.1.2.4.80', { name: 'JPEG-LS Lossless', load: jpegLs }],
  ['1.2.840.10008.1.2.4.81', { name: 'JPEG-LS Near-Lossless', load: jpegLs }],
  ['1.2.840.10008.1.2.4.90', { name: 'JPEG 2000 Lossless', load: jpeg2000 }],
  ['1.2.840.10008.1.2.4.91', { name: 'JPEG 2000', load: jpeg2000 }],
  ['1.2.840.10008.1.2.4.100', { name: 'MPEG2' }],
  ['1.2.840.10008.1.2.4.110', { name: 'JPEG XL Lossless' }],
  ['1.2.840.10008.1.2.4.112', { name: 'JPEG XL' }],
  ['1.2.840.10008.1.2.4.201', { name: 'High-Throughput JPEG 2000 Lossless', load: jpeg2000 }],
  ['1.2.840.10008.1.2.4.202', { name: 'High-Throughput JPEG 2000 RPCL Lossless', load: jpeg2000 }],
  ['1.2.840.10008.1.2.4.203', { name: 'High-Throughput JPEG 2000', load: jpeg2000 }],
  ['1.2.840.10008.1.2.5', { name: 'RLE Lossless', load: rle }],
]);

/** The name of a transfer syntax with its UID, for messages. */
export function transferSyntaxName(uid: string): string {
  const name = compressions.get(uid)?.name;
  return name === undefined ? `transfer syntax ${uid.slice(0, 64)}` : `${name} (${uid})`;
}

/** Whether pixels of this syntax can be unpacked. */
export const isUnpackable = (uid: string): boolean => compressions.get(uid)?.load !== undefined;

const loaded = new Map<string, Promise<FrameDecoder>>();

/** The decoder of a syntax that can be unpacked, loaded when it is first asked for; a damaged frame makes it load anew. */
export function frameDecoder(uid: string): Promise<FrameDecoder> {
  const found = loaded.get(uid);
  if (found !== undefined) return found;
  const decoder = compressions.get(uid)!.load!();
  loaded.set(uid, decoder);
  return decoder;
}

/** Takes no decoder twice that has failed: the memory of its module may be anything. */
export const dropDecoder = (uid: string): boolean => loaded.delete(uid);
