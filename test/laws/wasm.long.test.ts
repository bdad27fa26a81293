import { describe, expect, it } from 'vitest';
import { wasmHere } from '../../src/machine/index.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { check, prepare, REFUSED, tolerance32 } from './judge.ts';
import { SAMPLES } from './samples.ts';
import { distance, network, runNetwork } from './unet.ts';

// The laws on the WebAssembly device: every sample of every operation with its gradients, plain and on its widest split; a whole network
// on meshes of up to eight ranks, with the same bits.

const wasm = wasmHere();

describe.each(Object.keys(OPS) as OpName[])('%s', (name) => {
  it.each(SAMPLES[name].map((sample) => [sample.name, sample] as const))('%s', async (_, sample) => {
    const prepared = prepare(sample);
    for (const parts of [{}, ...sample.parts.slice(-1)]) {
      const refusal = REFUSED[`${name}: ${sample.name}`];
      if (refusal === undefined) await check(prepared, parts, wasm, tolerance32(prepared));
      else await expect(check(prepared, parts, wasm, 0)).rejects.toThrow(refusal);
    }
  });
});

it.each([
  [
    { a: 2, b: 2, c: 2 },
    { depth: 'a', height: 'b', width: 'c' },
  ],
  [
    { a: 2, b: 2 },
    { channel: 'a', depth: 'b' },
  ],
])('a U-Net on mesh %j has the bits of one rank', async (axes, layout) => {
  const graph = network({ keep: 1 });
  expect(distance(await runNetwork(graph, wasm, axes, layout), await runNetwork(graph, wasm, {}, {}))).toBe(
    0,
  );
});
