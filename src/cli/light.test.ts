import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

/** Everything that loading a file loads at once, files and packages: its imports, but those of types and those that are awaited. */
function loadedBy(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, clause, specifier] of text.matchAll(
    /^(?:import|export) ((?!type )[^;]*?) ?from '([^']+)';/gm,
  )) {
    const named = clause
      .replace(/^\{|\}$/g, '')
      .split(',')
      .filter((name) => name.trim() !== '');
    if (clause.startsWith('{') && named.every((name) => name.trim().startsWith('type '))) continue;
    if (!specifier.startsWith('.')) found.add(specifier);
    else loadedBy(path.resolve(path.dirname(file), specifier), found);
  }
  return found;
}

it('help, version and mistakes load no work: only the declarations of the commands', () => {
  const root = path.resolve(import.meta.dirname, '..', '..');
  const loaded = [...loadedBy(path.join(root, 'src/cli/main.ts'))];
  expect(loaded).toContain('commander');
  expect(loaded).toContain(path.join(root, 'src/cli/commands/train-command.ts'));
  const packages = loaded.filter((name) => !existsSync(name) && !name.startsWith('node:'));
  expect(packages).toEqual(['commander']);
  // Names that import nothing, such as those of losses, are no work.
  const heavy = loaded.filter(
    (name) =>
      /\/src\/(ops|nn|plan|run|measure)\/|\/(train|imaging|machine)\/index\.ts$/.test(name) &&
      loadedBy(name).size > 1,
  );
  expect(heavy).toEqual([]);
});
