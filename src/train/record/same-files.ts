import { readdir, stat } from 'node:fs/promises';
import { mapSome } from '../../core/index.ts';
import { type Dataset, type DatasetPatterns, imageFiles, openDataset } from '../../imaging/index.ts';
import type { Processes } from '../../machine/index.ts';
import { agree, together } from '../../run/index.ts';
import { openSafetensors } from './safetensors.ts';

// Files that every process opens. Where one cannot, or sees other ones, all end with an error before anything is computed.

/** {@link openDataset} on every process: the same cases, in files of the same sizes. */
export async function openSameDataset(
  processes: Processes,
  dir: string,
  patterns?: DatasetPatterns,
): Promise<Dataset> {
  const opened = await together(processes, 'the data set', async () => {
    const dataset = await openDataset(dir, patterns);
    return { dataset, lines: processes.ranks.length > 1 ? await linesOf(dataset) : [] };
  });
  await agree(processes, 'the data set', () => opened.lines.join('\n'));
  return opened.dataset;
}

async function linesOf({ cases, labelNames, labelCodes }: Dataset): Promise<string[]> {
  const size = async (file: string): Promise<string> => {
    const found = await stat(file);
    // A series of slices.
    if (found.isDirectory()) return `${file} of ${(await readdir(file)).length} files`;
    return `${file} of ${found.size} bytes`;
  };
  const lines = await mapSome(cases, async (entry) => {
    const files = [...imageFiles(entry), ...(entry.label === undefined ? [] : [entry.label])];
    const own = entry.imageLabel === undefined ? [] : [`of class ${entry.imageLabel}`];
    return [`case ${entry.id}`, ...own, ...(await Promise.all(files.map(size)))].join(', ');
  });
  const labels = `labels ${labelNames?.join(', ') ?? 'not named'}`;
  return [labels, ...(labelCodes ? [`values ${JSON.stringify(labelCodes)}`] : []), ...lines];
}

/** Checks that a file is a checkpoint, the same one on every process. */
export async function checkSameCheckpoint(processes: Processes, file: string): Promise<void> {
  if (processes.ranks.length === 1) return;
  const lines = await together(processes, 'the checkpoint', async () => {
    const opened = await openSafetensors(file);
    await opened.close();
    const { step, ...rest } = opened.metadata;
    const facts = Object.entries(rest).map(([key, text]) => `${key} ${text}`);
    return [`step ${step}`, `${(await stat(file)).size} bytes`, ...facts];
  });
  await agree(processes, 'the checkpoint', () => lines.join('\n'));
}
