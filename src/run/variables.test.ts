import { describe, expect, it } from 'vitest';
import { forEachIndex, Graph, mesh, normal, range, rowMajorStrides, shape, wholeBox } from '../core/index.ts';
import { referenceDevice } from '../machine/index.ts';
import { inputOf, mul, type VariableAttrs, variableOf } from '../ops/index.ts';
import { Session } from './session.ts';
import { initial } from './variables.ts';

const attrs: VariableAttrs = {
  name: 'w',
  shape: shape({ a: 3, b: 4, c: 5 }),
  dtype: 'f32',
  init: { kind: 'normal', deviation: 0.5 },
  trainable: true,
};

describe('initial numbers', () => {
  it('depend on their place in the whole variable alone', () => {
    const whole = initial(attrs, 9, wholeBox(attrs.shape));
    const strides = rowMajorStrides([3, 4, 5]);
    for (const box of [
      wholeBox(attrs.shape),
      [range(1, 3), range(0, 4), range(0, 5)],
      [range(0, 3), range(1, 3), range(0, 5)],
      [range(1, 2), range(2, 3), range(1, 4)],
      [range(0, 3), range(0, 4), range(4, 5)],
      [range(0, 3), range(2, 2), range(0, 5)],
    ]) {
      const expected: number[] = [];
      forEachIndex(box, (index) => {
        expected.push(whole[index.reduce((at, x, i) => at + x * strides[i], 0)]);
      });
      expect([...initial(attrs, 9, box)]).toEqual(expected);
    }
  });

  it('are those of the keys: seed, name, index', () => {
    const scalar = initial({ ...attrs, shape: [] }, 3, []);
    const other = initial({ ...attrs, shape: [], name: 'v' }, 3, []);
    expect(scalar[0]).not.toBe(other[0]);
    // FNV-1a of "w".
    expect(scalar[0]).toBe(0.5 * normal(3, Math.imul(0x811c9dc5 ^ 0x77, 0x01000193) >>> 0, 0, 0));
  });

  it('are drawn when they are needed, and never over numbers that were set', async () => {
    const graph = new Graph();
    const x = inputOf(graph, 'x', attrs.shape);
    graph.output('y', mul(x, variableOf(graph, attrs)));
    const device = referenceDevice();
    let uploads = 0;
    const upload = device.upload.bind(device);
    device.upload = (tensor, box, data) => {
      uploads++;
      upload(tensor, box, data);
    };
    const session = new Session({ device, mesh: mesh({}), seed: 9 });
    const program = await session.load(graph);
    expect(uploads).toBe(0);
    const given = new Float32Array(60).fill(2);
    session.variables.set('w', given);
    const ones = new Float32Array(60).fill(1);
    expect([...(await program.run({ x: ones })).y]).toEqual([...given]);
    const fresh = new Session({ device: referenceDevice(), mesh: mesh({}), seed: 9 });
    await fresh.load(graph);
    expect(await fresh.variables.get('w')).toEqual(initial(attrs, 9, wholeBox(attrs.shape)));
  });
});
