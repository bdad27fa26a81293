import path from 'node:path';
import { expect, it } from 'vitest';
import { setUpCommand } from './set-up.ts';

it('names the script of a clone, the command of a dependency, and the path of that from elsewhere', () => {
  const home = path.join('/home', 'me', 'project');
  const project = path.join(home, 'node_modules', 'halomesh');
  expect(setUpCommand()).toBe('npm run setup');
  expect(setUpCommand('mpi')).toBe('npm run setup:mpi');
  expect(setUpCommand('compile')).toBe('npm run setup');
  expect(setUpCommand('compile', project, home)).toBe('npx halomesh setup --compile');
  expect(setUpCommand(undefined, project, home)).toBe('npx halomesh setup');
  expect(setUpCommand('mpi', project, path.join(home, 'runs'))).toBe('npx halomesh setup --mpi');
  // Installed for all, and a clone that a project links to.
  expect(setUpCommand(undefined, project, '/home/me/project2')).toBe(`node ${project}/bin/halomesh.js setup`);
  expect(setUpCommand('mpi', '/clone/halomesh', home)).toBe(
    'node /clone/halomesh/bin/halomesh.js setup --mpi',
  );
});
