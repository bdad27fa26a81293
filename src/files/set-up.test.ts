import path from 'node:path';
import { expect, it } from 'vitest';
import { setUpCommand } from './set-up.ts';

it('names the script of a clone, and the command of a dependency', () => {
  const project = path.join('/home', 'me', 'project', 'node_modules', 'halomesh');
  expect(setUpCommand()).toBe('npm run setup');
  expect(setUpCommand('mpi')).toBe('npm run setup:mpi');
  expect(setUpCommand(undefined, project)).toBe('npx halomesh setup');
  expect(setUpCommand('mpi', project)).toBe('npx halomesh setup --mpi');
});
