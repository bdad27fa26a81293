import path from 'node:path';
import { checkOutputs, writeAll, writeAtomically } from '../files/index.ts';
import { PageFiles } from './page-files.ts';

/**
 * Writes the page that segments scans into a folder, for any web server: its own files alone, the page itself last. Throws HalomeshError
 * where one of them is there already, unless `overwrite`, and where the page is not built. Gives the files.
 */
export async function writeApp(
  folder: string,
  {
    overwrite = false,
    page = PageFiles.ofApp(),
  }: { readonly overwrite?: boolean; readonly page?: PageFiles } = {},
): Promise<readonly string[]> {
  const writes = page.all.map((name) => path.join(folder, name));
  checkOutputs({ reads: [], writes, overwrite });
  for (const [n, name] of page.all.entries()) {
    const { bytes } = (await page.read(name))!;
    await writeAtomically(writes[n], (handle) => writeAll(handle, bytes));
  }
  return writes;
}
