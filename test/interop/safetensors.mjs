// Python's safetensors reads every variable of a checkpoint, with the shape and the numbers that the program has.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as hm from '../../dist/index.js';

export const needs = ['safetensors', 'numpy'];

export async function check({ python, folder }) {
  const { graph } = hm.buildPrediction({
    image: hm.shape({ batch: 1, depth: 8, height: 8, width: 8, channel: 1 }),
    network: { base: 3, levels: 2, classes: 3 },
    storage: 'f32',
    seed: 7,
  });
  const session = new hm.Session({ device: hm.cpuDevice({ threads: 1 }), seed: 7 });
  const program = await session.load(graph);
  const { variables } = session;
  const file = join(folder, 'latest.safetensors');
  await hm.saveCheckpoint(file, { variables, step: 3, config: hm.resolveConfig({ data: '.', out: '.' }) });
  const { metadata, tensors } = JSON.parse(python('read_safetensors.py', file));
  assert.equal(metadata.step, '3');
  assert.equal(JSON.parse(metadata.config).preset, 'default');
  assert.deepEqual(Object.keys(tensors).sort(), [...variables.names()].sort());
  for (const name of variables.names()) {
    const sizes = variables.types.get(name).shape.map(({ size }) => size);
    assert.deepEqual(tensors[name].shape, sizes, name);
    const numbers = variables.get(name);
    assert.equal(tensors[name].sha256, createHash('sha256').update(numbers).digest('hex'), name);
  }
  program.free();
}
