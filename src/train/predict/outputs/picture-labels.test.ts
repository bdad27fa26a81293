import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScan } from '../../../imaging/index.ts';
import { writeSlides } from '../../../imaging/synthetic/phantom-slides.ts';
import { resolveConfig } from '../../config/config.ts';
import { train } from '../../loop/train.ts';
import { predict, predictFolder } from '../predict.ts';
import type { PredictOptions } from '../predict-options.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-pictures-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => path.join(folder, name);
const data = at('slides');
const slide = path.join(data, 'imagesTr', 'slide_000_0000.tif');

beforeAll(async () => {
  await writeSlides({ out: data, size: 180, cases: 2, mpp: 4, seed: 4 });
  const common = { data, base: 2, levels: 2, steps: 3, threads: 1, dropoutKeep: 1, plane: true } as const;
  // Few steps: labels of several classes, in many parts.
  await train(resolveConfig({ ...common, out: at('run') }));
  await train(resolveConfig({ ...common, out: at('coarse'), spacing: 0.0065 }));
});

const segment = (options: Partial<PredictOptions>) =>
  predict({ run: at('run'), input: slide, output: at('out.tif'), overwrite: true, ...options });

/** The labels of a file, as numbers of classes. */
const labelsOf = async (file: string): Promise<Uint8Array> =>
  Uint8Array.from((await readScan(file, file.endsWith('.tif') ? { labels: true } : {})).data);

describe('prediction of pictures', () => {
  it('writes the labels that a volume would have, with the microns of a pixel', async () => {
    const { shape, spacing, voxels } = await segment({});
    expect(shape).toEqual([1, 180, 180]);
    expect(spacing[1]).toBeCloseTo(0.004, 12);
    await segment({ output: at('out.nii.gz') });
    const labels = await labelsOf(at('out.tif'));
    expect(labels).toEqual(await labelsOf(at('out.nii.gz')));
    const counted = Object.values(voxels);
    expect(counted.reduce((sum, n) => sum + n, 0)).toBe(32400);
    expect(counted).toEqual([0, 1, 2, 3, 4].map((value) => labels.filter((label) => label === value).length));
    expect(counted.filter((n) => n > 0).length).toBeGreaterThan(1);
  });

  it('in blocks, and turned around, gives the same bytes', async () => {
    await segment({ output: at('whole.tif'), flips: ['width'] });
    const whole = readFileSync(at('whole.tif'));
    const passes: number[] = [];
    await segment({
      output: at('blocks.tif'),
      flips: ['width'],
      memoryLimit: (await smallest({ flips: ['width'] })) + 2 ** 18,
      onEvent: (event) => void (event.kind === 'pass' && passes.push(event.passes)),
    });
    expect(passes[0]).toBeGreaterThan(4);
    expect(readFileSync(at('blocks.tif'))).toEqual(whole);
  });

  it('of a coarser network comes back on the pixels of the file, as volumes do', async () => {
    await segment({ run: at('coarse'), output: at('coarse.tif') });
    await segment({ run: at('coarse'), output: at('coarse.nii.gz') });
    const labels = await labelsOf(at('coarse.tif'));
    expect(labels.length).toBe(32400);
    expect(labels).toEqual(await labelsOf(at('coarse.nii.gz')));
  });

  it('writes outlines that are the label map, also of labels that are cleaned up', async () => {
    for (const cleaning of [{}, { largestComponent: ['tissue'] }]) {
      const { outlines } = await segment({ outlines: true, cleaning });
      expect(outlines).toBe(at('out.geojson'));
      const { features }: { features: readonly Feature[] } = JSON.parse(readFileSync(outlines!, 'utf8'));
      const labels = await labelsOf(at('out.tif'));
      const names = ['background', 'tissue', 'gland', 'inflammation', 'tumour'];
      const area = (ring: readonly number[][]): number =>
        ring.slice(1).reduce((sum, [x, y], n) => sum + (ring[n][0] * y - x * ring[n][1]) / 2, 0);
      for (const [value, name] of names.entries()) {
        const own = features.filter((one) => one.properties.classification.name === name);
        const areas = own.flatMap((one) => one.geometry.coordinates.map(area));
        const pixels = labels.filter((label) => label === value).length;
        expect(areas.reduce((sum, n) => sum + n, 0)).toBe(value === 0 ? 0 : pixels);
      }
    }
  });

  it('of a folder names label maps by their pictures', async () => {
    const { results, faults } = await predictFolder({
      run: at('run'),
      input: path.join(data, 'imagesTr'),
      output: at('folder'),
    });
    expect(faults).toEqual([]);
    expect(results.map(({ output }) => path.basename(output))).toEqual(['slide_000.tif', 'slide_001.tif']);
    expect(readdirSync(at('folder'))).toEqual(['slide_000.tif', 'slide_001.tif']);
  });

  it('refuses what it does not make', async () => {
    await expect(segment({ output: at('a.nii.gz'), outlines: true })).rejects.toThrow(
      'outlines are made of the label map of a picture; expected a label map in TIFF beside them, found nifti',
    );
    await expect(segment({ statistics: true })).rejects.toThrow('are not made of a label map in TIFF');
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });
});

interface Feature {
  readonly geometry: { readonly coordinates: readonly (readonly number[][])[] };
  readonly properties: { readonly classification: { readonly name: string } };
}

/** The smallest memory limit under which the slide is segmented, as the refusal of a smaller one says. */
async function smallest(options: Partial<PredictOptions>): Promise<number> {
  const { message } = await segment({ ...options, memoryLimit: 9e7 }).then(
    () => new Error('so small a limit is met'),
    (error: Error) => error,
  );
  const [, number, unit] = /at least ([\d.]+) ?(MiB|GiB)/.exec(message) ?? [];
  return Math.ceil(Number(number)) * (unit === 'GiB' ? 2 ** 30 : 2 ** 20);
}
