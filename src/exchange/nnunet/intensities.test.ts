import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { resolveConfig, stagesOf } from '../../train/index.ts';
import { weightsOf } from '../weights/weights.ts';
import { importedOf } from './architecture.ts';
import { configurationOf, type DatasetFile, type Plans, readDataset, readPlans } from './plans.ts';

const folder = fileURLToPath(new URL('../../../test/fixtures/exchange/nnunet', import.meta.url));
const plans = readPlans(folder);
const dataset = readDataset(folder);
const numbers = { mean: 40, std: 20, percentile_00_5: -50, percentile_99_5: 150 };

/** What is taken over where channels have these names and schemes. */
function imported(names: readonly string[], schemes: readonly string[], masks: readonly boolean[]) {
  const properties = Object.fromEntries(names.map((_, n) => [n, numbers]));
  const given: Plans = { ...plans, foreground_intensity_properties_per_channel: properties };
  const configuration = {
    ...configurationOf('plans.json', given, '3d_fullres'),
    normalization_schemes: [...schemes],
    use_mask_for_norm: [...masks],
  };
  const content: DatasetFile = { ...dataset, channel_names: Object.fromEntries(names.entries()) };
  const found = importedOf(
    'plans.json',
    given,
    { name: '3d_fullres', configuration },
    { file: 'dataset.json', content },
  );
  const { turned: _, labels, ...settings } = found;
  return resolveConfig({ preset: 'hou2019', data: folder, out: 'out', ...labels, ...settings });
}

describe('intensities of nnU-Net', () => {
  it('of several channels become their normalisation, and the first convolution takes them all', () => {
    const schemes = [
      'CTNormalization',
      'ZScoreNormalization',
      'ZScoreNormalization',
      'RescaleTo01Normalization',
      'RGBTo01Normalization',
      'NoNormalization',
    ];
    const names = ['CT', 'T1', 'T2', 'A', 'B', 'C'];
    // Only the z-score looks at a mask.
    const config = imported(names, schemes, [true, false, true, false, false, true]);
    expect(config.channels).toEqual(names);
    expect(config.normalization).toEqual([
      { kind: 'clip', lower: -50, upper: 150, mean: 40, deviation: 20 },
      'zscore',
      'zscore-nonzero',
      'rescale',
      'rgb',
      'none',
    ]);
    expect(config.network).toMatchObject({ scale: 1, shift: 0 });
    const [first] = weightsOf(config, 3);
    const { stages } = { stages: stagesOf(config)! };
    expect(first.shape.slice(-2)).toEqual([names.length, stages[0].filters]);
  });

  it('of one channel of CT are a window and a line in the network, of one that is none its normalisation', () => {
    const ct = imported(['CT'], ['CTNormalization'], [false]);
    expect([ct.window, ct.channels, ct.normalization]).toEqual([
      { lower: -50, upper: 150 },
      undefined,
      undefined,
    ]);
    expect(ct.network).toMatchObject({ scale: 10, shift: -4.5 });
    const mr = imported(['T1'], ['ZScoreNormalization'], [true]);
    expect([mr.channels, mr.normalization]).toEqual([['T1'], ['zscore-nonzero']]);
  });
});
