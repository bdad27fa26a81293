import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePhantom } from '../../imaging/index.ts';
import { resolveConfig } from '../config/config.ts';
import { train } from '../loop/train.ts';
import { compareImageRuns, imageComparisonMarkdown } from './compare-images.ts';
import { compareRuns, comparisonMarkdown } from './compare-runs.ts';
import { type CrossValidateOptions, type CrossValidation, crossValidate } from './cross-validate.ts';

const root = mkdtempSync(path.join(tmpdir(), 'halomesh-cross-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const data = path.join(root, 'data');
const config = (settings: object = {}) =>
  resolveConfig({
    ...{ data, out: path.join(root, 'cv'), base: 4, levels: 2, steps: 2, threads: 1, checkpointEvery: 1 },
    ...settings,
  });
const evaluation = { surfaces: false, overlays: false };

beforeAll(async () => {
  await writePhantom({ out: data, size: 14, cases: 4 });
});

describe('cross-validation', () => {
  it('judges every case once, goes on where it ended, and sums up', async () => {
    const done: string[] = [];
    const options: CrossValidateOptions = {
      config: config(),
      folds: 2,
      evaluation,
      onFold: (fold, folds, what) => done.push(`${fold}/${folds} ${what}`),
    };
    const stop = new AbortController();
    const stopping = crossValidate({
      ...options,
      trainFold: (own, resume) =>
        train(own, {
          resume,
          signal: stop.signal,
          onEvent: ({ kind }) => {
            if (kind === 'step' && done.length === 2) stop.abort();
          },
        }),
    });
    await expect(stopping).rejects.toThrow('was interrupted after 1 steps');
    const first = path.join(root, 'cv', 'fold_0', 'checkpoints', 'latest.safetensors');
    const before = statSync(first).mtimeMs;
    const found = (await crossValidate(options)) as CrossValidation;
    expect(done).toEqual(['0/2 train', '1/2 train', '0/2 done before', '1/2 resume']);
    expect(statSync(first).mtimeMs).toBe(before);

    const { cases } = found.original;
    expect(cases.map(({ id }) => id).sort()).toEqual([0, 1, 2, 3].map((n) => `phantom_00${n}`));
    for (const fold of [0, 1]) {
      const own = JSON.parse(readFileSync(path.join(root, 'cv', `fold_${fold}`, 'data.json'), 'utf8'));
      expect(JSON.stringify(own)).toContain('phantom_');
      const judged = JSON.parse(
        readFileSync(path.join(root, 'cv', `fold_${fold}`, 'evaluation', 'summary.json'), 'utf8'),
      );
      expect(judged.kind).toBe('held out');
      for (const { id, dice } of judged.original.cases)
        expect(cases.find((one) => one.id === id)).toMatchObject({ fold, dice: { liver: dice.liver } });
    }
    const scores = cases.flatMap(({ dice }) => dice.liver ?? []);
    expect(found.dice.liver.cases).toBe(scores.length);
    expect(found.dice.liver.mean).toBeCloseTo(scores.reduce((a, b) => a + b, 0) / scores.length, 12);
    expect(Object.keys(found.dice)).toEqual(['liver', 'tumour']);
    const text = readFileSync(path.join(root, 'cv', 'summary.md'), 'utf8');
    expect(text).toContain('4 cases in 2 folds');

    await expect(crossValidate({ ...options, config: config({ steps: 3 }) })).rejects.toThrow(
      'cross-validation.json: "steps" of the folds that are there; expected 2, found 3',
    );
    await expect(crossValidate({ ...options, config: config({ fold: '0/2' }) })).rejects.toThrow(
      'expected no fold',
    );
    await expect(crossValidate({ ...options, config: config({ validation: 0.2 }) })).rejects.toThrow(
      'Give --folds',
    );

    for (const out of [data, path.join(data, 'cv')])
      await expect(crossValidate({ ...options, config: config({ out }) })).rejects.toThrow(
        'no place for a run',
      );
    expect(readdirSync(data).sort()).toEqual(['dataset.json', 'imagesTr', 'labelsTr']);
    const other = path.join(root, 'other');
    mkdirSync(path.join(other, 'fold_1'), { recursive: true });
    await expect(crossValidate({ ...options, config: config({ out: other }) })).rejects.toThrow(
      'found fold_1 of something else',
    );
    expect(readdirSync(other)).toEqual(['fold_1']);

    const same = compareRuns(path.join(root, 'cv'), path.join(root, 'cv', 'summary.json'));
    expect(same.classes.map(({ name }) => name)).toEqual(['liver', 'tumour']);
    expect(same.classes[0]).toMatchObject({ first: found.dice.liver.mean, test: { pairs: 0, p: 1 } });
  });
});

describe('a comparison', () => {
  const write = (name: string, cases: Record<string, number | null>) => {
    const file = path.join(root, `${name}.json`);
    const listed = Object.entries(cases).map(([id, liver]) => ({ id, dice: { background: 1, liver } }));
    const classes = [{ name: 'background' }, { name: 'liver' }];
    writeFileSync(file, JSON.stringify({ data: '/d', original: { cases: listed, classes } }));
    return file;
  };

  it('pairs cases by their ids and tests what differs', () => {
    const a = write('a', { c1: 0.5, c2: 0.6, c3: 0.7, c4: 0.8, c5: null, c6: 0.1 });
    const b = write('b', { c4: 0.85, c3: 0.8, c2: 0.75, c1: 0.7, c5: 0.5, c7: 0.2 });
    const found = compareRuns(a, b);
    expect(found.apart).toEqual(['c6', 'c7']);
    const [liver] = found.classes;
    expect(found.classes).toHaveLength(1);
    expect(liver.cases.map(({ id }) => id)).toEqual(['c1', 'c2', 'c3', 'c4']);
    expect(liver.first).toBeCloseTo(0.65, 12);
    expect(liver.second).toBeCloseTo(0.775, 12);
    // All four better: 2 of 16 assignments of signs are as far from even.
    expect(liver.test).toMatchObject({ pairs: 4, positive: 10, p: 0.125, exact: true });
    const text = comparisonMarkdown(found);
    expect(text).toMatch(/\| c1 +\| liver +\| +0\.5000 \| +0\.7000 \| +0\.2000 \|/);
    expect(text).toContain('Only in one of them: c6, c7.');
  });

  it('refuses what cannot be compared', () => {
    const a = write('a', { c1: 0.5 });
    expect(() => compareRuns(a, write('b', { c2: 1 }))).toThrow('has no case of');
    const broken = path.join(root, 'broken.json');
    writeFileSync(broken, '{"original": {"cases": [{"id": 3}]}}');
    expect(() => compareRuns(a, broken)).toThrow('broken.json: is no summary of an evaluation');
    expect(() => compareRuns(a, path.join(root, 'nowhere'))).toThrow('nowhere: has no evaluation');
  });
});

describe('a comparison of images as wholes', () => {
  const write = (name: string, images: Record<string, [label: string, tumour: number]>, classes = NAMES) => {
    const file = path.join(root, `${name}.json`);
    const listed = Object.entries(images).map(([id, [label, tumour]]) => ({
      ...{ id, label },
      probabilities: { healthy: 1 - tumour, tumour },
    }));
    const content = { task: 'classify', classes: classes.map((one) => ({ name: one })), images: listed };
    writeFileSync(file, JSON.stringify(content));
    return file;
  };
  const NAMES = ['healthy', 'tumour'];
  const [healthy, tumour] = [0.1, 0.9].map((p, n) => (id: number, given = p) => [
    `${NAMES[n]}${id}`,
    [NAMES[n], given] as [string, number],
  ]);
  const first = () =>
    write(
      'first',
      Object.fromEntries([healthy(1), healthy(2, 0.8), healthy(3), tumour(1), tumour(2), tumour(3)]),
    );

  it('tests the AUC on the images of both', () => {
    const second = write(
      'second',
      Object.fromEntries([healthy(1), healthy(2), healthy(3, 0.85), tumour(1), tumour(2, 0.05), tumour(4)]),
    );
    const found = compareImageRuns(first(), second);
    expect([found.images, found.apart]).toEqual([5, ['tumour3', 'tumour4']]);
    // Of 3 x 2 pairs all are in order, then those of the lower tumour not.
    expect(found.classes).toEqual([
      { name: 'tumour', images: 2, auc: { first: 1, second: 0.5, p: expect.closeTo(0.3173, 3) } },
    ]);
    expect(imageComparisonMarkdown(found)).toContain('Only in one of them: tumour3, tumour4.');
    expect(compareImageRuns(second, second).classes[0].auc).toEqual({ first: 2 / 3, second: 2 / 3, p: 1 });
  });

  it('refuses what does not fit', () => {
    const other = write('other', { tumour1: ['healthy', 0.1] });
    expect(() => compareImageRuns(first(), other)).toThrow('image "tumour1" is of another class than in');
    const named = write('named', { a: ['benign', 0.5] }, ['benign', 'tumour']);
    expect(() => compareImageRuns(first(), named)).toThrow('is no summary of an evaluation of images');
    expect(() => compareImageRuns(first(), write('none', {}))).toThrow('has no image of');
    expect(() => compareRuns(first(), first())).toThrow('Compare two of a kind');
  });
});
