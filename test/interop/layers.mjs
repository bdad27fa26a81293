// PyTorch takes the exported weights of a network of one's own, key by key, and gives the same scores; the checker of ONNX finds its model sound.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as hm from '../../dist/index.js';
import { loadNetwork, networkOf } from '../../dist/train/index.js';

export const needs = ['torch', 'safetensors', 'onnx'];

export async function check({ python, folder }) {
  const size = [9, 12, 10];
  const run = hm.runFolder(join(folder, 'run'));
  const network = fileURLToPath(new URL('../fixtures/networks/layers.mjs', import.meta.url));
  const classes = ['background', 'liver', 'tumour'];
  const way = { preset: 'hou2019', size: 16, precision: 'f32', ema: undefined };
  const given = hm.resolveConfig({ data: '.', out: run.dir, classes, network, ...way });
  const { config, text } = await loadNetwork(given, { folder: run });
  const { graph } = hm.buildScores({
    image: hm.shape({ batch: 1, depth: size[0], height: size[1], width: size[2], channel: 1 }),
    network: networkOf(config, classes.length),
    seed: 7,
  });
  const session = new hm.Session({ device: hm.cpuDevice({ threads: 1 }), seed: 7 });
  const program = await session.load(graph);
  const { variables } = session;
  let n = 0;
  // First scales and statistics are ones and zeros, which would hide one in another's place.
  for (const name of variables.names())
    if (!name.endsWith('weight'))
      variables.set(
        name,
        (await variables.get(name)).map(() => 0.5 + (n++ % 7) / 8),
      );
  await hm.saveCheckpoint(run.latest, { variables, step: 3, config });
  writeFileSync(run.config, JSON.stringify(config));
  writeFileSync(run.network, text);
  const [onnx, safetensors] = [join(folder, 'layers.onnx'), join(folder, 'layers.safetensors')];
  await hm.exportRun({ run: run.dir, onnx, safetensors });
  const image = Float32Array.from({ length: size.reduce((a, b) => a * b) }, (_, i) => (i % 17) / 17);
  const { scores } = await program.run({ image }, ['scores']);
  const found = JSON.parse(python('read_layers.py', safetensors, onnx, ...size.map(String)));
  assert.equal(found.length, scores.length);
  const apart = found.reduce((most, value, i) => Math.max(most, Math.abs(value - scores[i])), 0);
  assert.ok(apart < 1e-4, `scores ${apart} apart`);
  program.free();
}
