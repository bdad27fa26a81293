import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  fromCanonical,
  labelStatistics,
  makeVolume,
  orientationOf,
  readScan,
  type Structure,
  scalingAffine,
  writeNifti,
  writePhantom,
} from '../../../imaging/index.ts';
import { resolveConfig } from '../../config/config.ts';
import { train } from '../../loop/train.ts';
import { predict, predictFolder } from '../predict.ts';
import { structuresOf } from './structures.ts';

const root = mkdtempSync(path.join(tmpdir(), 'halomesh-structures-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const data = path.join(root, 'data');
const run = path.join(root, 'run');
const scans = path.join(data, 'imagesTr');

beforeAll(async () => {
  await writePhantom({ out: data, size: [14, 13, 12], cases: 2 });
  await train(
    resolveConfig({
      data,
      out: run,
      base: 4,
      levels: 2,
      steps: 6,
      threads: 1,
      checkpointEvery: 6,
      learningRate: 0.4,
    }),
  );
});

const further = { oneFilePerClass: true, statistics: true } as const;

describe('structures of a segmentation', () => {
  it('are written each into a file, and told with their volumes and intensities', async () => {
    const output = path.join(root, 'out');
    const { results, faults } = await predictFolder({ run, input: scans, output, ...further });
    expect(faults).toEqual([]);
    expect(readdirSync(output).sort()).toEqual(
      ['phantom_000', 'phantom_001'].flatMap((id) => [
        id,
        `${id}.nii.gz`,
        `${id}_statistics.csv`,
        `${id}_statistics.json`,
      ]),
    );
    const [{ input, voxels, masks, statistics, output: file, voxelVolume }] = results;
    const [labels, image] = [await readScan(file), await readScan(input)];
    expect(Object.keys(masks!)).toEqual(['liver', 'tumour']);
    const { structures, channels } = JSON.parse(readFileSync(statistics!.json, 'utf8'));
    expect(channels).toEqual(['channel 0']);
    let seen = 0;
    for (const [n, name] of ['liver', 'tumour'].entries()) {
      const mask = await readScan(masks![name]);
      expect(mask.affine).toEqual(labels.affine);
      expect([...mask.data]).toEqual(Array.from(labels.data, (value) => (value === n + 1 ? 1 : 0)));
      const own = [...image.data].filter((_, place) => labels.data[place] === n + 1);
      seen += own.length;
      const { voxels: counted, ml, means } = structures[n];
      expect([structures[n].name, counted]).toEqual([name, voxels[name]]);
      expect(ml).toBeCloseTo((own.length * voxelVolume) / 1000, 9);
      if (own.length === 0) expect(means).toEqual([null]);
      else expect(means[0]).toBeCloseTo(own.reduce((sum, hu) => sum + hu, 0) / own.length, 9);
    }
    expect(seen).toBeGreaterThan(0);
    const [head, first] = readFileSync(statistics!.csv, 'utf8').split('\r\n');
    expect(head).toBe('structure,part,voxels,ml,mean channel 0,x mm,y mm,z mm');
    expect(first.split(',').slice(0, 3)).toEqual(['liver', '', `${voxels.liver}`]);
    // What is there is not replaced, whatever file it is.
    rmSync(file);
    await expect(predict({ run, input, output: file, statistics: true })).rejects.toThrow(
      /_statistics\.json: the output is there already/,
    );
    await expect(predict({ run, input, output: file, oneFilePerClass: true })).rejects.toThrow(
      /phantom_000\/liver\.nii\.gz: the output is there already/,
    );
    expect(existsSync(file)).toBe(false);
  });

  it('are classes above 0, or regions, by the values of files', () => {
    const classes = ['background', 'label 2', 'enhancing tumour'];
    const config = resolveConfig({ data, out: run, classValues: [0, 2, 4] });
    expect(structuresOf({ classes, config })).toEqual([
      { name: 'label 2', values: [2] },
      { name: 'enhancing tumour', values: [4], parts: true },
    ]);
    const regions = [
      { name: 'whole tumour', classes: [1, 2], written: 1 },
      { name: 'enhancing tumour', classes: [2], written: 2 },
    ];
    expect(structuresOf({ classes, config: { ...config, regions } })).toEqual([
      { name: 'whole tumour', values: [2, 4], parts: true },
      { name: 'enhancing tumour', values: [4] },
    ]);
  });
});

it('parts of lesions have their own volumes, intensities and places, in any order of axes', async () => {
  const shape = [4, 5, 6] as const;
  const labels = new Uint8Array(120);
  const image = Int16Array.from({ length: 120 }, (_, n) => n);
  // Two voxels beside each other, and one elsewhere; a value of another structure beside it.
  for (const [n, value] of [
    [7, 1],
    [8, 2],
    [119, 2],
    [50, 3],
  ])
    labels[n] = value;
  const affine = scalingAffine([2, 3, 5], [10, 20, 30]);
  const turned = orientationOf([0, -3, 0, 0, 2, 0, 0, 0, 0, 0, -5, 0, 0, 0, 0, 1]);
  const structures: Structure[] = [
    { name: 'lesion', values: [1, 2], parts: true },
    { name: 'other, "rest"', values: [3] },
    { name: 'none', values: [9], parts: true },
  ];
  const files = [path.join(root, 'image.nii'), path.join(root, 'second.nii'), path.join(root, 'labels.nii')];
  const volumes = [
    makeVolume(image, shape, affine),
    makeVolume(
      image.map((n) => -n),
      shape,
      affine,
    ),
  ] as const;
  await writeNifti(files[0], volumes[0]);
  await writeNifti(files[1], fromCanonical(volumes[1], turned));
  await writeNifti(files[2], fromCanonical(makeVolume(labels, shape, affine), turned));
  const scan = { id: 'a', image: files[0], channels: files.slice(0, 2).map((file) => ({ file })) };
  const found = await labelStatistics(scan, files[2], structures);
  const ml = 0.03;
  expect(found).toEqual([
    {
      ...{ name: 'lesion', voxels: 3, ml: expect.closeTo(3 * ml, 9), means: [134 / 3, -134 / 3] },
      parts: [
        { voxels: 2, ml: expect.closeTo(2 * ml, 9), means: [7.5, -7.5], mm: [14, 23, 30] },
        { voxels: 1, ml: expect.closeTo(ml, 9), means: [119, -119], mm: [20, 32, 45] },
      ],
    },
    { name: 'other, "rest"', voxels: 1, ml: expect.closeTo(ml, 9), means: [50, -50] },
    { name: 'none', voxels: 0, ml: 0, means: [null, null], parts: [] },
  ]);
});
