import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { openDataset } from './dataset.ts';
import type { LabelMapping } from './named-labels.ts';

const root = temporaryFolder();
let folders = 0;

const brain = { background: 0, whole: [1, 2, 3], core: [2, 3], enhancing: 3 };

/** What a data set makes of its labels. */
function codesOf(labels: unknown, order?: unknown, mapLabels?: LabelMapping) {
  const dir = path.join(root, `${folders++}`);
  mkdirSync(path.join(dir, 'imagesTr'), { recursive: true });
  writeFileSync(
    path.join(dir, 'dataset.json'),
    JSON.stringify({
      labels,
      regions_class_order: order,
      file_ending: '.nii.gz',
      channel_names: { 0: 'T1' },
    }),
  );
  return openDataset(dir, { mapLabels });
}

describe('regions of a data set', () => {
  it('are sets of classes, which are named by a region that has one alone', async () => {
    const { labelNames, labelCodes } = await codesOf({ ...brain, ignore: 4 }, [1, 2, 3]);
    expect(labelNames).toEqual(['background', 'label 1', 'label 2', 'enhancing']);
    expect(labelCodes).toEqual({
      classOf: { 0: 0, 1: 1, 2: 2, 3: 3, 4: 255 },
      classValues: [0, 1, 2, 3],
      regions: [
        { name: 'whole', classes: [1, 2, 3], written: 1 },
        { name: 'core', classes: [2, 3], written: 2 },
        { name: 'enhancing', classes: [3], written: 3 },
      ],
    });
  });

  it('may have values with gaps, in any order', async () => {
    // KiTS, and BraTS until 2022.
    const kits = await codesOf({ background: 0, kidney: [1, 2, 3], mass: [2, 3], tumour: 2 }, [1, 3, 2]);
    expect(kits.labelCodes?.regions?.map(({ written }) => written)).toEqual([1, 3, 2]);
    const { labelNames, labelCodes } = await codesOf(
      { background: 0, whole: [4, 2, 1], core: [1, 4], enhancing: [4] },
      [2, 1, 4],
    );
    expect(labelNames).toEqual(['background', 'label 1', 'label 2', 'enhancing']);
    expect(labelCodes?.classValues).toEqual([0, 1, 2, 4]);
    expect(labelCodes?.regions).toEqual([
      { name: 'whole', classes: [1, 2, 3], written: 2 },
      { name: 'core', classes: [1, 3], written: 1 },
      { name: 'enhancing', classes: [3], written: 3 },
    ]);
  });

  it('go by what their values stand for', async () => {
    const five = { ...brain, whole: [1, 2, 3, 5] };
    const { labelNames, labelCodes } = await codesOf(five, [1, 2, 3], { 5: 1 });
    expect(labelNames).toEqual(['background', 'label 1', 'label 2', 'enhancing']);
    expect(labelCodes?.regions?.[0].classes).toEqual([1, 2, 3]);
    const without = await codesOf(five, [1, 2, 3], { 5: 'ignore' });
    expect(without.labelCodes?.regions?.[0].classes).toEqual([1, 2, 3]);
    await expect(codesOf(brain, [1, 2, 3], { 3: 2 })).rejects.toThrow(
      /map of labels: expected values of their own that regions are written with, found one for "core" and "enhancing"/,
    );
    await expect(codesOf(brain, [1, 2, 3], { 3: 'ignore' })).rejects.toThrow(
      /map of labels: expected a value of the region "enhancing" for 3, which it is written with, found ignore/,
    );
  });

  it('are plain values where no list has several', async () => {
    const { labelNames, labelCodes } = await codesOf({ background: [0], liver: [1] });
    expect([labelNames, labelCodes]).toEqual([['background', 'liver'], undefined]);
  });

  it.each<[string, object, unknown, RegExp]>([
    [
      'no order',
      brain,
      undefined,
      /regions_class_order: expected 3 values, one for each of whole, core, .* nothing/,
    ],
    ['an order of too few', brain, [1, 2], /regions_class_order: expected 3 values, .* found \[1, 2\]/],
    ['an order with one twice', brain, [1, 2, 2], /each once, found \[1, 2, 2\]/],
    ['an order that is none', brain, 'abc', /regions_class_order: expected a list of values, found "abc"/],
    ['an order of texts', brain, [1, '2', 3], /regions_class_order\.1: expected a value, found "2"/],
    [
      'a region written with what is not in it',
      brain,
      [1, 2, 4],
      /regions_class_order\.2: expected a value of "enhancing", one of 3, found 4/,
    ],
    ['no background', { whole: [1, 2], core: 2 }, [1, 2], /labels: expected a name for 0, the background/],
    [
      'the background in a region',
      { ...brain, core: [2, 0] },
      [1, 2, 3],
      /labels\.core: expected no value of the back/,
    ],
    [
      'a region that begins with 0',
      { ...brain, core: [0, 2] },
      [1, 2, 3],
      /labels\.core: expected one value of the back/,
    ],
    [
      'what is ignored in a region',
      { ...brain, ignore: 2 },
      [1, 2, 3],
      /labels\.whole: expected no value .* ignored/,
    ],
    [
      'several values to ignore',
      { ...brain, ignore: [4, 5] },
      [1, 2, 3],
      /labels\.ignore: expected one value/,
    ],
    [
      'an empty region',
      { ...brain, core: [] },
      [1, 2, 3],
      /labels\.core: expected at least one value, found none/,
    ],
    [
      'a value twice',
      { ...brain, core: [2, 2] },
      [1, 2, 3],
      /labels\.core: expected each value once, found \[2, 2\]/,
    ],
    [
      'a value that is none',
      { ...brain, core: [2, 300] },
      [1, 2, 3],
      /labels\.core: expected values from 0 to 255, found 300/,
    ],
    ['a part of a value', { ...brain, core: [2, 2.5] }, [1, 2, 3], /found 2\.5/],
    [
      'names by values',
      { 0: 'background', whole: [1, 2] },
      [1],
      /labels\.0: expected a value, or a list of values/,
    ],
    [
      'an empty name',
      { ...brain, '': [1] },
      [1, 2, 3, 1],
      /labels: expected one name for each region, found an empty/,
    ],
    ['a second background', { ...brain, other: 0 }, [1, 2, 3], /labels\.other: expected a value of its own/],
  ])('are refused with %s', async (_, labels, order, message) => {
    await expect(codesOf(labels, order)).rejects.toThrow(message);
  });
});
