import { createHash } from 'node:crypto';
import {
  cpSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { type Dataset, openDataset } from '../dataset/dataset.ts';
import { loadLabelBox, loadLabels } from '../dataset/labels.ts';
import { writeNifti } from '../formats/nifti/nifti-write.ts';
import { readScan } from '../formats/scan.ts';
import { ChunkCache } from '../store/chunk-cache.ts';
import { StoredCase } from '../store/stored-case.ts';
import { StoreWriteError } from '../store/zarr-array.ts';
import { writePhantom } from '../synthetic/phantom.ts';
import type { Affine } from '../volume/affine.ts';
import { MemorySource } from '../volume/memory-source.ts';
import { canonicalGrid } from '../volume/orientation.ts';
import { type VoxelBox, wholeBox } from '../volume/voxel-source.ts';
import { ownThread } from './case-runner.ts';
import { loadCase } from './preprocess.ts';
import { preprocess } from './preprocess-dataset.ts';
import { openScanSource, planScan } from './scan-source.ts';

const folder = temporaryFolder();
const data = path.join(folder, 'data');
let raw: Dataset;

/** Index axes run to the feet, to the left and to the back. */
const turned: Affine = [0, -2, 0, 0, 0, 0, -1.5, 0, -3, 0, 0, 0, 0, 0, 0, 1];

beforeAll(async () => {
  await writePhantom({ out: data, size: [70, 16, 66], cases: 3 });
  raw = await openDataset(data);
  // One lies in another axis order, one has voxels that int16 cannot keep.
  for (const file of [raw.cases[1].image, raw.cases[1].label!])
    await writeNifti(file, { ...(await readScan(file)), affine: turned });
  const { image } = raw.cases[2];
  const volume = await readScan(image);
  await writeNifti(image, { ...volume, data: Float32Array.from(volume.data, (hu) => hu * 1.01) });
});

const out = (name: string): string => path.join(folder, name);

/** Arrays as hashes, which compare faster. */
function hashed(parts: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parts).map(([key, value]) => [
      key,
      ArrayBuffer.isView(value)
        ? createHash('sha256')
            .update(value as Uint8Array)
            .digest('hex')
        : value,
    ]),
  );
}

/** Everything in a folder, by path. */
function contents(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    files
      .filter((file) => statSync(path.join(dir, file)).isFile())
      .map((file) => [file, readFileSync(path.join(dir, file), 'latin1')]),
  );
}

describe('a store of preprocessed cases', () => {
  it.each([{}, { window: { lower: -160, upper: 240.5 } }, { spacing: 7 }, { size: 20 }])(
    'holds what the files give, to the last bit: %j',
    async (options) => {
      const store = out(`as-files-${JSON.stringify(options).replace(/\W+/g, '-')}`);
      const { written, failed } = await preprocess({ data, out: store, ...options });
      expect([written.length, failed]).toEqual([3, []]);
      const stored = await openDataset(store);
      expect(stored).toMatchObject({ name: raw.name, labelNames: raw.labelNames, preprocessed: options });
      for (const [n, entry] of raw.cases.entries()) {
        const expected = await loadCase(entry, options);
        const found = await loadCase(stored.cases[n], options);
        expect(hashed(found)).toEqual(hashed(expected));
        const grid = canonicalGrid(expected.original);
        const truth = await loadLabels(stored.cases[n].label!, grid);
        expect(hashed(truth)).toEqual(hashed(await loadLabels(entry.label!, grid)));
        const source = await StoredCase.open(stored.cases[n], options, new ChunkCache(1e6));
        const memory = new MemorySource(expected, entry.labelNames);
        expect(source.classes).toEqual(memory.classes);
        expect(source.classes!.reduce((sum, { count }) => sum + count, 0)).toBe(expected.image.length);
        // Box by box, as a segmentation is judged.
        const { image: _i, labels, ...geometry } = expected;
        expect((await planScan(stored.cases[n], options)).geometry).toEqual(geometry);
        const { shape } = geometry;
        const scan = await openScanSource(stored.cases[n], options);
        const box: VoxelBox = { start: [3, 0, 1], end: [shape[0] - 2, shape[1] - 1, shape[2]] };
        expect(hashed({ of: await scan.image(box) })).toEqual(hashed({ of: await memory.image(box) }));
        for (const [on, whole] of [
          [geometry, labels!],
          [grid, (await loadLabels(entry.label!, grid)).data],
        ] as const) {
          const part: VoxelBox = { start: [2, 1, 0], end: [on.shape[0], on.shape[1] - 1, on.shape[2] - 3] };
          const found = await loadLabelBox(stored.cases[n].label!, on, part, raw.labelNames);
          const cut = new MemorySource({ ...expected, labels: whole, shape: on.shape }).labels(part);
          expect(hashed({ found })).toEqual(hashed({ found: await cut }));
        }
        await expect(
          loadLabelBox(stored.cases[n].label!, grid, wholeBox(grid.shape), ['background', 'liver']),
        ).rejects.toThrow('expected one of 0 background, 1 liver, found 2');
      }
    },
  );

  it('gives any box, from few chunks in memory', async () => {
    const store = out('boxes');
    await preprocess({ data, out: store });
    const [entry] = (await openDataset(store)).cases;
    const memory = new MemorySource(await loadCase(raw.cases[0]));
    const cache = new ChunkCache(150_000);
    const source = await StoredCase.open(entry, {}, cache);
    expect(source.shape).toEqual([70, 16, 66]);
    for (const box of [
      wholeBox(source.shape),
      { start: [34, 0, 32], end: [36, 16, 34] },
      { start: [69, 15, 65], end: [70, 16, 66] },
      { start: [0, 5, 0], end: [70, 5, 66] },
      { start: [3, 1, 40], end: [50, 15, 41] },
    ] as const) {
      expect(hashed({ of: await source.image(box) })).toEqual(hashed({ of: await memory.image(box) }));
      expect(hashed({ of: await source.labels(box) })).toEqual(hashed({ of: await memory.labels(box) }));
      expect(cache.bytes).toBeLessThanOrEqual(150_000);
    }
    await expect(source.image({ start: [0, 0, 0], end: [71, 1, 1] })).rejects.toThrow(
      'a box within 70x16x66',
    );
  });

  it('goes on where it was stopped, and ends as if it had not been', async () => {
    const [store, whole] = [out('stopped'), out('whole')];
    const stop = new AbortController();
    const first = await preprocess({ data, out: store, signal: stop.signal, onCase: () => stop.abort() });
    expect(first).toMatchObject({ written: ['phantom_000'], interrupted: true });
    await expect(openDataset(store)).rejects.toThrow(
      /stopped: cases: expected 3, found 1: phantom_001, phantom_002 missing/,
    );
    expect(await preprocess({ data, out: store })).toMatchObject({
      kept: ['phantom_000'],
      written: ['phantom_001', 'phantom_002'],
      interrupted: false,
    });
    await preprocess({ data, out: whole });
    expect(contents(store)).toEqual(contents(whole));
  });

  it('tells what went wrong although it was stopped at the same time', async () => {
    const stop = new AbortController();
    const broken = new Error('the listener is broken');
    const stopped = preprocess({
      data,
      out: out('stopped-and-broken'),
      signal: stop.signal,
      onCase: () => {
        stop.abort();
        throw broken;
      },
    });
    await expect(stopped).rejects.toBe(broken);
  });

  it('tells that it cannot write although it was stopped at the same time', async () => {
    const [store, stop] = [out('stopped-and-full'), new AbortController()];
    const runner = vi.spyOn(ownThread, 'run').mockImplementation(async () => {
      stop.abort();
      throw new StoreWriteError({ file: store, field: 'file', expected: 'to be written', found: 'ENOSPC' });
    });
    try {
      await expect(preprocess({ data, out: store, signal: stop.signal })).rejects.toThrow(/found ENOSPC/);
    } finally {
      runner.mockRestore();
    }
    expect(readdirSync(store).sort()).toEqual(['.zattrs', '.zgroup']);
  });

  it('is not made of cases whose ids differ by capitals alone', async () => {
    const copy = out('capitals');
    cpSync(data, copy, { recursive: true });
    for (const kind of ['imagesTr', 'labelsTr'])
      cpSync(path.join(copy, kind, 'phantom_000.nii.gz'), path.join(copy, kind, 'PHANTOM_000.nii.gz'));
    rmSync(path.join(copy, 'dataset.json'));
    await expect(preprocess({ data: copy, out: out('no-capitals') })).rejects.toThrow(
      'expected ids that differ by more than capitals',
    );
  });

  it('neither keeps nor removes what a link leads to', async () => {
    const [store, victim] = [out('with-link'), out('victim')];
    const copy = out('linked-data');
    cpSync(data, copy, { recursive: true });
    await preprocess({ data: copy, out: victim });
    await preprocess({ data: copy, out: store });
    rmSync(path.join(store, 'phantom_001'), { recursive: true });
    symlinkSync(path.join(victim, 'phantom_001'), path.join(store, 'phantom_001'));
    const before = contents(victim);
    utimesSync(path.join(copy, 'imagesTr/phantom_001.nii.gz'), 1, 1);
    const { written, kept, failed } = await preprocess({ data: copy, out: store });
    expect({ written, kept }).toEqual({ written: [], kept: ['phantom_000', 'phantom_002'] });
    expect(failed.map(({ error }) => error.message)).toEqual([
      `${path.join(store, 'phantom_001')}: case: expected a folder of the store, found a link. Remove the link, or move what it leads to here.`,
    ]);
    expect(contents(victim)).toEqual(before);
    expect(lstatSync(path.join(store, 'phantom_001')).isSymbolicLink()).toBe(true);
  });

  it('makes a case anew whose files have changed, and refuses other settings', async () => {
    const copy = out('changing');
    cpSync(data, copy, { recursive: true });
    const store = out('changed');
    await preprocess({ data: copy, out: store });
    utimesSync(path.join(copy, 'imagesTr/phantom_001.nii.gz'), 1, 1);
    expect((await preprocess({ data: copy, out: store })).written).toEqual(['phantom_001']);
    await expect(preprocess({ data: copy, out: store, size: 9 })).rejects.toThrow(
      'expected size 9, found the voxels of the file',
    );
    await expect(preprocess({ data: store, out: out('twice') })).rejects.toThrow(
      'a store of preprocessed cases',
    );
    await expect(preprocess({ data, out: data })).rejects.toThrow('a folder without the data');
    const narrow = out('narrow');
    const window = { lower: -100, upper: 300 };
    await preprocess({ data, out: narrow, window });
    await expect(preprocess({ data, out: narrow })).rejects.toThrow(
      'found the voxels of the file, window -100 to 300 HU',
    );
    await expect(loadCase((await openDataset(narrow)).cases[0])).rejects.toThrow(
      'expected the voxels of the file, window -512 to 512 HU, found the voxels of the file, window -100 to 300 HU',
    );
    const [entry] = (await openDataset(store)).cases;
    await expect(loadCase(entry, { spacing: 2 })).rejects.toThrow(/preprocessing: expected spacing 2 mm/);
    await expect(loadCase({ ...entry, labelNames: ['background', 'liver'] })).rejects.toThrow(
      'expected one of 0 background, 1 liver, found 2',
    );
  });

  it('prepares the others where a file is cut off, and names it', async () => {
    const copy = out('cut');
    cpSync(data, copy, { recursive: true });
    const file = path.join(copy, 'imagesTr/phantom_001.nii.gz');
    truncateSync(file, statSync(file).size >> 1);
    const store = out('from-cut');
    const { written, failed } = await preprocess({ data: copy, out: store });
    expect(written).toEqual(['phantom_000', 'phantom_002']);
    expect(failed.map(({ id }) => id)).toEqual(['phantom_001']);
    expect(failed[0].error.message).toContain(file);
    expect(readdirSync(store).sort()).toEqual(['.zattrs', '.zgroup', 'phantom_000', 'phantom_002']);
  });

  it('names the chunk that is damaged or missing', async () => {
    const store = out('damaged');
    await preprocess({ data, out: store });
    const { cases } = await openDataset(store);
    const chunk = path.join(store, 'phantom_001/image/1.0.0');
    const bytes = readFileSync(chunk);
    bytes[bytes.length >> 1] ^= 0x10;
    writeFileSync(chunk, bytes);
    await expect(loadCase(cases[1])).rejects.toThrow(
      `${chunk}: chunk (depth, height, width) = (1, 0, 0): expected a compressed chunk`,
    );
    writeFileSync(chunk, bytes.subarray(0, 20));
    await expect(loadCase(cases[1])).rejects.toThrow(/damaged data/);
    const missing = path.join(store, 'phantom_002/labels/0.0.1');
    rmSync(missing);
    await expect(loadCase(cases[2])).rejects.toThrow(`${missing}: chunk`);
    await expect(loadCase(cases[2])).rejects.toThrow(
      'found nothing at this path. Remove the folder of this case',
    );
    writeFileSync(path.join(store, 'phantom_000/image/.zarray'), '{"zarr_format": 3}');
    await expect(loadCase(cases[0])).rejects.toThrow(/phantom_000\/image\/\.zarray: zarr_format/);
  });
});
