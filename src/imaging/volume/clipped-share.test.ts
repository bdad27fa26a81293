import { mkdirSync, mkdtempSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { fingerprintDataset } from '../check/fingerprint.ts';
import { verifyDataset } from '../check/verify.ts';
import { type Case, openDataset } from '../dataset/dataset.ts';
import { writeNifti } from '../formats/nifti/nifti-write.ts';
import { loadCase } from '../preprocess/preprocess.ts';
import { preprocess } from '../preprocess/preprocess-dataset.ts';
import { openScanSource } from '../preprocess/scan-source.ts';
import { IntensitySample, troubleWith } from './clipped-share.ts';
import { type IntensityWindow, paperWindow, softTissueWindow } from './intensity-window.ts';
import { makeVolume } from './volume.ts';

const root = temporaryFolder();

/** Hounsfield units of so many voxels: parts of air, lung, fat, soft tissue and bone, with noise. */
function body(parts: Readonly<Record<string, number>>, count = 20_000): Float32Array {
  const mean: Readonly<Record<string, number>> = {
    padding: -3024,
    air: -1000,
    lung: -800,
    fat: -100,
    soft: 50,
    bone: 500,
  };
  const names = Object.keys(parts);
  const total = names.reduce((sum, name) => sum + parts[name], 0);
  const data = new Float32Array(count);
  let at = 0;
  for (const name of names) {
    const end = Math.min(count, at + Math.round((parts[name] / total) * count));
    const noise = name === 'padding' ? 0 : name === 'bone' ? 300 : 40;
    for (; at < end; at++) data[at] = mean[name] + noise * (((at * 7919) % 1000) / 500 - 1);
  }
  return data.fill(50, at);
}

const trunk = { air: 45, lung: 12, fat: 15, soft: 25, bone: 3 };
const troubleOf = (data: Float32Array, window: IntensityWindow): string | undefined => {
  const sample = new IntensitySample(data.length, 512);
  for (let n = 0; n < data.length; n += 700) sample.take(data.subarray(n, n + 700));
  const share = sample.share(window);
  return share && troubleWith(share);
};

describe('IntensitySample', () => {
  it('lets the usual windows pass on CT of any part', () => {
    const scans = {
      trunk,
      'lungs that are half of the body': { air: 35, lung: 35, fat: 8, soft: 18, bone: 4 },
      'padding that is no air': { padding: 30, ...trunk },
      'a field of view within the body': { fat: 25, soft: 65, bone: 10 },
      'little of a body': { air: 95, fat: 1, soft: 3, bone: 1 },
    };
    for (const [name, parts] of Object.entries(scans))
      for (const window of [softTissueWindow, paperWindow])
        expect(troubleOf(body(parts), window), name).toBeUndefined();
    const drawn = Float32Array.from({ length: 9000 }, (_, n) => (n % 90 === 7 ? 60 : -1000));
    expect(troubleOf(drawn, softTissueWindow), 'two values').toBeUndefined();
    const metal = body(trunk);
    metal.fill(30_000, 0, 20);
    expect(troubleOf(metal, softTissueWindow)).toBeUndefined();
    const cut = body(trunk).map((hu) => Math.max(hu, -1000));
    expect(troubleOf(cut, softTissueWindow)).toBeUndefined();
  });

  it('lets narrow windows pass on CT, and no others on what only resembles it', () => {
    const fatty = { air: 40, lung: 10, fat: 35, soft: 12, bone: 3 };
    const narrow = [
      { lower: -17, upper: 201 },
      { lower: 0, upper: 80 },
      { lower: 200, upper: 2000 },
    ];
    const above = { lower: 2000, upper: 3000 };
    for (const parts of [trunk, fatty, { padding: 30, ...fatty }]) {
      for (const window of narrow) expect(troubleOf(body(parts), window)).toBeUndefined();
      expect(troubleOf(body(parts), above)).toMatch(
        /^(99|100).* % of the voxels within the body outside of it$/,
      );
      for (const change of [
        (hu: number) => hu + 1024,
        (hu: number) => hu - 1000,
        (hu: number) => Math.max(hu, -1000) - 1000,
        (hu: number) => (hu + 1000) * 2,
        (hu: number) => 3 * hu,
      ])
        expect(troubleOf(body(parts).map(change), narrow[0])).toMatch(/ % of the voxels within the body/);
    }
  });

  it('finds CT that was shifted or scaled, and MR', () => {
    const others: Readonly<Record<string, (hu: number) => number>> = {
      'shifted up': (hu) => hu + 1024,
      'shifted down': (hu) => hu - 1000,
      'as MR': (hu) => (hu + 1000) * 2,
      'ten times': (hu) => hu * 10 + 8000,
    };
    for (const [name, change] of Object.entries(others))
      expect(troubleOf(body(trunk).map(change), softTissueWindow), name).toMatch(
        / % of the voxels within the body/,
      );
    const range = [0, 1, -1, 3];
    for (const [low, high] of [range.slice(0, 2), range.slice(2)])
      expect(
        troubleOf(
          body(trunk).map((hu) => low + ((hu + 1100) / 2000) * (high - low)),
          softTissueWindow,
        ),
      ).toMatch(/^values that take .* % of its width$/);
    // A window of their own.
    expect(
      troubleOf(
        body(trunk).map((hu) => (hu + 1000) * 2),
        { lower: 0, upper: 2500 },
      ),
    ).toBeUndefined();
    expect(
      troubleOf(
        body(trunk).map((hu) => (hu + 1100) / 2000),
        { lower: 0, upper: 1 },
      ),
    ).toBeUndefined();
  });

  it('says nothing of images without contrast, and takes voxels in any pieces', () => {
    expect(new IntensitySample(10, 5).share(paperWindow)).toBeUndefined();
    expect(troubleOf(new Float32Array(100).fill(3000), paperWindow)).toBeUndefined();
    expect(troubleOf(new Float32Array(100).fill(Number.NaN), paperWindow)).toBeUndefined();
    const data = Float32Array.from({ length: 2 ** 19 + 77 }, (_, n) => (n * 7919) % 3001);
    const whole = new IntensitySample(data.length, 64);
    whole.take(data);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1 }), (sizes) => {
        const pieces = new IntensitySample(data.length, 64);
        for (let at = 0, n = 0; at < data.length; at += sizes[n++ % sizes.length])
          pieces.take(data.subarray(at, at + sizes[n % sizes.length]));
        expect(pieces.share(softTissueWindow)).toEqual(whole.share(softTissueWindow));
      }),
      { numRuns: 10 },
    );
  });
});

describe('a window that clips the body', () => {
  const shape = [20, 25, 40] as const;
  const affine = [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1];

  async function dataset(change: (hu: number) => number): Promise<{ dir: string; entry: Case }> {
    const dir = mkdtempSync(path.join(root, 'set-'));
    const image = makeVolume(
      body(trunk).map((hu) => Math.round(change(hu))),
      shape,
      affine,
    );
    const label = makeVolume(
      Uint8Array.from(image.data, (_, n) => (n > 15_000 ? 1 : 0)),
      shape,
      affine,
    );
    for (const [folder, volume, type] of [
      ['imagesTr', image, 'int16'],
      ['labelsTr', label, 'uint8'],
    ] as const) {
      mkdirSync(path.join(dir, folder));
      await writeNifti(path.join(dir, folder, 'a.nii'), volume, { type });
    }
    const [file, truth] = ['imagesTr', 'labelsTr'].map((folder) => path.join(dir, folder, 'a.nii'));
    return { dir, entry: { id: 'a', image: file, label: truth } };
  }

  it('is refused where a case asks for that, with a window that would do', async () => {
    const { entry } = await dataset((hu) => 2 * hu + 2200);
    const options = { window: softTissueWindow };
    await expect(loadCase({ ...entry, checkWindow: true }, options)).rejects.toThrow(
      /a\.nii: window -160\.\.240 on case a: expected one that shows the inside of the body, found 100 % .*--window=1\d\d,3\d\d\d/,
    );
    await loadCase(entry, options);
    await loadCase({ ...entry, checkWindow: true }, { window: { lower: 100, upper: 3300 } });
    expect((await openScanSource(entry, options)).notes).toEqual([
      expect.stringMatching(
        /^the window -160\.\.240 of the network leaves 100 % of the voxels within the body/,
      ),
    ]);
    const { entry: good } = await dataset((hu) => hu);
    await loadCase({ ...good, checkWindow: true }, options);
    expect((await openScanSource(good, options)).notes).toEqual([]);
  });

  it('is told of by the checks of a data set, whatever its channel is called', async () => {
    const { dir } = await dataset((hu) => 2 * hu + 2200);
    const [{ findings }] = (await verifyDataset(dir)).cases;
    expect(findings.map(({ field }) => field)).toContain('window -160..240');
    expect((await fingerprintDataset(dir)).cases[0].clipped).toBeGreaterThan(0.9);
    const sound = (await dataset((hu) => hu)).dir;
    expect((await verifyDataset(sound)).cases[0].findings).toEqual([]);
    expect((await fingerprintDataset(sound)).cases[0].clipped).toBeLessThan(0.3);
  });

  it('is refused when a store is made with it, and when a training reads a store of all values', async () => {
    const { dir } = await dataset((hu) => 2 * hu + 2200);
    const out = path.join(root, 'store');
    const { failed } = await preprocess({ data: dir, out: `${out}-cut`, window: softTissueWindow });
    expect(failed.map(({ error }) => `${error}`)).toEqual([
      expect.stringMatching(/window -160\.\.240 on case a/),
    ]);
    await preprocess({ data: dir, out });
    const [entry] = (await openDataset(out)).cases;
    const asked = { ...entry, checkWindow: true };
    await expect(loadCase(asked, { window: softTissueWindow })).rejects.toThrow(
      /window -160\.\.240 on case a/,
    );
    await loadCase(asked, { window: { lower: 100, upper: 3300 } });
  });
});
