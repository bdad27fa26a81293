import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { openDataset } from '../dataset/dataset.ts';
import { loadCase } from '../preprocess/preprocess.ts';
import { preprocess } from '../preprocess/preprocess-dataset.ts';
import { writePhantom } from '../synthetic/phantom.ts';
import { createZarr, openZarr, readChunk, writeChunk } from './zarr-array.ts';

const folder = temporaryFolder();
let made = 0;

/** An array of 2 x 2 x 3 int16 in one chunk, whose header says other things. */
async function arrayWith(header: object, voxels = Int16Array.from({ length: 12 }, (_, n) => n * 300 - 5)) {
  const at = path.join(folder, `array-${made++}`);
  const array = await createZarr(at, [2, 2, 3], '<i2');
  await writeChunk(array, [0, 0, 0], voxels);
  const file = path.join(at, '.zarray');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...header }));
  return { at, file, array, voxels };
}

describe('openZarr and readChunk', () => {
  it('read elements that are not shuffled', async () => {
    const { at, voxels } = await arrayWith({ filters: null });
    const bytes = new Uint8Array(24);
    voxels.forEach((value, n) => {
      new DataView(bytes.buffer).setInt16(2 * n, value, true);
    });
    writeFileSync(path.join(at, '0.0.0'), deflateSync(bytes));
    const array = await openZarr(at);
    expect(array.shuffled).toBe(false);
    expect(await readChunk(array, [0, 0, 0])).toEqual(voxels);
    // What is written into such an array is not shuffled either.
    await writeChunk(array, [0, 0, 0], voxels);
    expect([...inflateSync(readFileSync(path.join(at, '0.0.0')))]).toEqual([...bytes]);
  });

  it('read shuffled elements', async () => {
    const { at, voxels } = await arrayWith({});
    expect(await readChunk(await openZarr(at), [0, 0, 0])).toEqual(voxels);
  });

  it.each([
    [{ zarr_format: 3 }, 'zarr_format: expected 2, the version of the format, found 3'],
    [{ order: 'F' }, 'order: expected C, the order of rows, found "F"'],
    [{ compressor: null }, 'compressor: expected zlib, as {"id": "zlib"}, found null'],
    [{ compressor: { id: 'blosc' } }, 'compressor.id: expected zlib, found "blosc"'],
    [
      { filters: [{ id: 'delta' }] },
      'filters: expected null, or the one filter shuffle with its elementsize, found',
    ],
    [
      { filters: [{ id: 'shuffle', elementsize: 4 }] },
      'filters.0.elementsize: expected 2, the bytes of an element of <i2, found 4',
    ],
    [{ fill_value: 7 }, 'fill_value: expected 0 or null, as every chunk is there, found 7'],
    [{ dimension_separator: '/' }, 'dimension_separator: expected ".", which chunks are named with'],
    [{ dtype: '>i2' }, 'dtype: expected one of <f4, <i2, |u1, found ">i2"'],
    [{ shape: [2, 2] }, 'shape: expected voxels along depth, height and width'],
    [{ shape: 'x' }, 'shape: expected voxels along depth, height and width'],
    [{ shape: [2 ** 30, 1024, 1024] }, 'shape: expected voxels along'],
    [{ chunks: [2 ** 40, 16, 16] }, 'chunks: expected voxels along'],
    [{ chunks: [4096, 4096, 4096] }, 'chunks: expected voxels along'],
    [{ chunks: [0, 2, 3] }, 'chunks: expected voxels along'],
  ])('refuse %j', async (header, message) => {
    const { at, file } = await arrayWith(header);
    await expect(openZarr(at)).rejects.toThrow(`${file}: ${message}`);
  });

  it('refuse a shape beyond the chunks that are there', async () => {
    const { at } = await arrayWith({ shape: [60_000, 200, 200] });
    await expect(openZarr(at)).rejects.toThrow(/29999\.99\.66: chunk .*found nothing at this path/);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuse %s in a chunk', async (bad) => {
    const at = path.join(folder, `array-${made++}`);
    const array = await createZarr(at, [1, 1, 2], '<f4');
    await writeChunk(array, [0, 0, 0], Float32Array.of(1, bad));
    await expect(readChunk(array, [0, 0, 0])).rejects.toThrow(
      `${path.join(at, '0.0.0')}: voxel 1 (counted in file order): expected a finite number, found ${bad}`,
    );
  });
});

describe('a case of a store', () => {
  const stored = async (): Promise<string> => {
    const [data, store] = [path.join(folder, `data-${made}`), path.join(folder, `store-${made++}`)];
    await writePhantom({ out: data, size: [16, 16, 16], cases: 1 });
    await preprocess({ data, out: store });
    return store;
  };
  const edit = (file: string, change: (content: Record<string, unknown>) => void): void => {
    const content = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    change(content);
    writeFileSync(file, JSON.stringify(content));
  };

  it('is refused by name where a label has no name', async () => {
    const store = await stored();
    const labels = path.join(store, 'phantom_000/labels');
    const array = await openZarr(labels);
    const voxels = await readChunk(array, [0, 0, 0]);
    voxels[100] = 9;
    await writeChunk(array, [0, 0, 0], voxels);
    await expect(loadCase((await openDataset(store)).cases[0])).rejects.toThrow(
      /phantom_000: labels: expected one of 0 background, .* found 9/,
    );
  });

  it.each<[string, (content: Record<string, unknown>) => void, RegExp]>([
    [
      'filled',
      (content) => {
        content.filled = [16, 16, 17];
      },
      /filled: expected a part of the image of 16x16x16, found 16x16x17/,
    ],
    [
      'affine',
      (content) => {
        content.affine = [1, 2];
      },
      /affine: expected 16 numbers, row by row, found \[1,2\]/,
    ],
    [
      'source',
      (content) => {
        content.source = { image: { file: 7 } };
      },
      /source\.image\.file: expected a text, found 7/,
    ],
    [
      'counts',
      (content) => {
        content.classes = [{ window: { lower: -512, upper: 512 }, facts: [{ count: 5, mean: 0.5 }] }];
      },
      /classes\.0: expected all 4096 voxels of the image, found 5/,
    ],
    [
      'original grid',
      (content) => {
        (content.original as { shape: number[] }).shape = [60_000, 16, 16];
      },
      /a scan of at most 10 m along each axis/,
    ],
  ])('is refused where what stands beside it is of another form: %s', async (_, change, message) => {
    const store = await stored();
    edit(path.join(store, 'phantom_000/.zattrs'), change);
    await expect(loadCase((await openDataset(store)).cases[0])).rejects.toThrow(message);
  });

  it('is refused where its labels are no bytes or lie on other voxels', async () => {
    const store = await stored();
    const file = path.join(store, 'phantom_000/labels/.zarray');
    edit(file, (header) => {
      header.shape = [16, 16, 15];
      header.chunks = [16, 16, 16];
    });
    const [entry] = (await openDataset(store)).cases;
    await expect(loadCase(entry)).rejects.toThrow(
      'labels: shape: expected 16x16x16, that of the image, found 16x16x15',
    );
    edit(file, (header) => {
      header.dtype = '<f4';
    });
    await expect(loadCase(entry)).rejects.toThrow('dtype: expected |u1, as labels are bytes, found <f4');
  });

  it.each([
    [['a/../../store-0/phantom_000'], '"a/../../store-0/phantom_000", with a separator of folders in it'],
    [['..'], '"..", which names a folder above or the folder itself'],
    [['phantom_000', 'phantom_000'], '"phantom_000" twice'],
  ])('is refused by its id: %j', async (ids, found) => {
    const store = await stored();
    edit(path.join(store, '.zattrs'), (content) => {
      (content.halomesh as { cases: string[] }).cases = ids;
    });
    await expect(openDataset(store)).rejects.toThrow(
      `cases: expected names of folders, each once, found ${found}`,
    );
  });

  it('is refused where two of its labels have one name', async () => {
    const store = await stored();
    edit(path.join(store, '.zattrs'), (content) => {
      (content.halomesh as { label_names: string[] }).label_names = ['background', 'a', 'a'];
    });
    await expect(openDataset(store)).rejects.toThrow('label_names: expected one name for each');
  });

  it('is not looked for in a store of version 3', async () => {
    const dir = path.join(folder, `store-${made++}`);
    mkdirSync(dir);
    writeFileSync(path.join(dir, 'zarr.json'), '{"zarr_format": 3, "node_type": "group"}');
    await expect(openDataset(dir)).rejects.toThrow(/found a Zarr store of version 3/);
  });
});
