import { describe, expect, it } from 'vitest';
import { type Shape3, scalingAffine } from '../../imaging/index.ts';
import { CPU_TARGET } from '../../machine/index.ts';
import { processBytes } from '../../plan/index.ts';
import { resolveConfig } from '../config/config.ts';
import { checkProbabilities, checkStatistics } from './further-room.ts';

const MiB = 2 ** 20;
const own = Math.ceil(processBytes(CPU_TARGET.spaces.tensors.fixedBytes, 1) / MiB);
const within = (MiBs: number | undefined) =>
  resolveConfig({ data: 'x', out: 'y', memoryLimit: MiBs === undefined ? undefined : MiBs * MiB });

/** A scan of 64 MiB voxels, which a network sees as 8 MiB. */
const grid = { shape: [256, 512, 512] as Shape3, affine: scalingAffine([1, 1, 1]) };
const sizes = { geometry: { shape: [128, 256, 256] as Shape3, original: grid }, original: grid };

describe('memory of what is written beside the labels', () => {
  it('statistics need the labels of the network and of the file, and a channel', () => {
    checkStatistics(sizes, within(undefined));
    checkStatistics(sizes, within(own + 8 + 5 * 64));
    expect(() => checkStatistics(sizes, within(own + 8 + 5 * 64 - 1))).toThrow(
      `memory limit: the volumes that statistics are taken of do not fit; expected at least ${own + 328}MiB, found ${own + 327}MiB. Raise --memory-limit, or leave out --statistics`,
    );
  });

  it('probabilities need a class on their grid', () => {
    checkProbabilities(sizes, 1, within(own + 4 * 64));
    expect(() => checkProbabilities(sizes, 1, within(own + 4 * 64 - 1))).toThrow(
      /the probabilities of a class do not fit; .*give --probabilities-downsample 2/,
    );
    checkProbabilities(sizes, 2, within(own + 4 * 8));
    expect(() => checkProbabilities(sizes, 0.5, within(undefined))).toThrow('at least 1; found 0.5');
  });
});
