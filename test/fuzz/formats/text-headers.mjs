import path from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { mutateBytes, mutateText } from '../mutate.mjs';
import { readSound, voxels } from './scan.mjs';

/** The header, or the file of voxels that it points to. */
const errors = { names: /^\/.+?: / };

const BZIP2 =
  'QlpoOTFBWSZTWYwOWvUAAEX///JJJJJJJJJJJJJJJJJJJJJJJJJNttttttttttttttttoACEMEAAAAAAAAAAAAADQAAAAAEH/6qhMjTJiaZGRoyGTIxDEGmIZNAYJgACMIDJkwI+ihYwaOHkCJImUKli5gyaNnDp4+gQokaRKmTqFKpWsWrl7BiyZtGrZu4cunbx6/gw4seTLmz6NOrXs2xL2DFkzaNWzdw5dO3j18uCfgwQQAAQwgwgggAAAAAAAAAAAAAAAAAAAChRpU6lWtX9PWxZtW/b3+Pn6+7l38vX/3BhxY8mVj/f4u5IpwoSEYHLXqA=';

const bytesOf = (text) => Buffer.from(text, 'latin1');

function damagedHead(random, text) {
  return random.once(4) ? mutateBytes(random, bytesOf(text)) : bytesOf(mutateText(random, text));
}

const damagedNowAndThen = (random, bytes) => (random.once(5) ? mutateBytes(random, bytes) : bytes);

/** The voxels in every encoding of NRRD; those of bzip2 packed by bzip2 1.0.8. */
const encodings = [
  ['raw', voxels],
  ['gzip', gzipSync(voxels)],
  ['bzip2', Buffer.from(BZIP2, 'base64')],
  ['hex', bytesOf(voxels.toString('hex'))],
  ['ascii', bytesOf([...new Int16Array(Uint8Array.from(voxels).buffer)].join(' '))],
];

/** A header as a segmentation of Slicer has it: a list axis of one layer, and the names of segments. */
const segmented = (text) =>
  text
    .replace('dimension: 3', 'dimension: 4')
    .replace('sizes: 4', 'sizes: 1 4')
    .replace('space directions: ', 'space directions: none ')
    .replace('kinds: ', 'kinds: list ')
    .concat('Segment0_ID:=Segment_1\nSegment0_LabelValue:=1\nSegment0_Layer:=0\nSegment0_Name:=liver\n');

export function nrrd() {
  const head = (encoding, more = '') =>
    'NRRD0004\n# a note\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 4 5 6\n' +
    'space directions: (2,0,0) (0,3,0) (0,0,4)\nspace units: "mm" "mm" "mm"\nkinds: domain domain domain\nendian: little\n' +
    `encoding: ${encoding}\nspace origin: (1,2,3)\n${more}`;
  return {
    mutant(random) {
      const [encoding, packed] = random.pick(encodings);
      const whole = damagedNowAndThen(random, packed);
      if (random.once(4)) {
        // A file for each of the slices, or for each three of them.
        const files = random.once(2) ? 6 : 2;
        const names = Array.from({ length: files }, (_, n) => `${n}.raw`);
        const more = random.once(2)
          ? `data file: LIST${files === 6 ? '' : ' 3'}\n${names.join('\n')}\n`
          : `data file: %d.raw 0 ${files - 1} 1${files === 6 ? '' : ' 3'}\n`;
        const each = voxels.length / files;
        const parts = names.map((name, n) => {
          const part = voxels.subarray(n * each, (n + 1) * each);
          return [name, damagedNowAndThen(random, encoding === 'gzip' ? gzipSync(part) : part)];
        });
        const kind = encoding === 'gzip' ? 'gzip' : 'raw';
        return { 'scan.nhdr': damagedHead(random, head(kind, more)), ...Object.fromEntries(parts) };
      }
      if (random.once(4)) {
        const text = head(encoding, 'data file: scan.raw\n');
        return { 'scan.nhdr': damagedHead(random, text), 'scan.raw': whole };
      }
      const text = random.once(4) ? segmented(head(encoding)) : head(encoding);
      return { 'scan.nrrd': Buffer.concat([damagedHead(random, text), bytesOf('\n'), whole]) };
    },
    read: (folder, files) => readSound(path.join(folder, Object.keys(files)[0])),
    errors,
  };
}

export function metaImage() {
  const head = (packed, file, binary = 'True') =>
    `ObjectType = Image\nNDims = 3\nBinaryData = ${binary}\nBinaryDataByteOrderMSB = False\n` +
    `CompressedData = ${packed}\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 1 2 3\nCenterOfRotation = 0 0 0\n` +
    'AnatomicalOrientation = RAI\nElementSpacing = 2 3 4\nDimSize = 4 5 6\nElementType = MET_SHORT\n' +
    `ElementDataFile = ${file}\n`;
  return {
    mutant(random) {
      const packed = random.once(3);
      const data = damagedNowAndThen(random, packed ? deflateSync(voxels) : voxels);
      const flag = packed ? 'True' : 'False';
      if (random.once(4)) {
        const [, text] = encodings.at(-1);
        const words = damagedNowAndThen(random, text);
        return { 'scan.mha': Buffer.concat([damagedHead(random, head('False', 'LOCAL', 'False')), words]) };
      }
      if (random.once(4)) {
        const names = Array.from({ length: 6 }, (_, n) => `${n}.raw`);
        const parts = names.map((name, n) => [
          name,
          damagedNowAndThen(random, voxels.subarray(40 * n, 40 * n + 40)),
        ]);
        const text = head('False', random.once(2) ? `LIST\n${names.join('\n')}` : '%d.raw 0 5 1');
        return { 'scan.mhd': damagedHead(random, text), ...Object.fromEntries(parts) };
      }
      if (random.once(3))
        return { 'scan.mhd': damagedHead(random, head(flag, 'scan.raw')), 'scan.raw': data };
      return { 'scan.mha': Buffer.concat([damagedHead(random, head(flag, 'LOCAL')), data]) };
    },
    read: (folder, files) => readSound(path.join(folder, Object.keys(files)[0])),
    errors,
  };
}
