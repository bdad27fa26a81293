import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../src/core/index.ts';
import { RGB_CHANNELS, writeNifti } from '../src/imaging/index.ts';

// Small pictures of stained tissue, as volumes of depth 1 with three channels: pink tissue with darker glands and violet tumour, on
// white glass.

/** Height and width. */
export const STAINED = [44, 52] as const;
const CLASSES = { glass: 0, tissue: 1, tumour: 2 } as const;
const COLOURS: Readonly<Record<keyof typeof CLASSES, readonly number[]>> = {
  glass: [244, 243, 246],
  tissue: [226, 160, 196],
  tumour: [112, 70, 150],
};

/** A picture [height, width] of three colours, and its label map. */
export function stained(seed: number, [height, width]: readonly [number, number] = STAINED) {
  const random = new RandomStream(seed, 77);
  const tumour = { y: random.between(0.35, 0.65) * height, x: random.between(0.35, 0.65) * width };
  const radius = random.between(0.12, 0.2) * height;
  const labels = new Uint8Array(height * width);
  const channels = RGB_CHANNELS.map(() => new Uint8Array(height * width));
  for (let n = 0; n < labels.length; n++) {
    const [y, x] = [Math.floor(n / width), n % width];
    const edge = Math.hypot((y / height - 0.5) * 2, (x / width - 0.5) * 2);
    const name =
      edge > 0.95 ? 'glass' : Math.hypot(y - tumour.y, x - tumour.x) < radius ? 'tumour' : 'tissue';
    labels[n] = CLASSES[name];
    for (const [c, values] of channels.entries())
      values[n] = Math.min(255, Math.max(0, COLOURS[name][c] + random.between(-9, 9)));
  }
  return { channels, labels };
}

/** A data set of such pictures in nnU-Net's folders: `slide_000` and so on, and pictures without labels in `imagesTs`. */
export async function writeStained(dir: string, cases: number, size = STAINED): Promise<void> {
  for (const name of ['imagesTr', 'labelsTr', 'imagesTs'])
    mkdirSync(path.join(dir, name), { recursive: true });
  const [height, width] = size;
  const affine = [5e-3, 0, 0, 0, 0, 5e-3, 0, 0, 0, 0, 5e-3, 0, 0, 0, 0, 1] as const;
  const grid = { shape: [1, height, width] as const, affine };
  for (let n = 0; n <= cases; n++) {
    const { channels, labels } = stained(n, size);
    const id = `slide_00${n}`;
    const images = n < cases ? 'imagesTr' : 'imagesTs';
    for (const [c, data] of channels.entries())
      await writeNifti(path.join(dir, images, `${id}_000${c}.nii`), { ...grid, data });
    if (n < cases) await writeNifti(path.join(dir, 'labelsTr', `${id}.nii`), { ...grid, data: labels });
  }
  writeFileSync(
    path.join(dir, 'dataset.json'),
    JSON.stringify({
      channel_names: Object.fromEntries(RGB_CHANNELS.entries()),
      labels: { background: 0, tissue: 1, tumour: 2 },
      numTraining: cases,
      file_ending: '.nii',
    }),
  );
}
