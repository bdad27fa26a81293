import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cutLog, readLog } from './log.ts';
import { hardDice, meanDice } from './scores.ts';

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
    const line = (step: number) => `{"kind":"step","step":${step}}\n`;
    writeFileSync(file, `${line(1)}${line(2)}${line(3)}{"kind":"st`);
    expect((await readLog(file)).length).toBe(3);
    expect((await cutLog(file, 2)).map(({ step }) => step)).toEqual([1, 2]);
    expect(readFileSync(file, 'utf8')).toBe(line(1) + line(2));
  });
});
