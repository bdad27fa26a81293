import { existsSync } from 'node:fs';
import { readJsonFile } from '../../files/index.ts';
import { ImagingError } from '../volume/errors.ts';

/** The name that the dataset.json of every phantom gives it. */
export const datasetName = 'halomesh phantom';

/** A folder with somebody's real data shall not be turned into a phantom by a slip of the keyboard. */
export async function refuseOtherDataset(json: string): Promise<void> {
  if (!existsSync(json)) return;
  // What cannot be read is somebody's, too.
  const content = await readJsonFile(json).catch(() => undefined);
  if ((content as { readonly name?: unknown } | null | undefined)?.name === datasetName) return;
  const hint = 'Choose another folder.';
  throw new ImagingError({ file: json, field: 'out', expected: 'no other dataset', found: 'one', hint });
}
