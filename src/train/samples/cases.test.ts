import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Dataset, openDataset, writePhantom } from '../../imaging/index.ts';
import { CaseCache, chooseCases } from './cases.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-cases-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entry = (id: string) => ({ id, image: `${id}.nii`, label: `${id}.nii` });
const dataset: Dataset = {
  dir: '/d',
  name: 'd',
  labelNames: ['background', 'liver'],
  cases: ['a', 'b', 'c', 'd'].map(entry),
  test: [],
};
const ids = (cases: readonly { readonly id: string }[]) => cases.map(({ id }) => id).join('');

describe('chooseCases', () => {
  it('holds out named cases, or a share of all', () => {
    const named = chooseCases(dataset, { validation: ['b'], seed: 0 });
    expect([ids(named.training), ids(named.validation)]).toEqual(['acd', 'b']);
    const drawn = chooseCases(dataset, { validation: 0.5, seed: 0 });
    expect(drawn.validation.length).toBe(2);
    expect(
      [...drawn.training, ...drawn.validation]
        .map(({ id }) => id)
        .sort()
        .join(''),
    ).toBe('abcd');
    expect(chooseCases(dataset, { validation: 0.5, seed: 0 })).toEqual(drawn);
  });

  it('says what is missing', () => {
    expect(() => chooseCases(dataset, { validation: ['x'], seed: 0 })).toThrow(
      'expected case ids (a, b, c, d), found "x"',
    );
    expect(() => chooseCases(dataset, { validation: ['a', 'b', 'c', 'd'], seed: 0 })).toThrow(
      'all 4 held out',
    );
    expect(() => chooseCases({ ...dataset, labelNames: undefined }, { seed: 0 })).toThrow('does not name');
    expect(() => chooseCases({ ...dataset, cases: [] }, { seed: 0 })).toThrow('at least one to train on');
  });
});

describe('CaseCache', () => {
  it('reads again what it had to forget', async () => {
    await writePhantom({ out: folder, size: 16, cases: 3 });
    const { cases } = await openDataset(folder);
    const bytesOfOne = 16 ** 3 * 5;
    // Room for two, a batch of one in flight, and 4 bytes a voxel to read with.
    const store = new CaseCache({}, 1, 3 * bytesOfOne + 16 ** 3 * 4);
    const [a, b] = [await store.get(cases[0]), await store.get(cases[1])];
    // The array of a case that was forgotten is used for the next one.
    const copies = structuredClone([a, b]);
    expect(await store.get(cases[0])).toBe(a);
    await store.get(cases[2]);
    expect(store.bytes).toBe(2 * bytesOfOne);
    expect(await store.get(cases[0])).toBe(a);
    expect(await store.get(cases[1])).not.toBe(b);
    expect(await store.get(cases[1])).toEqual(copies[1]);
    const least = new CaseCache({}, 1, 0);
    expect(await least.get(cases[0])).toEqual(copies[0]);
    expect(await least.get(cases[1])).toEqual(copies[1]);
    expect(least.bytes).toBe(bytesOfOne);
  });
});
