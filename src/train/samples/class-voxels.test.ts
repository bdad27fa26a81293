import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { alone } from '../../machine/index.ts';
import { classVoxels } from './class-voxels.ts';

const root = mkdtempSync(path.join(tmpdir(), 'halomesh-class-voxels-'));
afterAll(() => rmSync(root, { recursive: true }));

const cases = ['a', 'b'].map((id) => ({ id, image: `${id}.nii` }));

it('are counted once and then read; where the file is damaged they are counted again', async () => {
  const file = path.join(root, 'class-voxels.json');
  const counted: string[] = [];
  const count = async ({ id }: { readonly id: string }) => [counted.push(id), 7];
  expect(await classVoxels(cases, count, file, alone(1))).toEqual([
    [1, 7],
    [2, 7],
  ]);
  expect(await classVoxels(cases, count, file, alone(1))).toEqual([
    [1, 7],
    [2, 7],
  ]);
  expect(counted).toEqual(['a', 'b']);
  writeFileSync(file, '{"a": [1');
  counted.length = 0;
  expect(await classVoxels(cases, count, file, alone(1))).toHaveLength(2);
  expect(counted).toEqual(['a', 'b']);
});

it('of cases that are called like properties of objects are kept too; what is no count is counted anew', async () => {
  const file = path.join(root, 'odd.json');
  const odd = ['__proto__', 'constructor', 'toString'].map((id) => ({ id, image: `${id}.nii` }));
  let counted = 0;
  const count = async () => [++counted, 7];
  const expected = [
    [1, 7],
    [2, 7],
    [3, 7],
  ];
  expect(await classVoxels(odd, count, file, alone(1))).toEqual(expected);
  expect(await classVoxels(odd, count, file, alone(1))).toEqual(expected);
  expect(counted).toBe(3);
  writeFileSync(file, '{"constructor": "many", "toString": [3, -7], "__proto__": [1, 7]}');
  expect(await classVoxels(odd, count, file, alone(1))).toEqual([
    [1, 7],
    [4, 7],
    [5, 7],
  ]);
});
