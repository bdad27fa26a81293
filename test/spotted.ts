import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../src/core/index.ts';
import { RGB_CHANNELS, writeNifti } from '../src/imaging/index.ts';

// Small images whose class as a whole is whether there are bright spots in their noise: volumes, or pictures of depth 1 and three
// channels.

/** Depth, height, width. */
export const SPOTTED = [9, 14, 13] as const;
export const SPOTTED_CLASSES = ['plain', 'spots'] as const;

interface SpottedOptions {
  readonly size?: readonly [number, number, number];
  /** Whether `class` stands in dataset.json; else the table labels.csv says them. */
  readonly described?: boolean;
}

/** The class of image n: every second one has spots. */
export const spottedClass = (n: number): string => SPOTTED_CLASSES[n % 2];

/** Writes images `image_00` and so on with dataset.json; a size of depth 1 makes pictures of three channels. */
export async function writeSpotted(
  dir: string,
  cases: number,
  { size = SPOTTED, described = true }: SpottedOptions = {},
): Promise<void> {
  mkdirSync(path.join(dir, 'imagesTr'), { recursive: true });
  const plane = size[0] === 1;
  const affine = [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] as const;
  const ids = Array.from({ length: cases }, (_, n) => `image_${String(n).padStart(2, '0')}`);
  for (const [n, id] of ids.entries())
    for (const channel of plane ? RGB_CHANNELS.keys() : [0]) {
      const data = voxels(n, size, plane ? [128, 40] : [20, 90]);
      const name = plane ? `${id}_000${channel}` : id;
      await writeNifti(path.join(dir, 'imagesTr', `${name}.nii`), { shape: size, affine, data });
    }
  const training = ids.map((id, n) => ({ image: `imagesTr/${id}.nii`, class: spottedClass(n) }));
  const channels = plane
    ? { channel_names: Object.fromEntries(RGB_CHANNELS.entries()) }
    : { modality: { 0: 'CT' } };
  writeFileSync(
    path.join(dir, 'dataset.json'),
    JSON.stringify(described ? { ...channels, labels: { 0: 'plain', 1: 'spots' }, training } : channels),
  );
  if (!described)
    writeFileSync(
      path.join(dir, 'labels.csv'),
      `id,label\n${ids.map((id, n) => `${id},${spottedClass(n)}\n`).join('')}`,
    );
}

/** Noise about a middle, and in every second image spots above it. */
function voxels(n: number, [depth, height, width]: readonly number[], [middle, high]: readonly number[]) {
  const random = new RandomStream(n, 78);
  const data = Int16Array.from({ length: depth * height * width }, () => middle + random.between(-20, 20));
  if (spottedClass(n) === 'plain') return data;
  for (let spot = 0; spot < 4; spot++) {
    const [z, y, x] = [depth, height, width].map((side) => random.between(0, side));
    for (let at = 0; at < data.length; at++) {
      const [k, j, i] = [Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width];
      if (Math.hypot(k - z, j - y, i - x) < 2.5) data[at] += high;
    }
  }
  return data;
}
