import { viewOf } from '../../bytes.ts';
import { CodecError } from '../../dicom/codecs/frame-format.ts';
import type { LoadCodec } from '../../dicom/codecs/wasm-codec.ts';

// JPEG and JPEG 2000 of one or three channels, by libjpeg-turbo and OpenJPEG as WebAssembly. Both are loaded with the first such picture,
// and anew after one that is damaged: the memory of a module may be anything then.

/** What a packed picture says of itself. */
export interface Announced {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly bits: number;
}

type Module<Name extends string> = Awaited<ReturnType<LoadCodec<Name>>>;

let jpeg: Promise<Module<'JPEGDecoder'>> | undefined;
let jpeg2000: Promise<Module<'J2KDecoder'>> | undefined;
// A module keeps what it is loaded with: each gets its own.
const silent = () => ({ print: (): void => {}, printErr: (): void => {} });

async function loadJpeg(): Promise<Module<'JPEGDecoder'>> {
  const { default: load } = await import('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs');
  return load(silent());
}

async function loadJpeg2000(): Promise<Module<'J2KDecoder'>> {
  const { default: load } = await import('@cornerstonejs/codec-openjpeg/decodewasmjs');
  return load(silent());
}

/** The samples of a JPEG picture, of three channels as red, green and blue. Throws CodecError where it is damaged. */
export async function decodeJpegPicture(packed: Uint8Array): Promise<Uint8Array> {
  jpeg ??= loadJpeg();
  const announced = jpegFacts(packed);
  const { JPEGDecoder } = await jpeg;
  return decoded(new JPEGDecoder(), packed, announced, () => {
    jpeg = undefined;
  });
}

/** The samples of a JPEG 2000 picture, of more than 8 bits in little endian. Throws CodecError where it is damaged. */
export async function decodeJpeg2000Picture(packed: Uint8Array): Promise<Uint8Array> {
  jpeg2000 ??= loadJpeg2000();
  const announced = jpeg2000Facts(packed);
  const { J2KDecoder } = await jpeg2000;
  return decoded(new J2KDecoder(), packed, announced, () => {
    jpeg2000 = undefined;
  });
}

function decoded(
  decoder: InstanceType<Module<'JPEGDecoder'>['JPEGDecoder']>,
  packed: Uint8Array,
  { width, height, channels, bits }: Announced,
  drop: () => void,
): Uint8Array {
  try {
    decoder.getEncodedBuffer(packed.length).set(packed);
    decoder.decode();
    const found = decoder.getFrameInfo();
    const samples = decoder.getDecodedBuffer();
    const bytes = width * height * channels * (bits > 8 ? 2 : 1);
    if (found.width !== width || found.height !== height || samples.length !== bytes)
      throw new CodecError(`${samples.length} bytes of samples, where there should be ${bytes}`);
    const out = new Uint8Array(samples);
    decoder.delete();
    return out;
  } catch (error) {
    drop();
    if (error instanceof CodecError) throw error;
    throw new CodecError('bytes that cannot be decoded');
  }
}

/** Markers of JPEG without a length behind them: TEM, RST0 to RST7, SOI. */
const isBare = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);

/** The frame header of a JPEG picture (ITU-T T.81, B.2.2). Throws CodecError where there is none that can be decoded. */
export function jpegFacts(packed: Uint8Array): Announced {
  const view = viewOf(packed);
  if (packed.length < 4 || view.getUint16(0) !== 0xffd8) throw new CodecError('no start of a JPEG picture');
  for (let at = 2; at + 10 <= packed.length; ) {
    if (packed[at] !== 0xff) throw new CodecError(`no marker of JPEG at byte ${at}`);
    const marker = packed[at + 1];
    if (marker === 0xff || isBare(marker)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      if (marker > 0xc2)
        throw new CodecError('a JPEG picture that is lossless, hierarchical or arithmetic-coded');
      const facts = {
        bits: packed[at + 4],
        height: view.getUint16(at + 5),
        width: view.getUint16(at + 7),
        channels: packed[at + 9],
      };
      if (facts.bits !== 8) throw new CodecError(`JPEG samples of ${facts.bits} bits`);
      if (facts.channels !== 1 && facts.channels !== 3)
        throw new CodecError(`a JPEG picture of ${facts.channels} channels`);
      if (facts.width === 0 || facts.height === 0) throw new CodecError('a JPEG picture without pixels');
      return facts;
    }
    if (marker === 0xda) break;
    at += 2 + view.getUint16(at + 2);
  }
  throw new CodecError('no frame header of a JPEG picture');
}

/** The SIZ segment, which begins a JPEG 2000 codestream (ITU-T T.800, A.5.1). */
export function jpeg2000Facts(packed: Uint8Array): Announced {
  const view = viewOf(packed);
  if (packed.length < 44 || view.getUint32(0) !== 0xff4fff51)
    throw new CodecError('no start of a JPEG 2000 codestream');
  const channels = view.getUint16(40);
  if ((channels !== 1 && channels !== 3) || packed.length < 42 + 3 * channels)
    throw new CodecError(`a JPEG 2000 picture of ${channels} channels`);
  for (let n = 0; n < channels; n++) {
    const [depth, across, down] = packed.subarray(42 + 3 * n, 45 + 3 * n);
    if (depth !== packed[42] || depth > 15)
      throw new CodecError('JPEG 2000 samples of other than 1 to 16 bits');
    if (across !== 1 || down !== 1)
      throw new CodecError('JPEG 2000 channels of fewer pixels than the picture');
  }
  return {
    width: view.getUint32(8) - view.getUint32(16),
    height: view.getUint32(12) - view.getUint32(20),
    channels,
    bits: packed[42] + 1,
  };
}

/** Red, green and blue of luma and chroma of 8 bits (ITU-T T.871), in place. */
export function rgbOfYcc(samples: Uint8Array): Uint8Array {
  const clamped = new Uint8ClampedArray(samples.buffer, samples.byteOffset, samples.length);
  for (let n = 0; n < samples.length; n += 3) {
    const [luma, blue, red] = [samples[n], samples[n + 1] - 128, samples[n + 2] - 128];
    clamped[n] = luma + 1.402 * red;
    clamped[n + 1] = luma - 0.344136 * blue - 0.714136 * red;
    clamped[n + 2] = luma + 1.772 * blue;
  }
  return samples;
}
