import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { alone } from '../machine/index.ts';
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
