import { mkdirSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:http';
import path from 'node:path';
import { type Shape3, writeNifti } from '../imaging/index.ts';

// A small data set with a run's folder that was evaluated, without any training.

export const SHAPE: Shape3 = [12, 14, 16];
const AFFINE = [2, 0, 0, -16, 0, 2, 0, -14, 0, 0, 3, -18, 0, 0, 0, 1];

/** Ends a script's tag and has markup, if anything takes it for such. */
export const WICKED = 'case <img src=x onerror=document.title=666>';

/** Labels with a box of `label`, [from, to) along every axis. */
function boxes(...all: readonly (readonly [from: number, to: number, label: number])[]): Uint8Array {
  const map = new Uint8Array(SHAPE[0] * SHAPE[1] * SHAPE[2]);
  for (const [from, to, label] of all)
    for (let k = from; k < to; k++)
      for (let j = from; j < to; j++) map.fill(label, (k * 14 + j) * 16 + from, (k * 14 + j) * 16 + to);
  return map;
}

/** Writes `data` and `run` into a folder: two cases, with liver and tumour. */
export async function writeExample(dir: string): Promise<{ readonly data: string; readonly run: string }> {
  const [data, run] = [path.join(dir, 'data'), path.join(dir, 'run')];
  for (const folder of ['imagesTr', 'labelsTr']) mkdirSync(path.join(data, folder), { recursive: true });
  mkdirSync(path.join(run, 'evaluation'), { recursive: true });
  mkdirSync(path.join(run, 'predictions'));
  const grid = { shape: SHAPE, affine: AFFINE };
  const truth = boxes([2, 9, 1], [3, 5, 2], [7, 8, 2]);
  const found = boxes([2, 8, 1], [3, 5, 2], [10, 11, 2]);
  const image = Int16Array.from(truth, (label, n) => [-1000, 60, 20][label] + (n % 7));
  for (const id of ['case1', WICKED]) {
    await writeNifti(path.join(data, 'imagesTr', `${id}.nii.gz`), { ...grid, data: image });
    await writeNifti(path.join(data, 'labelsTr', `${id}.nii.gz`), { ...grid, data: truth });
    await writeNifti(path.join(run, 'predictions', `${id}.nii.gz`), { ...grid, data: found });
  }
  writeFileSync(
    path.join(data, 'dataset.json'),
    JSON.stringify({ channel_names: { 0: 'CT' }, labels: { background: 0, liver: 1, tumour: 2 } }),
  );
  writeFileSync(
    path.join(run, 'config.json'),
    JSON.stringify({ data, out: run, classes: ['background', 'liver', 'tumour'], steps: 40 }),
  );
  writeFileSync(path.join(run, 'log.jsonl'), '');
  const scores = (dice: number) => ({
    background: { dice: 1 },
    liver: { dice, hausdorff95: 4 },
    tumour: { dice: dice / 2, hausdorff95: null },
  });
  const lesions = { trueLesions: 2, found: 1, predictedLesions: 2, matched: 1 };
  const cases = [
    { id: 'case1', kind: 'held out', classes: scores(0.9), lesions },
    { id: WICKED, kind: 'held out', classes: scores(0.5), lesions },
  ];
  const classes = ['background', 'liver', 'tumour'].map((name) => ({ name }));
  writeFileSync(
    path.join(run, 'evaluation', 'summary.json'),
    JSON.stringify({ data, settings: { lesion: 'tumour' }, original: { cases, classes } }),
  );
  return { data, run };
}

const BRAIN = { shape: [4, 5, 6] as Shape3, affine: [2, 0, 0, -6, 0, 2, 0, -5, 0, 0, 3, -6, 0, 0, 0, 1] };

/** Writes 4 x 5 x 6 voxels. */
export const writeBrain = (file: string, data: Int16Array | Uint8Array): Promise<void> =>
  writeNifti(file, { ...BRAIN, data });

/**
 * Writes a data set, `brains`, with a case `a` of two channels, whose values count up by 1 and by 10, and whose labels are regions of the
 * values 2 and 7 and 9, which is ignored; and a run that has segmented it.
 */
export async function writeBrains(dir: string): Promise<{ readonly data: string; readonly run: string }> {
  const [data, run] = [path.join(dir, 'brains'), path.join(dir, 'brain-run')];
  for (const folder of [`${data}/imagesTr`, `${data}/labelsTr`, `${run}/predictions`])
    mkdirSync(folder, { recursive: true });
  const length = 4 * 5 * 6;
  for (const [n, factor] of [1, 10].entries())
    await writeBrain(
      `${data}/imagesTr/a_000${n}.nii.gz`,
      Int16Array.from({ length }, (_, i) => i * factor),
    );
  for (const [file, values] of [
    [`${data}/labelsTr/a.nii.gz`, [0, 2, 7, 9]],
    [`${run}/predictions/a.nii.gz`, [0, 7, 7, 2]],
  ] as const)
    await writeBrain(
      file,
      Uint8Array.from({ length }, (_, i) => values[i % 4]),
    );
  writeFileSync(
    path.join(data, 'dataset.json'),
    JSON.stringify({
      channel_names: { 0: 'T1', 1: 'FLAIR' },
      labels: { background: 0, whole: [2, 7], core: [7], ignore: 9 },
      ...{ regions_class_order: [2, 7], file_ending: '.nii.gz', numTraining: 1 },
    }),
  );
  const clip = { kind: 'clip', lower: -3, upper: 90, mean: 10, deviation: 5 };
  const regions = [
    { name: 'whole', classes: [1, 2], written: 1 },
    { name: 'core', classes: [2], written: 2 },
  ];
  writeFileSync(
    path.join(run, 'config.json'),
    JSON.stringify({
      ...{ data, out: run, classes: ['background', 'label 2', 'core'], classValues: [0, 2, 7], regions },
      ...{ channels: ['T1', 'FLAIR'], normalization: [clip, 'zscore'], ignore: true },
    }),
  );
  return { data, run };
}

/** A line of a log. */
export const stepLine = (step: number): string =>
  `${JSON.stringify({ kind: 'step', step, epoch: 1, cases: ['case1'], loss: 1 / step, dice: { liver: 0.5 }, learningRate: 0.001, seconds: 0.2, peakRssBytes: 1e9, bytesSent: 0 })}\n`;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

/** As `fetch`, which would not let a Host, an Origin or, by `raw`, a path be told as it is. */
export function ask(
  url: string,
  headers: Record<string, string> = {},
  method = 'GET',
  raw: RequestOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { headers, method, ...raw }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, bytes: Buffer.concat(parts) }),
      );
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}
