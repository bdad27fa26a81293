import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writePhantom } from '../../src/imaging/index.ts';
import { readLog, resolveConfig, train } from '../../src/train/index.ts';

// Heads with four channels, labels that are regions, and slices that nobody labelled.

export const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-regions-'));
export const place = (...parts: string[]): string => path.join(folder, ...parts);
export const heads = place('heads');
export const names = ['whole tumour', 'tumour core', 'enhancing tumour'];
export const classes = ['background', 'label 1', 'label 2', 'enhancing tumour'];

export const writeHeads = () =>
  writePhantom({
    ...{ out: heads, size: [12, 14, 12], cases: 3, seed: 2 },
    ...{ modality: 'mr', channels: 4, regions: true, ignore: true },
  });

let runs = 0;

/** Trains a small network on the heads, and reads what it left. */
export async function trained(settings: object = {}) {
  const given = resolveConfig({
    ...{ data: heads, out: place(`run${runs++}`), base: 4, levels: 2, steps: 3, threads: 1 },
    ...{ checkpointEvery: 100, validation: ['phantom_002'], ...settings },
  });
  await train(given);
  const lines = await readLog(path.join(given.out, 'log.jsonl'));
  const told = lines.flatMap((line) => ('loss' in line ? [[line.kind, line.loss, line.dice]] : []));
  const kept = JSON.parse(readFileSync(path.join(given.out, 'config.json'), 'utf8'));
  return { run: given.out, told, lines, kept };
}
