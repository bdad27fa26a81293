import path from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { mutateBytes, mutateText } from '../mutate.mjs';
import { readSound, voxels } from './scan.mjs';

/** The header, or the file of voxels that it points to. */
const errors = { names: /^\/.+?: / };

const bytesOf = (text) => Buffer.from(text, 'latin1');

function damagedHead(random, text) {
  return random.once(4) ? mutateBytes(random, bytesOf(text)) : bytesOf(mutateText(random, text));
}

const damagedNowAndThen = (random, bytes) => (random.once(5) ? mutateBytes(random, bytes) : bytes);

export function nrrd() {
  const head = (encoding, more = '') =>
    'NRRD0004\n# a note\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 4 5 6\n' +
    'space directions: (2,0,0) (0,3,0) (0,0,4)\nspace units: "mm" "mm" "mm"\nkinds: domain domain domain\nendian: little\n' +
    `encoding: ${encoding}\nspace origin: (1,2,3)\n${more}`;
  return {
    mutant(random) {
      const packed = random.once(3);
      const encoding = packed ? 'gzip' : 'raw';
      const data = damagedNowAndThen(random, packed ? gzipSync(voxels) : voxels);
      if (random.once(3)) {
        const text = head(encoding, 'data file: scan.raw\n');
        return { 'scan.nhdr': damagedHead(random, text), 'scan.raw': data };
      }
      return { 'scan.nrrd': Buffer.concat([damagedHead(random, head(encoding)), bytesOf('\n'), data]) };
    },
    read: (folder, files) => readSound(path.join(folder, Object.keys(files)[0])),
    errors,
  };
}

export function metaImage() {
  const head = (packed, file) =>
    'ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n' +
    `CompressedData = ${packed}\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 1 2 3\nCenterOfRotation = 0 0 0\n` +
    'AnatomicalOrientation = RAI\nElementSpacing = 2 3 4\nDimSize = 4 5 6\nElementType = MET_SHORT\n' +
    `ElementDataFile = ${file}\n`;
  return {
    mutant(random) {
      const packed = random.once(3);
      const data = damagedNowAndThen(random, packed ? deflateSync(voxels) : voxels);
      const flag = packed ? 'True' : 'False';
      if (random.once(3))
        return { 'scan.mhd': damagedHead(random, head(flag, 'scan.raw')), 'scan.raw': data };
      return { 'scan.mha': Buffer.concat([damagedHead(random, head(flag, 'LOCAL')), data]) };
    },
    read: (folder, files) => readSound(path.join(folder, Object.keys(files)[0])),
    errors,
  };
}
