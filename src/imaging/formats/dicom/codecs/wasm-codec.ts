import { viewOf } from '../../bytes.ts';
import {
  CodecError,
  checkSize,
  type FrameDecoder,
  type FrameFormat,
  samplesAsPixels,
} from './frame-format.ts';

// JPEG 2000 and JPEG-LS by OpenJPEG and CharLS, compiled to WebAssembly.

/** A decoder of one frame, whose memory is the module's until it is deleted. */
interface WasmDecoder {
  /** Room for a packed frame. */
  getEncodedBuffer(bytes: number): Uint8Array;
  decode(): void;
  getFrameInfo(): FrameInfo;
  getDecodedBuffer(): Uint8Array;
  delete(): void;
}

interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  /** Of JPEG 2000 alone. */
  readonly isSigned?: boolean;
}

/** Loads a module with a class `Name`; what it prints is handed over line by line. */
export type LoadCodec<Name extends string> = (options: {
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}) => Promise<Readonly<Record<Name, new () => WasmDecoder>>>;

/** What a packed frame says of itself, looked at before a module takes memory for it. */
interface Announced {
  readonly columns: number;
  readonly rows: number;
  readonly precision: number;
  readonly components: number;
}

/** Loads the decoder of JPEG 2000 codestreams, those of High-Throughput JPEG 2000 among them. */
export async function loadJpeg2000(): Promise<FrameDecoder> {
  const { default: load } = await import('@cornerstonejs/codec-openjpeg/decodewasmjs');
  return wasmDecoder(load, 'J2KDecoder', sizOf);
}

/** Loads the decoder of JPEG-LS, lossless and near-lossless. */
export async function loadJpegLs(): Promise<FrameDecoder> {
  const { default: load } = await import('@cornerstonejs/codec-charls/decodewasmjs');
  return wasmDecoder(load, 'JpegLSDecoder', frameHeaderOf);
}

async function wasmDecoder<Name extends string>(
  load: LoadCodec<Name>,
  name: Name,
  announcedIn: (packed: Uint8Array) => Announced,
): Promise<FrameDecoder> {
  let printed: string[] = [];
  const print = (line: string) => printed.push(line);
  const codec = await load({ print, printErr: print });
  return (packed, format) => {
    checkAnnounced(announcedIn(packed), format);
    printed = [];
    const decoder = new codec[name]();
    try {
      decoder.getEncodedBuffer(packed.length).set(packed);
      decoder.decode();
      return pixelsOf(decoder, format, printed);
    } catch (error) {
      if (error instanceof CodecError) throw error;
      throw new CodecError(complaintIn(printed) ?? reasonOf(error));
    } finally {
      decoder.delete();
    }
  };
}

function pixelsOf(decoder: WasmDecoder, format: FrameFormat, printed: readonly string[]): Uint8Array {
  const { width, height, bitsPerSample, isSigned } = decoder.getFrameInfo();
  const decoded = decoder.getDecodedBuffer();
  const complaint = complaintIn(printed);
  if (complaint !== undefined) throw new CodecError(complaint);
  checkSize(width, height, format);
  const bytes = bitsPerSample <= 8 ? 1 : 2;
  if (decoded.length !== width * height * bytes)
    throw new CodecError(
      `${decoded.length} bytes of pixels, where there should be ${width * height * bytes}`,
    );
  const view = viewOf(decoded);
  const sample = bytes === 1 ? (n: number) => view.getUint8(n) : (n: number) => view.getUint16(2 * n, true);
  // Signed samples fill their bytes with their sign, which unsigned pixels have not.
  const precision = isSigned && !format.signed ? 8 * bytes : bitsPerSample;
  return samplesAsPixels(
    Uint16Array.from({ length: width * height }, (_, n) => sample(n)),
    precision,
    format,
  );
}

function checkAnnounced({ columns, rows, precision, components }: Announced, format: FrameFormat): void {
  checkSize(columns, rows, format);
  if (components !== 1) throw new CodecError(`${components} components, where a slice has one`);
  if (precision < 1 || precision > 16 || precision > 8 * format.bytes)
    throw new CodecError(`samples of ${precision} bits, where the file allocates ${8 * format.bytes} bits`);
}

/** The SIZ segment, which begins a JPEG 2000 codestream (ITU-T T.800, A.5.1). */
function sizOf(packed: Uint8Array): Announced {
  const view = viewOf(packed);
  if (packed.length < 44 || view.getUint32(0) !== 0xff4fff51)
    throw new CodecError('no start of a JPEG 2000 codestream');
  return {
    columns: view.getUint32(8) - view.getUint32(16),
    rows: view.getUint32(12) - view.getUint32(20),
    components: view.getUint16(40),
    precision: (view.getUint8(42) & 127) + 1,
  };
}

/** The frame header of JPEG-LS, behind segments of other kinds (ITU-T T.87, annex C). */
function frameHeaderOf(packed: Uint8Array): Announced {
  const view = viewOf(packed);
  if (packed.length < 4 || view.getUint16(0) !== 0xffd8) throw new CodecError('no start of a JPEG-LS image');
  for (let at = 2; at + 10 <= packed.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker < 0xff00 || marker === 0xffda) break;
    if (marker !== 0xfff7) continue;
    const [rows, columns] = [view.getUint16(at + 5), view.getUint16(at + 7)];
    return { precision: view.getUint8(at + 4), rows, columns, components: view.getUint8(at + 9) };
  }
  throw new CodecError('no frame header of a JPEG-LS image');
}

/** The first line in which OpenJPEG says what is wrong. */
function complaintIn(printed: readonly string[]): string | undefined {
  const line = printed.find((text) => /^\[(ERROR|WARNING)\]/.test(text));
  return line
    ?.replace(/^\[\w+\] /, '')
    .trim()
    .slice(0, 120);
}

/** Modules throw numbers, their own classes and errors of WebAssembly. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && error.message !== ''
    ? error.message.slice(0, 120)
    : 'bytes that cannot be decoded';
