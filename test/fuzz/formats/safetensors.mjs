import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadCheckpoint, openSafetensors, writeSafetensors } from '../../../dist/train/index.js';
import { mutateBytes, mutateJson } from '../mutate.mjs';

const FILE = 'weights.safetensors';
const shapes = { a: [2, 3], b: [4], 'c/adam/m': [2, 2] };
const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);
const lengths = [0n, 1n, 2n ** 28n, 2n ** 28n + 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

/** A small checkpoint, of which the length of the header, the header or the numbers are damaged. */
async function mutants(folder) {
  const file = path.join(folder, FILE);
  mkdirSync(folder, { recursive: true });
  const tensors = Object.entries(shapes).map(([name, shape]) => ({
    name,
    dtype: name === 'b' ? 'F64' : 'F32',
    shape,
    data: () => (name === 'b' ? Float64Array : Float32Array).from({ length: sizeOf(shape) }, (_, i) => i + 1),
  }));
  await writeSafetensors(file, tensors, {
    format: 'halomesh checkpoint 1',
    step: '5',
    config: '{}',
    best: '{}',
  });
  const whole = readFileSync(file);
  const end = 8 + Number(whole.readBigUInt64LE());
  const json = whole.toString('utf8', 8, end).trim();
  return (random) => {
    if (random.once(3)) return { [FILE]: mutateBytes(random, whole, end) };
    const head = Buffer.from(mutateJson(random, json), random.once(9) ? 'latin1' : 'utf8');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(
      random.once(12) ? random.pick([...lengths, BigInt(head.length + 1)]) : BigInt(head.length),
    );
    const data = whole.subarray(end);
    return { [FILE]: Buffer.concat([length, head, random.once(8) ? mutateBytes(random, data) : data]) };
  };
}

export async function safetensors(folder) {
  return {
    mutant: await mutants(folder),
    async read(place) {
      const file = await openSafetensors(path.join(place, FILE));
      try {
        for (const [name, { shape }] of file.tensors) {
          const { length } = await file.read(name);
          if (length !== sizeOf(shape)) return `${length} numbers of the shape ${shape}`;
        }
      } finally {
        await file.close();
      }
      return undefined;
    },
  };
}

/** What a network takes of it. */
export async function checkpoint(folder) {
  return {
    mutant: await mutants(folder),
    async read(place) {
      const taken = new Map();
      const state = {
        names: () => Object.keys(shapes),
        types: new Map(
          Object.entries(shapes).map(([name, shape]) => [
            name,
            { dtype: 'f32', shape: shape.map((size) => ({ size })) },
          ]),
        ),
        set: (name, data) => taken.set(name, data),
      };
      const { step } = await loadCheckpoint(path.join(place, FILE), state);
      if (!Number.isSafeInteger(step) || step < 0) return `step ${step}`;
      for (const [name, shape] of Object.entries(shapes)) {
        const data = taken.get(name);
        if (data?.length !== sizeOf(shape)) return `tensor ${name} has ${data?.length} numbers`;
        if (!data.every(Number.isFinite)) return `tensor ${name} has numbers that are not finite`;
      }
      return undefined;
    },
  };
}
