import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { roomsOf } from './load-rooms.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const src = (file: string): string => path.join(root, 'src', file);

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
  const loaded = [...loadedBy(src('cli/main.ts'))];
  expect(loaded).toContain('commander');
  expect(loaded).toContain(src('cli/commands/train-command.ts'));
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

describe('a command loads what it needs', () => {
  const actions = readdirSync(src('cli/commands'))
    .map((file) => file.replace('-command.ts', ''))
    .filter((command) => existsSync(src(`cli/actions/${command}.ts`)));
  const rooms = (command: string): Set<string> => {
    const found = new Set<string>();
    for (const room of roomsOf(command)) loadedBy(src(`${room}/index.ts`), found);
    return found;
  };

  it.each(actions)('%s: its rooms, and few files at once beside them', (command) => {
    const before = rooms(command);
    const own = loadedBy(src(`cli/actions/${command}.ts`));
    expect([...before].filter((file) => !own.has(file))).toEqual([]);
    // All of these are open at the same time.
    expect([...own].filter((file) => !before.has(file)).length).toBeLessThan(96);
  });

  it('plan: of training what makes plans, nothing that trains, predicts or draws', () => {
    const all = [...loadedBy(src('cli/actions/plan.ts'))].filter((file) => path.isAbsolute(file));
    const training = all.filter(
      (file) => file.startsWith(src('train/')) && !file.startsWith(src('train/config/')),
    );
    expect(training.map((file) => path.relative(src('train'), file)).sort()).toEqual([
      'loop/forecast.ts',
      'record/network-file.ts',
      'record/run-folder.ts',
      'samples/cases.ts',
      'samples/patches.ts',
      'samples/planned-network.ts',
      'samples/preprocessed.ts',
    ]);
    expect(all.length).toBeLessThan(440);
  });

  it('predict: of training nothing that trains, compares or draws', () => {
    const all = [...loadedBy(src('cli/actions/predict.ts'))].map((file) => path.relative(src('train'), file));
    expect(all).toContain('predict/segmenter.ts');
    expect(
      all.filter((file) => /^(index\.ts|(loop|cross|pictures|tensorboard|evaluate)\/)/.test(file)),
    ).toEqual([]);
  });
});
