import path from 'node:path';
import { fail } from '../../core/index.ts';
import { type Case, channelFiles, isPictureName, type Shape3 } from '../../imaging/index.ts';
import { augmentationFrom } from './augmentation.ts';
import type { TrainConfig } from './config-type.ts';
import { MOST_PLANE, MOST_SIZE } from './limits.ts';
import { normalizationsOfConfig } from './normalization.ts';

// Networks whose windows slide over height and width alone: over pictures, which are volumes of depth 1 (`plane`), or over the
// slices of a scan (`slices`).

type Flat = Pick<TrainConfig, 'slices' | 'plane'>;

/** Whether windows leave the depth alone. */
export const isFlat = ({ slices, plane }: Flat): boolean => slices !== undefined || plane === true;

/** The kernel of a U-Net: of 3 along all axes that windows slide over. */
export const kernelOf = (config: Flat) => (isFlat(config) ? { height: 3, width: 3 } : 3);

/** The axis that is cut where a memory limit asks for parts: the first one that windows slide over. */
export const outermostAxis = (config: Flat): 'depth' | 'height' => (isFlat(config) ? 'height' : 'depth');

/** The shape that volumes are resampled to by a size: a square, or a cube. */
export const shapeOfSize = ({ plane }: Pick<TrainConfig, 'plane'>, size: number): Shape3 =>
  plane ? [1, size, size] : [size, size, size];

/** Refuses a size of more voxels than an array holds. `where`: what the size is called. */
export function checkSize({ plane }: Pick<TrainConfig, 'plane'>, size: number, where: string): void {
  const most = plane ? MOST_PLANE : MOST_SIZE;
  if (size <= most) return;
  fail({
    where,
    problem: `expected a whole number of at least 1 and at most ${most}, found ${size}`,
    ...(!plane && size <= MOST_PLANE && { hint: 'Only pictures can be as large: give plane (--plane) too' }),
  });
}

/** Refuses a volume that is no picture where the network is one of pictures. `where`: the volume. */
export function checkPlane({ plane }: Pick<TrainConfig, 'plane'>, [depth]: Shape3, where: string): void {
  if (!plane || depth === 1) return;
  fail({
    where,
    problem: 'a network of pictures (plane) sees volumes of depth 1',
    expected: 'a picture, or one slice',
    found: `${depth} slices`,
    hint: 'Leave plane out for volumes, or train on their slices with --slices',
  });
}

/**
 * Refuses a picture where the network is one of volumes: the values of pictures are light, and never what a window in HU is of. A network
 * of slices may be one of pictures, but for such a window.
 */
export function checkKind(config: TrainConfig, entry: Case): void {
  const { plane, slices } = config;
  const [{ file }] = channelFiles(entry);
  if (!isPictureName(file) || plane !== undefined) return;
  if (slices !== undefined && normalizationsOfConfig(config)?.some(({ kind }) => kind === 'window') !== true)
    return;
  fail({
    where: file,
    problem: 'a network of volumes was given a picture',
    expected: 'a scan such as those that it was trained on: NIfTI, NRRD, MetaImage or DICOM',
    found: path.extname(file),
    hint: 'Networks of pictures are trained on data sets of pictures',
  });
}

/** Refuses what is of colours where channels are none: three, whose values from 0 to 255 are brought to others by one line. */
export function checkColours(config: TrainConfig): void {
  const { stain } = augmentationFrom(config.augmentation);
  const key = config.ignoreGlass ? 'ignoreGlass' : stain ? 'augmentation' : undefined;
  if (key === undefined) return;
  const ways = normalizationsOfConfig(config) ?? [];
  // Dark and full light are the ends of the range.
  const ofLight = ways.every(
    (way) => way.kind === 'rgb' || (way.kind === 'clip' && way.lower === 0 && way.upper === 255),
  );
  if (ways.length === 3 && ofLight) return;
  const kinds = ways.map(({ kind }) => kind);
  fail({
    where: `config "${key}"`,
    problem: `${key === 'ignoreGlass' ? 'glass' : 'stain'} is told by three colours`,
    expected: 'channels red, green and blue with the normalization rgb, or clip from 0 to 255',
    found: kinds.length === 0 ? 'one channel' : `${kinds.length} of ${kinds.join(', ')}`,
  });
}
