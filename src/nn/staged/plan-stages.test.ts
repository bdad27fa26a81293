import { expect, it } from 'vitest';
import { checkPlainUNet } from '../plain-unet.ts';
import { type PlannedAxis, planStages } from './plan-stages.ts';

const axes = (size: readonly number[], spacing: readonly number[]): Record<string, PlannedAxis> =>
  Object.fromEntries(
    ['depth', 'height', 'width'].map((name, n) => [name, { size: size[n], spacing: spacing[n] }]),
  );

const rows = (stages: ReturnType<typeof planStages>, key: 'stride' | 'kernel'): string[] =>
  stages.map((stage) => Object.values(stage[key]).join(''));

it('cubes are halved along all axes down to 4 voxels', () => {
  const stages = planStages('residual', axes([128, 128, 128], [1, 1, 1]), 32);
  expect(rows(stages, 'stride')).toEqual(['111', '222', '222', '222', '222', '222']);
  expect(stages.map(({ filters }) => filters)).toEqual([32, 64, 128, 256, 320, 320]);
  expect(stages.map(({ down }) => down)).toEqual([1, 3, 4, 6, 6, 6]);
  expect(stages.map(({ up }) => up)).toEqual([1, 1, 1, 1, 1, 0]);
  checkPlainUNet({ kind: 'residual', classes: 3, stages, slope: 0.01, epsilon: 1e-5, scale: 1, shift: 0 });
});

// The plans of nnU-Net for Task05_Prostate, 3d_fullres.
it('thick slices are halved across and seen one by one until the spacings meet', () => {
  const stages = planStages('plain', axes([20, 320, 256], [3.6, 0.62, 0.62]), 32);
  expect(rows(stages, 'stride')).toEqual(['111', '122', '122', '222', '222', '122', '122']);
  expect(rows(stages, 'kernel')).toEqual(['133', '133', '333', '333', '333', '333', '333']);
});

it('small images have one stage, and a last axis alone is halved only with voxels to spare', () => {
  expect(rows(planStages('plain', axes([7, 7, 7], [1, 1, 1]), 8), 'stride')).toEqual(['111']);
  expect(rows(planStages('plain', axes([4, 4, 11], [1, 1, 1]), 8), 'stride')).toEqual(['111']);
  expect(rows(planStages('plain', axes([4, 4, 12], [1, 1, 1]), 8), 'stride')).toEqual(['111', '112']);
});
