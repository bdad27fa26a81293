import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SPOTTED_CLASSES, spottedClass, writeSpotted } from '../../../test/spotted.ts';
import { readImageLabels } from '../../imaging/dataset/image-labels.ts';
import { classAucs, meanAuc, writePhantom } from '../../imaging/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { evaluateImages } from '../evaluate/images/evaluate-images.ts';
import { classify } from '../predict/images/classify.ts';
import { predict } from '../predict/predict.ts';
import { readLog } from '../record/log.ts';
import { numbersOf } from './run-numbers.testing.ts';
import { train } from './train.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-train-classify-'));
const at = (name: string): string => path.join(folder, name);
beforeAll(async () => {
  await writeSpotted(at('volumes'), 16);
  await writeSpotted(at('pictures'), 4, { size: [1, 31, 26] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function config(settings: object = {}): TrainConfig {
  const out = at(`run${made++}`);
  return resolveConfig({
    ...{ task: 'classify', data: at('volumes'), out, base: 4, levels: 2, steps: 2, threads: 1, batch: 2 },
    ...{ validation: 0.25, checkpointEvery: 2, ...settings },
  });
}

/** Losses, scores, probabilities and weights of a run. */
async function numbers(run: TrainConfig): Promise<unknown> {
  await train(run);
  return numbersOf(run);
}

describe('a training on images of one label', () => {
  it.each([
    ['volumes', {}, [{ height: 3, width: 2 }]],
    ['pictures', { plane: true, levels: 3, precision: 'bf16' }, [{ height: 2 }]],
  ] as const)('of %s has the same numbers on every split', async (data, settings, splits) => {
    const expected = await numbers(config({ data: at(data), ...settings }));
    for (const split of splits)
      expect(await numbers(config({ data: at(data), ...settings, split }))).toEqual(expected);
  });

  it('logs the images of each step, accuracy and AUC', async () => {
    const run = config({ steps: 2, batch: 4 });
    const { best } = await train(run);
    const lines = await readLog(path.join(run.out, 'log.jsonl'));
    for (const line of lines) {
      if (line.kind !== 'step') continue;
      const classes = line.cases.map((id) =>
        SPOTTED_CLASSES.indexOf(spottedClass(Number(id.slice(-2))) as 'spots'),
      );
      expect(line.images?.map(({ label }) => label)).toEqual(classes);
      const losses = line.images!.map(({ label, probabilities }) => -Math.log(probabilities[label]));
      expect(line.loss).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / 4, 5);
      for (const { probabilities } of line.images!)
        expect(probabilities[0] + probabilities[1]).toBeCloseTo(1, 6);
    }
    const validation = lines.find((line) => line.kind === 'validation');
    expect(validation).toMatchObject({ dice: {}, auc: best?.score });
    expect(validation?.aucByClass).toEqual({ plain: validation?.auc, spots: validation?.auc });
    expect(best?.by).toBe('auc');
  });

  it('is best by the images of its steps where none is held out', async () => {
    const run = config({ validation: undefined, steps: 2, batch: 4 });
    const { best } = await train(run);
    const lines = await readLog(path.join(run.out, 'log.jsonl'));
    const images = lines.flatMap((line) => (line.kind === 'step' ? line.images! : []));
    expect(best).toMatchObject({ by: 'auc', ofTraining: true, score: meanAuc(classAucs(images, 2)) });
  });
});

it.each([
  [{ patch: [4, 4, 4] }, '"patch": expected nothing beside task classify, found'],
  [{ slices: 3 }, '"slices": expected nothing beside task classify, found 3'],
  [{ network: 'nnunet' }, '"network": expected nothing beside task classify, found'],
  [{ mapLabels: { 2: 1 } }, '"mapLabels": expected nothing beside task classify'],
  [{ deepSupervision: true }, '"deepSupervision": expected false beside task classify'],
  [{ loss: { terms: ['dice', 'ce'] } }, '"loss.terms": expected ce beside task classify'],
  [{ loss: { foregroundWeight: 4 } }, '"loss.foregroundWeight": expected 1 beside task classify, found 4'],
  [{ loss: { mix: 0.5 } }, '"loss.mix": expected 0 beside task classify, found 0.5'],
  [{ augmentation: { fakeLesions: { probability: 1 } } }, '"augmentation.fakeLesions": expected nothing'],
  [{ bestBy: 'dice' }, '"bestBy": expected auc, accuracy or loss beside task classify'],
  [
    { task: 'segment', bestBy: 'auc' },
    '"bestBy": expected dice, dice:CLASS or loss where voxels are told apart',
  ],
  [{ task: 'segment', imageLabels: 'a.csv' }, '"imageLabels": expected nothing without task classify'],
  [{ task: 'detect' }, '"task": expected one of segment, classify'],
])('refuses %j by name', (settings, message) => {
  expect(() => config(settings)).toThrow(message);
});

it('refuses data sets and images that have no class', async () => {
  await writePhantom({ out: at('phantoms'), size: 8, cases: 2 });
  await expect(train(config({ data: at('phantoms') }))).rejects.toThrow(
    'the data set does not say which class each image belongs to',
  );
  await expect(train(config({ classes: ['plain', 'striped'] }))).rejects.toThrow(
    'expected one of plain, striped, found "spots". Give it in dataset.json ("class") or in a table',
  );
  await expect(
    train(resolveConfig({ data: at('volumes'), out: at('segmented'), steps: 1, levels: 2 })),
  ).rejects.toThrow('expected a label map, found none: the data set says the class of the image as a whole');
});

describe('a run that tells the classes of images', () => {
  let run: string;
  beforeAll(async () => {
    await writeSpotted(at('many'), 24);
    const settings = { steps: 20, batch: 4, checkpointEvery: 10, augmentation: 'none', base: 6 };
    const made = config({ data: at('many'), ...settings });
    run = made.out;
    await train(made);
  });

  it('tells images that it has not seen, with an AUC above 0.9', async () => {
    const report = await evaluateImages({ run, out: at('evaluation') });
    expect(report).toMatchObject({ kind: 'held out', checkpoint: 'best' });
    expect(report.auc).toBeGreaterThan(0.9);
    expect(report.images).toHaveLength(6);
    const table = report.confusion.flat();
    expect(table.reduce((a, b) => a + b, 0)).toBe(6);
    expect((table[0] + table[3]) / 6).toBe(report.accuracy);
    const { original } = await judged(report);
    expect(original).toBe(report.auc);
    expect(readFileSync(path.join(at('evaluation'), 'summary.md'), 'utf8')).toContain(
      '6 held-out cases: AUC',
    );
    await expect(evaluateImages({ run, out: at('evaluation') })).rejects.toThrow(
      'the output is there already',
    );
    const all = await evaluateImages({ run, cases: 'all' });
    expect([all.images.length, all.apart?.map(({ kind, images }) => [kind, images.length])]).toEqual([
      6,
      [['training', 18]],
    ]);
  });

  it('writes a table of the probabilities of every image, the same on every split', async () => {
    const input = path.join(at('many'), 'imagesTr');
    const told: string[] = [];
    const result = await classify({
      ...{ run, input, output: at('out/table.csv') },
      onEvent: (event) => told.push(event.kind),
    });
    expect([result.images.length, result.faults, new Set(told)]).toEqual([24, [], new Set(['image'])]);
    const [head, ...rows] = readFileSync(at('out/table.csv'), 'utf8').trimEnd().split('\r\n');
    expect(head).toBe('id,label,probability plain,probability spots');
    expect(rows).toHaveLength(24);
    for (const [n, row] of rows.entries()) {
      const [id, label, plain, spots] = row.split(',');
      expect(id).toBe(result.images[n].id);
      expect(Number(plain) + Number(spots)).toBeCloseTo(1, 6);
      expect(label).toBe(Number(spots) > Number(plain) ? 'spots' : 'plain');
    }
    // What was predicted is a table of labels, too.
    expect((await readImageLabels(at('out/table.csv'))).of.get('image_03')).toBe(result.images[3].label);
    const one = path.join(input, 'image_03.nii');
    for (const settings of [{ split: { height: 3, width: 2 } }, { memoryLimit: 150 * 2 ** 20 }]) {
      const { images } = await classify({
        run,
        input: one,
        output: at('one.json'),
        overwrite: true,
        ...settings,
      });
      expect(images).toEqual([result.images[3]]);
    }
    const content = JSON.parse(readFileSync(at('one.json'), 'utf8'));
    expect(content.images[0].probabilities).toEqual(result.images[3].probabilities);
    const flipped = await classify({ run, input: one, output: at('flipped.csv'), flips: ['depth', 'width'] });
    expect(flipped.images[0].probabilities.spots).not.toBe(result.images[3].probabilities.spots);
    const twice = await classify({ run, ensemble: [run], input: one, output: at('twice.csv') });
    expect(twice.images[0].probabilities).toEqual(result.images[3].probabilities);
  });

  it('refuses outputs that are no tables or are there, and tells of images that cannot be used', async () => {
    const input = path.join(at('many'), 'imagesTr');
    const once = (output: string, given = input) => classify({ run, input: given, output: at(output) });
    await expect(once('labels.nii.gz')).rejects.toThrow('expected a name that ends in .csv or .json');
    writeFileSync(at('there.csv'), '');
    await expect(once('there.csv')).rejects.toThrow('the output is there already');
    mkdirSync(at('damaged'));
    cpSync(path.join(input, 'image_03.nii'), at('damaged/a.nii'));
    writeFileSync(at('damaged/b.nii'), 'no image');
    const { images, faults } = await once('damaged.csv', at('damaged'));
    expect([images.map(({ id }) => id), faults.map(({ input: file }) => path.basename(file))]).toEqual([
      ['a'],
      ['b.nii'],
    ]);
    await expect(once('single.csv', at('damaged/b.nii'))).rejects.toThrow();
    expect(existsSync(at('single.csv'))).toBe(false);
    await expect(predict({ run, input: at('damaged/a.nii'), output: at('a.nii.gz') })).rejects.toThrow(
      'tells the class of an image as a whole',
    );
  });
});

/** AUC counted from the pairs of a report. */
async function judged({ images }: Awaited<ReturnType<typeof evaluateImages>>): Promise<{ original: number }> {
  const of = (label: string) =>
    images.filter((one) => one.label === label).map((one) => one.probabilities.spots);
  const wins = of('spots').flatMap((x) => of('plain').map((y) => (Math.sign(x - y) + 1) / 2));
  return { original: wins.reduce((a, b) => a + b, 0) / wins.length };
}
