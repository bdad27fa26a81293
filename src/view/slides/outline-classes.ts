import { readFile } from 'node:fs/promises';
import { inNaturalOrder } from '../../files/index.ts';
import { parseOutlines } from '../../imaging/formats/picture/outline-read.ts';
import { isOutlines, type KnownCase } from '../known-case.ts';
import type { OpenedFiles } from '../opened-files.ts';

/**
 * The names of the classes that the outlines of some cases have, each once, but for `background`. Throws ImagingError for what are no
 * outlines, and HalomeshError for what lies outside of what was opened.
 */
export async function outlineClasses(
  cases: Iterable<KnownCase>,
  opened: OpenedFiles,
): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const { slide, truth, results } of cases)
    for (const file of [truth, ...results.map((one) => one.file)]) {
      if (!slide || file === undefined || !isOutlines(file)) continue;
      const text = await readFile(await opened.checked(file), 'utf8');
      for (const { name } of parseOutlines(text, file).outlines) names.add(name);
    }
  return [...names].filter((name) => name.toLowerCase() !== 'background').sort(inNaturalOrder);
}
