import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSlices } from '../../test/imaging/dicom-fixture.ts';
import { type Fixture, niftiBytes } from '../../test/imaging/nifti-fixture.ts';
import { preprocess, readScan } from '../imaging/index.ts';
import { PageFiles, serveView, View } from './index.ts';
import { ask, writeBrain, writeBrains } from './view.testing.ts';

// What kinds of scans and labels the page is given, as files that it draws.

const VOXELS = 4 * 5 * 6;
let dir: string;
let page: PageFiles;

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'halomesh-view-kinds-'));
  writeFileSync(path.join(dir, 'index.html'), '<html><body></body></html>');
  page = new PageFiles(dir);
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Opens paths, and hands over what the page is told with the files that it would fetch by their addresses. */
async function shown<T>(
  options: Parameters<typeof View.open>[0],
  look: (view: View, file: (url: string) => Promise<Buffer>) => Promise<T>,
): Promise<T> {
  const view = await View.open(options);
  const server = await serveView(view, page);
  try {
    return await look(view, async (url) => {
      const { status, bytes } = await ask(server.url + url);
      if (status !== 200) throw new Error(bytes.toString());
      return bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
    });
  } finally {
    await server.close();
    view.close();
  }
}

/** Voxels along i, j, k, the code of the type, and the voxels of a NIfTI-1 file of int16, bytes or float32. */
function parts(file: Buffer): { shape: number[]; type: number; values: number[] } {
  const type = file.readInt16LE(70);
  const body = file.buffer.slice(file.byteOffset + 352, file.byteOffset + file.length);
  const values =
    type === 2 ? new Uint8Array(body) : type === 4 ? new Int16Array(body) : new Float32Array(body);
  return { shape: [42, 44, 46].map((at) => file.readInt16LE(at)), type, values: [...values] };
}

describe('a view', () => {
  it('has the channels of a case, each with its window, and classes in place of values', async () => {
    const { run } = await writeBrains(dir);
    await shown({ paths: [run] }, async (view, file) => {
      const { channels, classes, regions, cases, notes } = view.data;
      expect(notes).toEqual([]);
      expect(channels).toEqual([{ name: 'T1', window: [-3, 90] }, { name: 'FLAIR' }]);
      expect(classes).toEqual(['background', 'label 2', 'core']);
      expect(regions).toEqual([
        { name: 'whole', classes: [1, 2] },
        { name: 'core', classes: [2] },
      ]);
      const [{ images, truth, results }] = cases;
      const [t1, flair] = await Promise.all(images.map(async ({ url }) => parts(await file(url)).values));
      expect(t1).toEqual(Array.from({ length: VOXELS }, (_, i) => i));
      expect(flair).toEqual(t1.map((value) => 10 * value));
      const of = async (url: string) => parts(await file(url)).values.slice(0, 4);
      expect(await of(truth!.url)).toEqual([0, 1, 2, 0]);
      expect(await of(results[0].labels!.url)).toEqual([0, 2, 2, 1]);
      const { label, places } = (await view.lesions('a', 0))!;
      expect(label).toBe('core');
      expect(places.some(({ of, met }) => of === 'prediction' && met)).toBe(true);
    });
  });

  it('has the volumes of a file as channels', async () => {
    const data = path.join(dir, 'four');
    for (const folder of ['imagesTr', 'labelsTr']) mkdirSync(path.join(data, folder), { recursive: true });
    const one = path.join(dir, 'one.nii');
    await writeBrain(
      one,
      Int16Array.from({ length: VOXELS }, (_, i) => i),
    );
    const bytes = readFileSync(one);
    const both = Buffer.concat([bytes, bytes.subarray(352)]);
    both.writeInt16LE(4, 40);
    both.writeInt16LE(2, 48);
    both.writeInt16LE(77, 352 + 2 * VOXELS);
    writeFileSync(path.join(data, 'imagesTr/b.nii'), both);
    await writeBrain(path.join(data, 'labelsTr/b.nii'), new Uint8Array(VOXELS));
    writeFileSync(
      path.join(data, 'dataset.json'),
      JSON.stringify({ modality: { 0: 'T1', 1: 'T2' }, labels: { 0: 'background', 1: 'tumour' } }),
    );
    await shown({ paths: [data] }, async (view, file) => {
      expect(view.data.channels).toEqual([{ name: 'T1' }, { name: 'T2' }]);
      const { images } = view.data.cases[0];
      const firsts = await Promise.all(images.map(async ({ url }) => parts(await file(url)).values[0]));
      expect(firsts).toEqual([0, 77]);
    });
  });

  it('has scans of a store with all their channels, and predictions for them with the values of the files', async () => {
    const out = path.join(dir, 'store');
    await preprocess({ data: path.join(dir, 'brains'), out });
    const predictions = path.join(dir, 'of-store');
    mkdirSync(predictions);
    await writeBrain(
      path.join(predictions, 'a.nii.gz'),
      Uint8Array.from({ length: VOXELS }, (_, i) => [0, 7, 2, 0][i % 4]),
    );
    await shown({ paths: [out], predictions: [predictions] }, async (view, file) => {
      const { channels, cases } = view.data;
      expect(channels.map(({ name }) => name)).toEqual(['T1', 'FLAIR']);
      const [{ images, truth, results }] = cases;
      const [t1, flair] = await Promise.all(images.map(async ({ url }) => parts(await file(url))));
      expect(t1.shape).toEqual([6, 5, 4]);
      expect(t1.values).toEqual(Array.from({ length: VOXELS }, (_, i) => i));
      expect(flair.values.slice(0, 3)).toEqual([0, 10, 20]);
      expect(parts(await file(truth!.url)).values.slice(0, 4)).toEqual([0, 1, 2, 0]);
      expect(parts(await file(results[0].labels!.url)).values.slice(0, 4)).toEqual([0, 2, 1, 0]);
    });
  });

  it('has cases with a file for each structure as one label map', async () => {
    const data = path.join(dir, 'structures');
    const at = path.join(data, 'c1/segmentations');
    mkdirSync(at, { recursive: true });
    await writeBrain(path.join(data, 'c1/ct.nii.gz'), new Int16Array(VOXELS).fill(40));
    for (const [n, name] of ['liver', 'spleen'].entries())
      await writeBrain(
        path.join(at, `${name}.nii.gz`),
        Uint8Array.from({ length: VOXELS }, (_, i) => (i % 3 === n + 1 ? 1 : 0)),
      );
    await shown({ paths: [data] }, async (view, file) => {
      const { classes, cases } = view.data;
      expect(classes).toEqual(['background', 'liver', 'spleen']);
      expect(parts(await file(cases[0].images[0].url)).values[0]).toBe(40);
      expect(parts(await file(cases[0].truth!.url)).values.slice(0, 4)).toEqual([0, 1, 2, 0]);
    });
  });

  it('has a DICOM series of a folder in HU, and names the folder whose series is none', async () => {
    const values = Array.from({ length: 6 }, (_, n) => n);
    const slice = (k: number) => ({
      ...{ rows: 2, columns: 3, instance: k + 1, position: [0, 0, 2 * k] },
      ...{ values, slope: 2, intercept: -1000 },
    });
    const series = writeSlices(path.join(dir, 'series'), { 'a.dcm': slice(0), 'b.dcm': slice(1) });
    await shown({ paths: [series] }, async (view, file) => {
      const [{ id, images }] = view.data.cases;
      expect(id).toBe('series');
      const { shape, values } = parts(await file(images[0].url));
      expect(shape).toEqual([3, 2, 2]);
      expect(values.slice(0, 6)).toEqual([-1000, -998, -996, -994, -992, -990]);
    });
    const none = path.join(dir, 'none');
    mkdirSync(none);
    await shown({ paths: [none] }, async (view, file) => {
      await expect(file(view.data.cases[0].images[0].url)).rejects.toThrow(/none.*expected.*found/);
    });
  });

  it.each([
    ['scaled', { type: 'int16', slope: 0.5, intercept: -10 }],
    ['of the other byte order', { type: 'int16', little: false }],
    ['of whole numbers of 64 bits', { type: 'int64' }],
    ['of bytes with a sign', { type: 'int8' }],
  ] as readonly [string, Fixture][])(
    'gives numbers that are %s as the page can draw them',
    async (_, fixture) => {
      const scan = path.join(dir, 'odd.nii');
      const values = Array.from({ length: VOXELS }, (_, n) => (n % 100) - 50);
      writeFileSync(scan, niftiBytes({ dims: [6, 5, 4], values, ...fixture }));
      const { data } = await readScan(scan);
      await shown({ paths: [scan] }, async (view, file) => {
        const found = parts(await file(view.data.cases[0].images[0].url));
        expect([2, 4, 16, 512]).toContain(found.type);
        expect(found.values).toEqual([...data]);
      });
    },
  );

  it('says why a scan did not come to its end', async () => {
    const scan = path.join(dir, 'cut.nii.gz');
    const noise = Array.from({ length: 40 ** 3 }, (_, n) => (n * 2654435761) % 30011);
    const packed = gzipSync(niftiBytes({ type: 'int16', dims: [40, 40, 40], values: noise }));
    writeFileSync(scan, packed.subarray(0, packed.length - 5000));
    const view = await View.open({ paths: [scan] });
    const server = await serveView(view, page);
    const { url } = view.data.cases[0].images[0];
    await expect(ask(server.url + url)).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    const problem = await ask(`${server.url}api/problem?file=${url.split('/')[1]}`);
    expect(JSON.parse(problem.bytes.toString())).toMatch(/cut\.nii\.gz.*expected/);
    expect((await ask(`${server.url}api/problem?file=x`)).status).toBe(404);
    await server.close();
    view.close();
  });
});
