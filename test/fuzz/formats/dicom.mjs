import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { readScan } from '../../../dist/imaging/index.js';
import { mutateBytes } from '../mutate.mjs';
import { readSound, soundness } from './scan.mjs';

/** An element in explicit little endian. */
function element(tag, vr, value) {
  const bytes = Buffer.isBuffer(value)
    ? value
    : Buffer.from(value.length % 2 === 1 ? `${value} ` : value, 'latin1');
  const long = vr === 'OW' || vr === 'OB' || vr === 'SQ';
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(bytes.length, 8);
  else head.writeUInt16LE(bytes.length, 6);
  return Buffer.concat([head, bytes]);
}

function u16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** Small pictures, each compressed in one of the ways of DICOM. */
const frames = JSON.parse(readFileSync(new URL('../../fixtures/dicom-frames.json', import.meta.url), 'utf8'));
const plain = { syntax: '1.2.840.10008.1.2.1', bits: 16, bitsStored: 12, signed: false };

/** An element of undefined length with a frame in two fragments, behind an empty table of offsets. */
function packedPixels(frame) {
  const bytes = Buffer.from(frame, 'base64');
  const half = bytes.length >> 1;
  const item = (tag, body) => {
    const head = Buffer.alloc(8);
    head.writeUInt16LE(0xfffe, 0);
    head.writeUInt16LE(tag, 2);
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body]);
  };
  return Buffer.concat([
    Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]),
    item(0xe000, Buffer.alloc(0)),
    item(0xe000, bytes.subarray(0, half)),
    item(0xe000, bytes.subarray(half)),
    item(0xe0dd, Buffer.alloc(0)),
  ]);
}

/** A slice of 4 x 5 pixels, or, compressed, of 12 x 10. */
function slice(place, { slope = '1', intercept = '-1024', deflated = false, frame } = {}) {
  const { bits, bitsStored, signed, syntax: stored } = frame ?? plain;
  const [columns, rows] = frame === undefined ? [4, 5] : [12, 10];
  const syntax = deflated ? '1.2.840.10008.1.2.1.99' : stored;
  const meta = Buffer.concat([
    element(0x00020002, 'UI', '1.2.840.10008.5.1.4.1.1.2\0'),
    element(0x00020010, 'UI', syntax.length % 2 === 1 ? `${syntax}\0` : syntax),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const pixels = Buffer.alloc(40);
  for (let i = 0; i < 20; i++) pixels.writeUInt16LE(1000 + i + place, 2 * i);
  const body = Buffer.concat([
    element(0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\AXIAL'),
    element(0x00080060, 'CS', 'CT'),
    element(0x0008103e, 'LO', 'series'),
    element(0x00180050, 'DS', '2.0'),
    element(0x0020000e, 'UI', '1.2.3.4\0'),
    element(0x00200013, 'IS', `${place + 1}`),
    element(0x00200032, 'DS', `0\\0\\${2 * place}`),
    element(0x00200037, 'DS', '1\\0\\0\\0\\1\\0'),
    element(0x00280002, 'US', u16(1)),
    element(0x00280010, 'US', u16(rows)),
    element(0x00280011, 'US', u16(columns)),
    element(0x00280030, 'DS', '0.7\\0.8'),
    ...[bits, bitsStored, bitsStored - 1, signed ? 1 : 0].map((value, i) =>
      element(0x00280100 + i, 'US', u16(value)),
    ),
    element(0x00281052, 'DS', intercept),
    element(0x00281053, 'DS', slope),
    frame === undefined ? element(0x7fe00010, 'OW', pixels) : packedPixels(frame.frame),
  ]);
  const start = Buffer.alloc(132);
  start.write('DICM', 128);
  return Buffer.concat([
    start,
    element(0x00020000, 'UL', length),
    meta,
    deflated ? deflateRawSync(body) : body,
  ]);
}

/** A sequence of items, each a list of elements. */
const sequence = (tag, ...items) =>
  element(
    tag,
    'SQ',
    Buffer.concat(
      items.map((elements) => {
        const body = Buffer.concat(elements);
        const head = Buffer.alloc(8);
        head.writeUInt16LE(0xfffe, 0);
        head.writeUInt16LE(0xe000, 2);
        head.writeUInt32LE(body.length, 4);
        return Buffer.concat([head, body]);
      }),
    ),
  );

/** Three slices of 4 x 5 pixels as frames of an enhanced image. */
function enhanced({ slope = '1', intercept = '-1024' } = {}) {
  const meta = Buffer.concat([
    element(0x00020002, 'UI', '1.2.840.10008.5.1.4.1.1.2.1\0'),
    element(0x00020010, 'UI', `${plain.syntax}\0`),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const pixels = Buffer.alloc(3 * PIXELS);
  for (let i = 0; i < 60; i++) pixels.writeUInt16LE(1000 + i, 2 * i);
  const values = sequence(0x00289145, [
    element(0x00281052, 'DS', intercept),
    element(0x00281053, 'DS', slope),
  ]);
  const u32 = (value) => Buffer.from(Uint32Array.of(value).buffer);
  const frame = (place) => [
    sequence(0x00209111, [element(0x00209157, 'UL', u32(place + 1))]),
    sequence(0x00209113, [element(0x00200032, 'DS', `0\\0\\${2 * place}`)]),
    ...(place === 1 ? [values] : []),
  ];
  const start = Buffer.alloc(132);
  start.write('DICM', 128);
  return Buffer.concat([
    ...[start, element(0x00020000, 'UL', length), meta],
    element(0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\VOLUME\\NONE'),
    element(0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2.1\0'),
    element(0x00080060, 'CS', 'CT'),
    element(0x0020000e, 'UI', '1.2.3.4\0'),
    element(0x00280002, 'US', u16(1)),
    element(0x00280008, 'IS', '3'),
    element(0x00280010, 'US', u16(5)),
    element(0x00280011, 'US', u16(4)),
    ...[16, 12, 11, 0].map((value, i) => element(0x00280100 + i, 'US', u16(value))),
    sequence(0x52009229, [
      sequence(0x00189329, [element(0x00089007, 'CS', 'ORIGINAL\\PRIMARY')]),
      sequence(0x00209116, [element(0x00200037, 'DS', '1\\0\\0\\0\\1\\0')]),
      sequence(0x00289110, [element(0x00280030, 'DS', '0.7\\0.8')]),
    ]),
    sequence(0x52009230, frame(2), frame(0), frame(1)),
    element(0x7fe00010, 'OW', pixels),
  ]);
}

const decimals = [
  '1e308',
  '-1e308',
  '1e400',
  'NaN',
  '0',
  '-1',
  '0x10',
  '',
  '1\\2',
  '1e-320',
  '2147483648',
  '.5',
  'constructor',
];
const START = 132;
const PIXELS = 40;

/** A series of three slices, one of which is damaged: its header, or, compressed, also its pixels. */
export function dicom() {
  return {
    mutant(random) {
      const frame = random.once(2) ? random.pick(frames) : undefined;
      const deflated = frame === undefined && random.once(6);
      const slices = [0, 1, 2].map((place) => slice(place, { deflated, frame }));
      const at = random.below(slices.length);
      const pixels = frame === undefined ? PIXELS : packedPixels(frame.frame).length;
      const head = slices[at].length - pixels;
      if (random.once(4))
        slices[at] = slice(at, { slope: random.pick(decimals), intercept: random.pick(decimals), frame });
      else if (random.once(15)) slices[at] = mutateBytes(random, slices[at], START + 8);
      else if (frame !== undefined && !random.once(4)) {
        const rest = mutateBytes(random, slices[at].subarray(head), Math.min(pixels, 200));
        slices[at] = Buffer.concat([slices[at].subarray(0, head), rest]);
      } else {
        const rest = mutateBytes(random, slices[at].subarray(START), head - START);
        slices[at] = Buffer.concat([slices[at].subarray(0, START), rest]);
      }
      return Object.fromEntries(slices.map((bytes, i) => [`series/${i}.dcm`, bytes]));
    },
    read: (folder) => readSound(`${folder}/series`),
  };
}

/** A structure set with two contours on the slices of `structGrid`. */
function structureSet() {
  const meta = Buffer.concat([
    element(0x00020002, 'UI', '1.2.840.10008.5.1.4.1.1.481.3'),
    element(0x00020010, 'UI', `${plain.syntax}\0`),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const contour = (z) => [
    element(0x30060042, 'CS', 'CLOSED_PLANAR'),
    element(0x30060046, 'IS', '4'),
    element(0x30060050, 'DS', `1\\1\\${z}\\4.5\\1\\${z}\\4.5\\3.5\\${z}\\1\\3.5\\${z}`),
  ];
  const start = Buffer.alloc(132);
  start.write('DICM', 128);
  return Buffer.concat([
    ...[start, element(0x00020000, 'UL', length), meta],
    element(0x00080060, 'CS', 'RTSTRUCT'),
    sequence(0x30060020, [element(0x30060022, 'IS', '1'), element(0x30060026, 'LO', 'liver')]),
    sequence(0x30060039, [sequence(0x30060040, contour(0), contour(4)), element(0x30060084, 'IS', '1')]),
  ]);
}

const structGrid = { shape: [4, 5, 6], affine: [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] };

/** A damaged structure set, read as the label map of an image. */
export function dicomStruct() {
  return {
    mutant(random) {
      const sound = structureSet();
      const rest = mutateBytes(random, sound.subarray(START), sound.length - START);
      return { 'rs.dcm': Buffer.concat([sound.subarray(0, START), rest]) };
    },
    async read(folder) {
      const options = { labels: true, onto: structGrid };
      const named = new Map([['liver', 1]]);
      return soundness(await readScan(`${folder}/rs.dcm`, { ...options, structures: named }));
    },
  };
}

/** An enhanced image whose header is damaged. */
export function dicomEnhanced() {
  return {
    mutant(random) {
      if (random.once(4))
        return {
          'series/a.dcm': enhanced({ slope: random.pick(decimals), intercept: random.pick(decimals) }),
        };
      const sound = enhanced();
      const head = sound.length - 3 * PIXELS;
      const rest = mutateBytes(random, sound.subarray(START), head - START);
      return { 'series/a.dcm': Buffer.concat([sound.subarray(0, START), rest]) };
    },
    read: (folder) => readSound(`${folder}/series`),
  };
}

/** Two segments on three slices of 4 x 5 pixels, a bit or a byte for each pixel. */
function segmentation(kind) {
  const bits = kind === 'BINARY' ? 1 : 8;
  const meta = Buffer.concat([
    element(0x00020002, 'UI', '1.2.840.10008.5.1.4.1.1.66.4'),
    element(0x00020010, 'UI', `${plain.syntax}\0`),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  const pixels = bits === 1 ? Buffer.from('0f0000f000000f00', 'hex') : Buffer.alloc(60, 1);
  const frame = (place, segment) => [
    sequence(0x00209113, [element(0x00200032, 'DS', `0\\0\\${2 * place}`)]),
    sequence(0x0062000a, [element(0x0062000b, 'US', u16(segment))]),
  ];
  const start = Buffer.alloc(132);
  start.write('DICM', 128);
  return Buffer.concat([
    ...[start, element(0x00020000, 'UL', length), meta],
    element(0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.66.4'),
    element(0x00080060, 'CS', 'SEG'),
    element(0x0020000e, 'UI', '1.2.3.4\0'),
    element(0x00280002, 'US', u16(1)),
    element(0x00280008, 'IS', '3'),
    element(0x00280010, 'US', u16(5)),
    element(0x00280011, 'US', u16(4)),
    ...[bits, bits, bits - 1, 0].map((value, i) => element(0x00280100 + i, 'US', u16(value))),
    element(0x00620001, 'CS', kind),
    sequence(
      0x00620002,
      [element(0x00620004, 'US', u16(1)), element(0x00620005, 'LO', 'liver')],
      [element(0x00620004, 'US', u16(2)), element(0x00620005, 'LO', 'tumour')],
    ),
    sequence(0x52009229, [
      sequence(0x00209116, [element(0x00200037, 'DS', '1\\0\\0\\0\\1\\0')]),
      sequence(0x00289110, [element(0x00180050, 'DS', '2'), element(0x00280030, 'DS', '0.7\\0.8')]),
    ]),
    sequence(0x52009230, frame(0, 1), frame(1, 2), frame(2, 1)),
    element(0x7fe00010, bits === 1 ? 'OB' : 'OW', pixels),
  ]);
}

/** A damaged segmentation, read as a label map. */
export function dicomSeg() {
  return {
    mutant(random) {
      const sound = segmentation(random.once(3) ? 'LABELMAP' : 'BINARY');
      const rest = mutateBytes(random, sound.subarray(START), sound.length - START);
      return { 'seg.dcm': Buffer.concat([sound.subarray(0, START), rest]) };
    },
    read: async (folder) => soundness(await readScan(`${folder}/seg.dcm`, { labels: true })),
  };
}
