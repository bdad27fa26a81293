import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { scoreBy } from './best.ts';
import { cutLog, readLog } from './log.ts';
import { absentClasses, hardDice, meanDice } from './scores.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('Dice of a step', () => {
  it('comes from the sums over the batch; a class that is nowhere has none', () => {
    const dice = hardDice(
      {
        both: Float64Array.of(9, 2, 0, 8, 1, 0),
        predicted: Float64Array.of(9, 4, 0, 8, 2, 0),
        truth: Float64Array.of(9, 2, 0, 8, 4, 0),
      },
      ['background', 'liver', 'tumour'],
    );
    expect(dice).toEqual({ liver: 0.5, tumour: null });
    expect(meanDice(dice)).toBe(0.5);
    expect(meanDice({ liver: null })).toBeNull();
  });
});

describe('log', () => {
  it('is cut back to a step, whatever was half written', async () => {
    const file = path.join(folder, 'log.jsonl');
    const line = (step: number) => `{"kind":"step","step":${step},"loss":1,"cases":[],"dice":{}}\n`;
    writeFileSync(file, `${line(1)}${line(2)}${line(3)}{"kind":"st`);
    expect((await readLog(file)).length).toBe(3);
    expect((await cutLog(file, 2)).map(({ step }) => step)).toEqual([1, 2]);
    expect(readFileSync(file, 'utf8')).toBe(line(1) + line(2));
  });

  it('leaves out lines that are none, with one warning, and has the others by their steps, each once', async () => {
    const file = path.join(folder, 'bad.jsonl');
    const line = (step: number, loss = 1) =>
      `{"kind":"step","step":${step},"loss":${loss},"cases":[],"dice":{}}\n`;
    writeFileSync(file, `${line(2)}no\n{"kind":"step"}\n${line(1)}null\n${line(2, 5)}${'['.repeat(9999)}\n`);
    const warnings: string[] = [];
    await cutLog(file, 9, (text) => warnings.push(text));
    expect(warnings).toEqual([`${file}: line 2 and 3 more are no line of a log, and left out`]);
    expect(readFileSync(file, 'utf8')).toBe(line(1) + line(2, 5));
  });
});

it('compares networks by the classes that are there', () => {
  const classes = ['background', 'liver', 'tumour'];
  const absent = absentClasses(Float64Array.of(50, 14, 0, 60, 4, 0), classes);
  expect(absent).toEqual(['tumour']);
  // The first one has predicted no tumour and the second, better one a voxel of it.
  const first = { loss: 1, dice: { liver: 0.7, tumour: null }, absent };
  const second = { loss: 1, dice: { liver: 0.8, tumour: 0 }, absent };
  expect(scoreBy('dice', first)).toBe(0.7);
  expect(scoreBy('dice', second)).toBe(0.8);
  expect(scoreBy('dice', { ...second, absent: [] })).toBe(0.4);
  expect(scoreBy('dice:tumour', second)).toBe(0);
});
