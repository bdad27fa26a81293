import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mildAugmentation, paperAugmentation } from '../../imaging/index.ts';
import {
  fileOver,
  flagsOver,
  mergeConfig,
  meshOf,
  readConfigFile,
  resolveConfig,
  settingIn,
} from './config.ts';
import { augmentationOf } from './model.ts';
import { checkChannelOrder } from './normalization.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const least = { data: '/d', out: '/o' };

describe('resolveConfig', () => {
  it('fills in the preset and stays what it is when resolved again', () => {
    const config = resolveConfig({ ...least, steps: 7, split: { depth: 2, width: 3 }, loss: { mix: 0.1 } });
    expect(config).toMatchObject({
      preset: 'default',
      steps: 7,
      base: 16,
      mesh: { depth: 2, width: 3 },
      layout: { depth: 'depth', width: 'width' },
    });
    expect(config.loss.mix).toBe(0.1);
    expect(config.loss.epsilon).toBeGreaterThan(0);
    expect(meshOf(config).mesh.size).toBe(6);
    expect(resolveConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it.each([
    ['size', 100_000],
    ['spacing', 1e9],
    ['spacing', 1e-9],
    ['patch', [1e5, 1e5, 1e5]],
    ['base', 1e5],
    ['batch', 1e6],
    ['slices', 99_999],
    ['steps', 1e15],
    ['threads', 1e5],
  ])('refuses a %s that nothing can compute: %j', (key, value) => {
    expect(() => resolveConfig({ ...least, [key]: value })).toThrow(`config "${key}": expected`);
  });

  it('has the paper as a preset, whose size gives way to a spacing', () => {
    const paper = resolveConfig({ ...least, preset: 'hou2019' });
    expect(paper).toMatchObject({
      base: 32,
      levels: 4,
      size: 128,
      window: { lower: -512, upper: 512 },
      norm: 'batch',
      dropoutKeep: 0.5,
      precision: 'bf16',
      loss: { weights: [1, 8, 16], dice: [2], mix: 0.2, epsilon: 0.1 },
      optimizer: { kind: 'adafactor' },
      learningRate: 0.003,
      schedule: { kind: 'step', factor: 0.3, every: 20000 },
      augmentation: 'paper',
      checkpointEvery: 500,
      deepSupervision: false,
    });
    expect(paper.ema).toBeUndefined();
    expect(paper.clipNorm).toBeUndefined();
    expect(resolveConfig({ ...least, preset: 'hou2019', spacing: 2 }).size).toBeUndefined();
    const inMicrons = resolveConfig({ ...least, preset: 'hou2019', mpp: 0.5 });
    expect([inMicrons.size, inMicrons.spacing, 'mpp' in inMicrons]).toEqual([undefined, 0.0005, false]);
  });

  it.each([
    [
      { steps: 'ten' },
      'config "steps": expected a whole number of at least 1 and at most 2147483647, found "ten"',
    ],
    [
      { loss: { weights: [0, 0] } },
      'config "loss.weights": expected at least one weight above 0, found [0,0]',
    ],
    [
      { classes: ['background', 'a', 'a'] },
      'config "classes": expected one name for each of the label values 0, 1, 2... (not "a" for both 1 and 2), found',
    ],
    [{ classes: ['background', null] }, 'config "classes.1": expected a text, found null'],
    [JSON.parse('{"mesh": {"__proto__": 2}}'), 'config "mesh.__proto__": unknown key'],
    [JSON.parse('{"__proto__": {"steps": 2}}'), 'config "__proto__": unknown key'],
    [
      { memoryLimit: 5 },
      'config "memoryLimit": expected bytes as a whole number, of at least 90000000 (86 MiB), which a process takes before it computes, found 5',
    ],
    [{ size: [16] }, 'config "size": expected a whole number of at least 1 and at most 46340, found [16]'],
    [{ optimizer: 'adam' }, 'config "optimizer": expected an object with "kind", found "adam"'],
    [{ patch: [1, 2] }, 'config "patch": expected voxels along depth, height and width'],
    [
      { steps: 1.5 },
      'config "steps": expected a whole number of at least 1 and at most 2147483647, found 1.5',
    ],
    [{ data: undefined }, 'config "data": expected a text, found nothing'],
    [{ stepz: 3 }, 'config "stepz": unknown key'],
    [{ norm: 'layer' }, 'config "norm": expected one of batch, instance, group, none, found "layer"'],
    [
      { optimizer: { kind: 'adam', beta1: 2 } },
      'config "optimizer.beta1": expected a number from 0 to below 1, found 2',
    ],
    [
      { optimizer: { kind: 'lion' } },
      'config "optimizer.kind": expected one of sgd, adam, adafactor, found "lion"',
    ],
    [{ optimizer: { kind: 'sgd', beta1: 0.9 } }, 'config "optimizer.beta1": unknown key'],
    [
      { schedule: { kind: 'step', factor: 0.3 } },
      'config "schedule.every": expected a whole number of at least 1, found nothing',
    ],
    [
      { loss: { weights: 3 } },
      'config "loss.weights": expected a list of numbers, one for each class, found 3',
    ],
    [
      { loss: { terms: ['hinge'] } },
      'config "loss.terms.0": expected one of dice, case-dice, batch-dice, tversky, ce, focal, bce, boundary, found "hinge"',
    ],
    [{ loss: { terms: ['ce', 'ce'] } }, 'config "loss.terms": expected each loss once, found ["ce","ce"]'],
    [
      { accumulate: 0 },
      'config "accumulate": expected a whole number of at least 1 and at most 4096, found 0',
    ],
    [{ freeze: [] }, 'config "freeze": expected at least one pattern, found []'],
    [
      { firstWeights: 'zeros' },
      'config "firstWeights": expected one of he-normal, he-truncated, xavier-normal',
    ],
    [{ rates: { a: -1 } }, 'config "rates.a": expected a number of at least 0, found -1'],
    [{ loss: { gamma: -1 } }, 'config "loss.gamma": expected a number of at least 0, found -1'],
    [
      { validation: 2 },
      'config "validation": expected a list of case ids, a share of the cases above 0 and below 1, or a .json or .txt file, found 2',
    ],
    [
      { split: { deph: 2 } },
      'config "split.deph": expected a dimension (depth, height, width, batch, channel), found "deph"',
    ],
    [
      { split: 'atuo' },
      'config "split": expected parts by dimension, such as {"depth": 2}, or "auto", found "atuo"',
    ],
    [
      { split: { class: 2 } },
      'config "split.class": expected a dimension (depth, height, width, batch, channel), found "class"',
    ],
    [{ split: 'auto', mesh: { a: 2 } }, 'config "mesh": expected nothing beside a split, found {"a":2}'],
    [{ split: { depth: 0 } }, 'config "split.depth": expected a whole number of at least 1, found 0'],
    [
      { mesh: { a: 2 }, layout: { depth: 'b' } },
      'config "layout": dimension "depth" is laid on mesh axis "b", which the mesh lacks',
    ],
    [{ mesh: { a: 4097 }, layout: {} }, 'config "mesh": too many ranks'],
    [{ split: { depth: 2 ** 31, height: 2 } }, 'config "split": too many ranks'],
    [
      { mesh: { a: 2 }, split: { depth: 2 } },
      'config "mesh": expected nothing beside a split, found {"a":2}',
    ],
    [{ size: 64, spacing: 3 }, 'config "spacing": expected nothing beside a size, found 3'],
    [{ spacing: 3, mpp: 1 }, 'config "mpp": expected nothing beside a spacing, found 1'],
    [{ mpp: 1e-9 }, 'config "mpp": expected a number from 0.1 to 1000000 (microns), found 1e-9'],
    [
      { augmentation: 'wild' },
      'config "augmentation": expected one of none, mild, strong, paper, pathology, or an object of changes, found "wild"',
    ],
    [
      { augmentation: { preset: 'mild', noise: { probability: 2, ratio: 0 } } },
      'config "augmentation.noise.probability": expected a number from 0 to 1, found 2',
    ],
    [
      { augmentation: { elastic: { probability: 1, cells: 4 } } },
      'config "augmentation.elastic.ratio": expected a number from 0 to 0.25, found nothing',
    ],
    [{ augmentation: { flip: 0.5 } }, 'config "augmentation.flip": expected probabilities for depth, height'],
    [{ augmentation: { zooom: {} } }, 'config "augmentation.zooom": unknown key'],
    [{ augmentation: { noise: { grain: 1 } } }, 'config "augmentation.noise.'],
    [
      { bestBy: 'jaccard' },
      'config "bestBy": expected dice, dice:CLASS or loss, of images that have one label auc, accuracy or loss',
    ],
    [{ ema: 1 }, 'config "ema": expected a number from 0 to below 1, found 1'],
    [{ window: { lower: 5, upper: 5 } }, 'config "window": expected a lower end below the upper one'],
    [{ optimizer: { kind: 'sgd', clipNorm: 1 } }, 'config "optimizer.clipNorm": unknown key'],
    [
      { patch: 96 },
      'config "patch": expected voxels along depth, height and width, such as [96, 128, 128], found 96',
    ],
    [{ patch: [9, 0, 9] }, 'config "patch.1": expected a whole number of at least 1, found 0'],
    [{ seed: -1 }, 'config "seed": expected a whole number from 0 to 4294967295, found -1'],
  ])('refuses %j', (given, message) => {
    expect(() => resolveConfig({ ...least, ...given })).toThrow(message);
  });

  it('shows the beginning of long names', () => {
    const long = 'a'.repeat(5000);
    const start = `"${'a'.repeat(76)}...`;
    const refused = (given: object) => expect(() => resolveConfig({ ...least, ...given }));
    refused({ layout: { depth: long } }).toThrow(
      `dimension "depth" is laid on mesh axis ${start}, which the mesh`,
    );
    refused({ mesh: { [long]: 5000 }, layout: {} }).toThrow(/^config "mesh": too many ranks.{1,300}$/);
    refused({ [long]: 1 }).toThrow(`config ${start}: unknown key`);
  });
});

describe('augmentation', () => {
  it('is a set by name, or changes over a set', () => {
    const noise = { probability: 1, ratio: 0.2 };
    const own = resolveConfig({ ...least, augmentation: { preset: 'mild', noise, flip: [0, 0, 0.5] } });
    expect(augmentationOf(own)).toEqual({ ...mildAugmentation, noise, flip: [0, 0, 0.5] });
    expect(augmentationOf(resolveConfig({ ...least, augmentation: { noise } }))).toEqual({ noise });
    expect(augmentationOf(resolveConfig({ ...least, augmentation: 'paper' }))).toBe(paperAugmentation);
    for (const changes of [own.augmentation, paperAugmentation, mildAugmentation])
      expect(resolveConfig({ ...least, augmentation: changes }).augmentation).toEqual(changes);
  });
});

describe('mergeConfig', () => {
  it('replaces what stands for the same thing', () => {
    const run = resolveConfig({ ...least, split: { depth: 2 }, size: 32 });
    expect(resolveConfig(mergeConfig(run, { mesh: { a: 3 }, layout: { width: 'a' } }))).toMatchObject({
      mesh: { a: 3 },
      layout: { width: 'a' },
    });
    expect(resolveConfig(mergeConfig(run, { spacing: 2, split: undefined }))).toMatchObject({
      spacing: 2,
      split: { depth: 2 },
    });
    expect(mergeConfig({ optimizer: { kind: 'adam', beta1: 0.8 } }, { optimizer: { kind: 'sgd' } })).toEqual({
      optimizer: { kind: 'sgd' },
    });
  });
});

describe('readConfigFile', () => {
  it('names file and key', () => {
    const file = path.join(folder, 'config.json');
    writeFileSync(file, '{"steps": 5, "base": 8}');
    expect(readConfigFile(file)).toEqual({ steps: 5, base: 8 });
    writeFileSync(file, '{"steps": 0}');
    expect(() => readConfigFile(file)).toThrow(
      `${file} "steps": expected a whole number of at least 1 and at most 2147483647, found 0`,
    );
    writeFileSync(file, '{"steps": ');
    expect(() => readConfigFile(file)).toThrow(`${file}: is not JSON`);
    const given = { ...least, mesh: { a: 2 }, layout: { depth: 'b' } };
    const nameOf = flagsOver(
      { mesh: given.mesh, outDir: 1 },
      fileOver(file, { layout: 1 }, settingIn('config')),
    );
    expect(() => resolveConfig(given, nameOf)).toThrow(`${file} "layout": dimension "depth" is laid on`);
    expect(() => resolveConfig({ ...given, mesh: { a: 9999 } }, nameOf)).toThrow('--mesh: too many ranks');
    expect([nameOf('outDir.x'), nameOf('steps')]).toEqual(['--out-dir "x"', 'config "steps"']);
    expect(() => readConfigFile(path.join(folder, 'none.json'))).toThrow(
      'none.json: cannot be read: there is no such file or folder (ENOENT)',
    );
  });
});

describe('channels of a data set', () => {
  const check = (channelNames: readonly string[]) => () =>
    checkChannelOrder({ channels: ['T1', 'FLAIR'] }, { dir: 'set', channelNames });

  it('are those of the network in its order, under names that may be others', () => {
    for (const names of [
      ['T1', 'FLAIR'],
      ['t1', 'flair'],
      ['T1w', 'FLAIR'],
      ['a', 'b'],
    ])
      expect(check(names)).not.toThrow();
  });

  it('are refused in another order, one in the place of another, and in another number', () => {
    for (const names of [['FLAIR', 'T1'], ['flair', 'DWI'], ['DWI', 'T1'], ['T1'], ['T1', 'FLAIR', 'T2']])
      expect(check(names)).toThrow(`expected those of the network, T1, FLAIR, found ${names.join(', ')}`);
  });
});
