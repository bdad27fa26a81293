import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import {
  ChunkCache,
  loadCase,
  openDataset,
  preprocess,
  StoredCase,
  writePhantom,
} from '../../../dist/imaging/index.js';
import { mutateBytes, mutateJson } from '../mutate.mjs';
import { equal } from './scan.mjs';

const SPACING = 24;
const CASE = 'phantom_000';
const texts = ['.zattrs', `${CASE}/.zattrs`, `${CASE}/image/.zarray`, `${CASE}/labels/.zarray`];
const chunks = [`${CASE}/image/0.0.0`, `${CASE}/labels/0.0.0`];

/** A store of one case, of which one file is damaged. */
export async function zarr(folder) {
  const data = path.join(folder, 'data');
  const store = path.join(folder, 'store');
  // A process that takes over from one that hung finds what that one made.
  await writePhantom({ out: data, size: 16, cases: 1, overwrite: true });
  await preprocess({ data, out: store, spacing: SPACING });
  const whole = Object.fromEntries(
    [...texts, ...chunks].map((file) => [file, readFileSync(path.join(store, file))]),
  );

  async function load(place) {
    const found = await openDataset(place);
    const [entry] = found.cases;
    const { shape, image, labels } = await loadCase(entry, { spacing: SPACING });
    await StoredCase.open(entry, { spacing: SPACING }, new ChunkCache(2 ** 26));
    return { shape, image, labels, classes: found.labelNames?.length };
  }
  const sound = await load(store);

  return {
    mutant(random) {
      if (random.once(3)) {
        const file = random.pick(chunks);
        // Before it is packed, the damage gets a sum that fits.
        if (random.once(3)) return { [file]: deflateSync(mutateBytes(random, inflateSync(whole[file]))) };
        return { [`${file}`]: mutateBytes(random, whole[file], 8) };
      }
      const file = random.pick(texts);
      return { [file]: Buffer.from(mutateJson(random, whole[file].toString())) };
    },
    async read(place, files) {
      const [[name, bytes]] = Object.entries(files);
      cpSync(store, place, { recursive: true });
      writeFileSync(path.join(place, name), bytes);
      const { shape, image, labels, classes } = await load(place);
      const count = shape[0] * shape[1] * shape[2];
      if (image.length !== count || labels.length !== count)
        return `${image.length} voxels of the shape ${shape}`;
      if (!image.every(Number.isFinite)) return 'a voxel is not finite';
      // Without a list of names every label is taken.
      if (classes !== undefined && !labels.every((label) => label < classes)) return 'a label has no name';
      const damaged = chunks.includes(name) && !packedAnew(bytes);
      return damaged && !(equal(image, sound.image) && equal(labels, sound.labels))
        ? 'other voxels than were packed'
        : undefined;
    },
  };
}

function packedAnew(bytes) {
  try {
    inflateSync(bytes);
    return true;
  } catch {
    return false;
  }
}
