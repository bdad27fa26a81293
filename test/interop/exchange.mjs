// PyTorch takes the exported weights of a U-Net, key by key, and gives the same probabilities; the checker of ONNX finds its model sound.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as hm from '../../dist/index.js';
import { networkOf } from '../../dist/train/index.js';

export const needs = ['torch', 'safetensors', 'onnx'];

export async function check({ python, folder }) {
  const size = [9, 12, 10];
  const classes = ['background', 'liver', 'tumour'];
  for (const norm of ['batch', 'instance', 'group', 'none']) {
    const run = hm.runFolder(join(folder, norm));
    const given = { data: '.', out: run.dir, classes, base: 4, levels: 3, norm, ema: undefined };
    const config = hm.resolveConfig({ ...given, preset: 'hou2019', size: 16, precision: 'f32' });
    const { graph } = hm.buildPrediction({
      image: hm.shape({ batch: 1, depth: size[0], height: size[1], width: size[2], channel: 1 }),
      network: networkOf(config, classes.length),
      storage: 'f32',
      seed: 7,
      probabilities: true,
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
    const [onnx, safetensors] = [join(folder, `${norm}.onnx`), join(folder, `${norm}.safetensors`)];
    await hm.exportRun({ run: run.dir, onnx, safetensors });
    const image = Float32Array.from({ length: size.reduce((a, b) => a * b) }, (_, i) => (i % 17) / 17);
    const { probabilities } = await program.run({ image }, ['probabilities']);
    const found = JSON.parse(python('read_network.py', safetensors, onnx, norm, ...size.map(String)));
    assert.equal(found.length, probabilities.length);
    const apart = found.reduce((most, value, i) => Math.max(most, Math.abs(value - probabilities[i])), 0);
    assert.ok(apart < 1e-4, `${norm} norm: probabilities ${apart} apart`);
    program.free();
  }
}
