// Python's zarr reads every voxel of a store, and what leads back to the files.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as hm from '../../dist/index.js';

export const needs = ['zarr'];

const sha256 = (array) => createHash('sha256').update(array).digest('hex');

export async function check({ python, folder }) {
  const data = join(folder, 'data');
  await hm.writePhantom({ out: data, size: [70, 20, 66], cases: 2 });
  for (const options of [{}, { spacing: 9 }]) {
    const out = join(folder, `store${options.spacing ?? ''}`);
    // Two threads.
    const { written } = await hm.preprocess({ data, out, jobs: 2, ...options });
    assert.deepEqual([...written].sort(), ['phantom_000', 'phantom_001']);
    const read = JSON.parse(python('read_store.py', out));
    assert.deepEqual(read.attributes.halomesh.cases, ['phantom_000', 'phantom_001']);
    for (const entry of (await hm.openDataset(data)).cases) {
      const prepared = await hm.loadCase(entry, options);
      const file = await hm.readScan(entry.image);
      const { arrays, attributes } = read.cases[entry.id];
      assert.deepEqual(arrays.labels, {
        shape: [...prepared.shape],
        dtype: '|u1',
        sha256: sha256(prepared.labels),
      });
      // Phantoms lie in RAS+ order, whose voxels are those of the file.
      const { volume } = hm.toCanonical(file);
      const hu = options.spacing ? hm.resampleImage(volume, { shape: prepared.shape }).data : volume.data;
      assert.equal(arrays.image.dtype, options.spacing ? '<f4' : '<i2');
      assert.equal(arrays.image.sha256, sha256(hu));
      assert.deepEqual(attributes.affine, [...prepared.affine]);
      assert.deepEqual(attributes.original.affine, [...file.affine]);
      assert.deepEqual(attributes.original.shape, [...file.shape]);
    }
  }
}
