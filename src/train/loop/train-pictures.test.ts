import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, expect, it } from 'vitest';
import { openDataset, preprocess } from '../../imaging/index.ts';
import { alone } from '../../machine/index.ts';
import { readConfigFile, resolveConfig } from '../config/config.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { readLog } from '../record/log.ts';
import { CaseReader } from '../samples/case-reader.ts';
import { readByBoxes } from '../samples/cases.ts';

import { train } from './train.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-train-pictures-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [width, height] = [40, 32];
const isInside = (row: number, column: number, n: number): boolean =>
  Math.hypot(row - 12 - n, column - 17 - n) < 8;

/** Pictures whose discs are darker, in the folders of nnU-Net 2-D, with outlines in place of one label map. */
function writeCases(data: string): void {
  for (const name of ['imagesTr', 'labelsTr']) mkdirSync(path.join(data, name), { recursive: true });
  for (let n = 0; n < 3; n++) {
    const [picture, mask] = [new PNG({ width, height }), new PNG({ width, height })];
    for (let at = 0; at < width * height; at++) {
      const inside = isInside(Math.floor(at / width), at % width, n);
      picture.data.set([inside ? 120 : 220, inside ? 60 + (at % 9) : 200, 190, 255], 4 * at);
      mask.data.fill(inside ? 1 : 0, 4 * at, 4 * at + 3);
    }
    writeFileSync(path.join(data, 'imagesTr', `case${n}_0000.png`), PNG.sync.write(picture));
    writeFileSync(path.join(data, 'labelsTr', `case${n}.png`), PNG.sync.write(mask));
  }
  const channels = { 0: 'red', 1: 'green', 2: 'blue' };
  const content = { channel_names: channels, labels: { background: 0, disc: 1 }, file_ending: '.png' };
  writeFileSync(path.join(data, 'dataset.json'), JSON.stringify(content));
}

it('pictures are trained on in 2-D, as they are and from a store, with the same losses', async () => {
  const [data, store] = [path.join(folder, 'data'), path.join(folder, 'store')];
  writeCases(data);
  expect((await preprocess({ data, out: store, spacing: 0.002 })).failed).toEqual([]);
  const losses: unknown[] = [];
  for (const from of [data, store]) {
    const out = path.join(folder, `run${losses.length}`);
    const settings = { base: 4, levels: 2, steps: 3, threads: 1, validation: ['case2'], mpp: 2 };
    await train(resolveConfig({ data: from, out, ...settings }));
    expect(readConfigFile(path.join(out, 'config.json'))).toMatchObject({ plane: true, spacing: 0.002 });
    losses.push((await readLog(path.join(out, 'log.jsonl'))).map((line) => ('loss' in line ? line.loss : 0)));
    const { original } = await evaluate({ run: out });
    expect(original.cases.map(({ id }) => id)).toEqual(['case2']);
  }
  expect(losses[1]).toEqual(losses[0]);
});

it('large pictures are read by boxes, with the numbers of whole ones', async () => {
  const data = path.join(folder, 'boxes');
  writeCases(data);
  const { cases } = await openDataset(data);
  const options = {
    normalizations: [{ kind: 'rgb' }, { kind: 'zscore' }, { kind: 'rgb' }] as const,
    plane: true,
  };
  const [whole, boxes] = [false, true].map((byBoxes) => new CaseReader(options, 1, alone(1), byBoxes));
  for (const entry of [...cases, cases[0]]) {
    const [one, other] = [await whole.source(entry), await boxes.source(entry)];
    expect([whole.readsBoxes(entry), boxes.readsBoxes(entry)]).toEqual([false, true]);
    expect([other.whole, await boxes.whole(entry)]).toEqual([undefined, undefined]);
    expect(other.classes).toEqual(one.classes);
    const box = { start: [0, 3, 5], end: [1, 30, 40] } as const;
    for (let channel = 0; channel < 3; channel++)
      expect(await other.image(box, channel)).toEqual(await one.image(box, channel));
    expect(await other.labels(box)).toEqual(await one.labels(box));
  }
  const { height: rows, width: columns } = { height: 2 ** 13, width: 2 ** 13 };
  expect(readByBoxes(cases[0], rows * columns, 3)).toBe(true);
  expect(readByBoxes(cases[0], width * height, 3)).toBe(false);
  expect(readByBoxes({ ...cases[0], image: 'a.nii.gz', channels: undefined }, rows * columns, 3)).toBe(false);
});
