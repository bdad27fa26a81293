import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import { evaluate, predictFolder, readLog, resolveConfig, train } from '../../src/train/index.ts';

// Classes and cases with the names of what every object of JavaScript has, from the files to the scores.

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-names-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const place = (...parts: string[]): string => path.join(folder, ...parts);

const classes = ['__proto__', 'constructor', 'toString'];
const ids = ['constructor', '__proto__'];

/** The keys of an object in a file of JSON, as it has them itself. */
const keysOf = (value: unknown): string[] => Reflect.ownKeys(value as object).map(String);

async function writeData(): Promise<string> {
  const data = place('data');
  await writePhantom({ out: data, size: [12, 14, 12], cases: 2, seed: 2 });
  for (const dir of ['imagesTr', 'labelsTr'])
    for (const [n, file] of readdirSync(place('data', dir)).sort().entries())
      renameSync(place('data', dir, file), place('data', dir, `${ids[n]}.nii.gz`));
  // As text, since a key __proto__ of a literal is none.
  const labels = classes.map((name, n) => `"${name}": ${n + 1}`).join(', ');
  writeFileSync(
    place('data', 'dataset.json'),
    `{"name": "toString", "channel_names": {"0": "CT"}, "file_ending": ".nii.gz", "labels": {"background": 0, ${labels}}}`,
  );
  return data;
}

it('names of what every object has are classes and cases like others: trained, resumed, predicted, scored', async () => {
  const data = await writeData();
  const config = resolveConfig({
    ...{ data, out: place('run'), base: 4, levels: 2, steps: 2, threads: 1 },
    ...{ checkpointEvery: 1, validation: ['__proto__'] },
  });
  await train(config);
  expect(await train({ ...config, steps: 4 }, { resume: true })).toMatchObject({ step: 4 });
  const validations = (await readLog(place('run', 'log.jsonl'))).filter(({ kind }) => kind === 'validation');
  expect(validations.length).toBeGreaterThan(1);
  for (const line of validations) expect('dice' in line && keysOf(line.dice)).toEqual(classes);
  expect(JSON.parse(readFileSync(place('run', 'config.json'), 'utf8')).classes).toEqual([
    'background',
    ...classes,
  ]);

  const { results } = await predictFolder({
    run: config.out,
    input: place('data', 'imagesTr'),
    output: place('out'),
  });
  expect(readdirSync(place('out')).sort()).toEqual(['__proto__.nii.gz', 'constructor.nii.gz']);
  for (const { voxels } of results) {
    expect(keysOf(voxels)).toEqual(['background', ...classes]);
    expect(Object.values(voxels).reduce((sum, count) => sum + count, 0)).toBe(12 * 14 * 12);
  }

  await evaluate({ run: config.out, out: place('scores'), cases: 'all', lesion: 'constructor' });
  const summary = JSON.parse(readFileSync(place('scores', 'summary.json'), 'utf8'));
  const cases = [summary, ...summary.apart].flatMap(({ original }) => original.cases);
  expect(cases.map(({ id }) => id)).toEqual(['__proto__', 'constructor']);
  for (const one of cases) expect(keysOf(one.classes)).toEqual(['background', ...classes]);
  const text = readFileSync(place('scores', 'summary.md'), 'utf8');
  for (const name of [...classes, ...ids]) expect(text).toContain(name.replaceAll('_', '\\_'));
});
