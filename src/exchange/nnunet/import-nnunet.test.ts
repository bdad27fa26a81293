import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyWindow, type Shape3 } from '../../imaging/index.ts';
import { farthest, scoresOfRun } from '../scores.testing.ts';
import { importNnunet } from './import-nnunet.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/exchange/${name}`, import.meta.url));
const floats = (text: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'halomesh-nnunet-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('results of nnU-Net', () => {
  it.each([
    ['nnunet', [3, 3, 3]],
    // Turned axes, thick slices, windows and strides that differ along them, weights in bfloat16.
    ['nnunet-slabs', [0.8, 0.7, 5]],
    // A residual encoder.
    ['nnunet-residual', [3, 1.5, 1.5]],
  ])('of %s give the scores of PyTorch', async (name, spacing) => {
    const out = path.join(folder, name);
    const { config, configuration } = await importNnunet({ nnunet: fixture(name), out });
    expect(configuration).toBe('3d_fullres');
    expect(config).toMatchObject({
      classes: ['background', 'liver', 'tumour'],
      spacing,
      window: { lower: -950, upper: 310.5 },
    });
    const expected = JSON.parse(readFileSync(path.join(fixture(name), 'expected.json'), 'utf8'));
    const image = applyWindow(floats(expected.image), config.window);
    const scores = await scoresOfRun(out, image, expected.size as Shape3);
    expect(farthest(scores, floats(expected.scores))).toBeLessThan(1e-4);
  });

  type Change = readonly [file: 'plans' | 'dataset', path: string, value: unknown];
  const FULL = 'configurations.3d_fullres';
  const NET = `${FULL}.architecture.arch_kwargs`;

  /** Imports the fixture with other values in plans.json or dataset.json; undefined takes a key away. */
  async function withChanged(changes: readonly Change[]) {
    const copy = mkdtempSync(path.join(folder, 'changed-'));
    cpSync(fixture('nnunet'), copy, { recursive: true });
    for (const [name, place, value] of changes) {
      const file = path.join(copy, `${name}.json`);
      const content = JSON.parse(readFileSync(file, 'utf8'));
      const keys = place.split('.');
      const last = keys.pop()!;
      keys.reduce((part, key) => part[key], content)[last] = value;
      writeFileSync(file, JSON.stringify(content));
    }
    const out = path.join(folder, `${path.basename(copy)}-run`);
    try {
      return await importNnunet({ nnunet: copy, out });
    } catch (error) {
      expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
      throw error;
    }
  }

  it('reads the plans of older versions', async () => {
    const cubes = Array.from({ length: 3 }, () => [3, 3, 3]);
    const older: Readonly<Record<string, unknown>> = {
      architecture: undefined,
      UNet_class_name: 'PlainConvUNet',
      UNet_base_num_features: 2,
      unet_max_num_features: 6,
      n_conv_per_stage_encoder: [2, 2, 2],
      n_conv_per_stage_decoder: [2, 2],
      conv_kernel_sizes: cubes,
      pool_op_kernel_sizes: [
        [1, 1, 1],
        [2, 2, 2],
        [2, 2, 2],
      ],
    };
    const changes = Object.entries(older).map(([key, value]) => ['plans', `${FULL}.${key}`, value] as const);
    const { config } = await withChanged(changes);
    const { config: present } = await importNnunet({
      nnunet: fixture('nnunet'),
      out: path.join(folder, 'present'),
    });
    expect(config.network).toEqual(present.network);
  });

  it('takes labels to ignore, and lists of one value, for what they are', async () => {
    const { config } = await withChanged([
      ['dataset', 'labels.liver', [1]],
      ['dataset', 'labels.ignore', 3],
    ]);
    expect(config).toMatchObject({ classes: ['background', 'liver', 'tumour'], ignore: true });
    expect(config.regions).toBeUndefined();
  });

  it('takes channels by their older name, and refuses a folder that is none of results', async () => {
    const { config } = await withChanged([
      ['dataset', 'channel_names', undefined],
      ['dataset', 'modality', { 0: 'CT' }],
    ]);
    expect(config.window).toEqual((await withChanged([])).config.window);
    await expect(importNnunet({ nnunet: folder, out: 'nowhere' })).rejects.toThrow(
      'is no folder of a result of nnU-Net',
    );
  });

  it('takes regions for what they are, and refuses another number of them than the checkpoint has scores of', async () => {
    const whole = { background: 0, whole: [1, 2, 4], core: [2, 4], enhancing: 4, ignore: 5 };
    const labels = ['dataset', 'labels', whole] as const;
    const { config } = await withChanged([labels, ['dataset', 'regions_class_order', [1, 2, 4]]]);
    expect(config).toMatchObject({
      classes: ['background', 'label 1', 'label 2', 'enhancing'],
      classValues: [0, 1, 2, 4],
      regions: [
        { name: 'whole', classes: [1, 2, 3], written: 1 },
        { name: 'core', classes: [2, 3], written: 2 },
        { name: 'enhancing', classes: [3], written: 3 },
      ],
      ignore: true,
    });
    const two = { background: 0, whole: [1, 2], core: 2 };
    const changes = [
      ['dataset', 'labels', two] as const,
      ['dataset', 'regions_class_order', [1, 2]] as const,
    ];
    await expect(withChanged(changes)).rejects.toThrow(/seg_layers.*expected shape \[2, .*found \[3, /);
  });

  it.each<[what: string, change: Change, message: string]>([
    [
      'another network',
      ['plans', `${FULL}.architecture.network_class_name`, 'architectures.primus.Primus'],
      'expected PlainConvUNet or ResidualEncoderUNet, found architectures.primus.Primus',
    ],
    [
      'intensities of more channels than there are',
      ['plans', `${FULL}.normalization_schemes`, ['CTNormalization', 'CTNormalization']],
      'normalization_schemes": channels; expected 1, found 2',
    ],
    [
      'other intensities',
      ['plans', `${FULL}.normalization_schemes`, ['MyNormalization']],
      'RGBTo01Normalization, found MyNormalization',
    ],
    ['a 2-D network', ['plans', `${NET}.conv_op`, 'torch.nn.modules.conv.Conv2d'], 'expected Conv3d, found'],
    ['another norm', ['plans', `${NET}.norm_op`, 'torch.nn.BatchNorm3d'], 'expected InstanceNorm3d'],
    ['dropout', ['plans', `${NET}.dropout_op`, 'torch.nn.Dropout3d'], 'expected none'],
    ['even kernels', ['plans', `${NET}.kernel_sizes.1`, [2, 3, 3]], 'expected odd sizes, found 2, 3, 3'],
    [
      'another way to resample',
      ['plans', `${FULL}.resampling_fn_data`, 'resample_torch_fornnunet'],
      'resampling_fn_data": resampling; expected resample_data_or_seg_to_shape, found resample_torch_fornnunet',
    ],
    [
      'splines of another degree',
      ['plans', `${FULL}.resampling_fn_probabilities_kwargs`, { order: 2 }],
      'resampling_fn_probabilities_kwargs.order": degree; expected 0, 1, 3, found 2',
    ],
    ['no patch', ['plans', `${FULL}.patch_size`, [16, 16]], 'expected three numbers of voxels'],
    ['a cascade', ['plans', `${FULL}.previous_stage`, '3d_lowres'], 'is the second stage of a cascade'],
    [
      'regions without the order in which they are written',
      ['dataset', 'labels.liver', [1, 2]],
      'regions_class_order: expected 2 values, one for each of liver, tumour, found nothing',
    ],
    ['values with gaps', ['dataset', 'labels.tumour', 3], 'each whole number from 0 on once'],
    ['channels without intensities', ['dataset', 'channel_names.1', 'PET'], 'channels; expected 2, found 1'],
    [
      'channels with gaps',
      ['dataset', 'channel_names', { 1: 'CT' }],
      'expected names of 0, 1, 2..., found 1',
    ],
    [
      'fewer layers than weights',
      ['plans', `${NET}.n_conv_per_stage`, [1, 2, 2]],
      'that its plans do not have',
    ],
    ['more layers than weights', ['plans', `${NET}.n_conv_per_stage`, [3, 2, 2]], 'found none'],
    [
      'other widths',
      ['plans', `${NET}.features_per_stage`, [2, 4, 8]],
      'expected shape [8, 4, 3, 3, 3], found [6, 4, 3, 3, 3]',
    ],
    [
      'a wrong number of entries',
      ['plans', `${NET}.strides.3`, [1, 1, 1]],
      'number of entries; expected 3, found 4',
    ],
    ['a missing configuration', ['plans', 'configurations', { '2d': {} }], 'expected 2d, found 3d_fullres'],
    [
      'plans without axes',
      ['plans', 'transpose_forward', undefined],
      '"transpose_forward": expected a list of numbers',
    ],
    ['axes that are none', ['plans', 'transpose_forward', [0, 0, 1]], 'expected 0, 1, 2 in any order'],
    [
      'a spacing of two axes',
      ['plans', `${FULL}.spacing`, [1, 1]],
      'voxel size; expected three numbers of mm, found [1,1]',
    ],
    [
      'no spacing',
      ['plans', `${FULL}.spacing`, undefined],
      'voxel size; expected three numbers of mm, found nothing',
    ],
    ['a spacing of nothing', ['plans', `${FULL}.spacing`, [1, 1, 0]], '"spacing": expected a number from'],
  ])('refuse %s by name, and write nothing', async (_, change, message) => {
    await expect(withChanged([change])).rejects.toThrow(message);
  });

  it('choose a fold by name, and refuse a folder that holds a run', async () => {
    const out = path.join(folder, 'fold');
    await expect(importNnunet({ nnunet: fixture('nnunet'), out, fold: '3' })).rejects.toThrow(
      'expected one of 0, found 3',
    );
    await expect(importNnunet({ nnunet: fixture('nnunet'), out, checkpoint: 'best' })).rejects.toThrow(
      'checkpoint_best.pth',
    );
    await importNnunet({ nnunet: fixture('nnunet'), out, fold: '0' });
    await expect(importNnunet({ nnunet: fixture('nnunet'), out })).rejects.toThrow(
      'the folder holds a run already',
    );
  });
});
