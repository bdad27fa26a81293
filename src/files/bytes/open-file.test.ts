import { spawnSync } from 'node:child_process';
import { closeSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { systemErrorText } from '../system-errors.ts';
import { readText, readTextSync } from '../text.ts';
import { openFile, openFileSync } from './open-file.ts';

const folder = temporaryFolder();

it('opens files, and refuses pipes and devices at once, which may never end', async () => {
  const [file, pipe] = [path.join(folder, 'file'), path.join(folder, 'pipe')];
  writeFileSync(file, 'text');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  await (await openFile(file)).close();
  closeSync(openFileSync(file));
  expect([await readText(file), readTextSync(file)]).toEqual(['text', 'text']);
  for (const endless of [pipe, '/dev/zero']) {
    const said = `${endless}: cannot be opened: it is a pipe or a device where a file is expected (EFTYPE)`;
    for (const open of [openFile, readText, async (name: string) => readTextSync(name)])
      expect(systemErrorText(await open(endless).catch((error: unknown) => error))).toBe(said);
  }
  // What the system says of an open file has its name.
  const isFolder = { code: 'EISDIR', path: folder };
  await expect(readText(folder)).rejects.toMatchObject(isFolder);
  expect(() => readTextSync(folder)).toThrow(expect.objectContaining(isFolder));
});
