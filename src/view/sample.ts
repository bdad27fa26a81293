import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { fail } from '../core/index.ts';
import { packageRoot, readJsonFile } from '../files/index.ts';
import { runFolder } from '../train/index.ts';

const data = z.object({ cases: z.array(z.object({ id: z.string(), use: z.string() })) });

/** A picture of a case, alone in a folder. */
interface DrawnSample {
  readonly case: string;
  readonly file: string;
  readonly folder: string;
}

/**
 * Has a process of its own segment a case of a run, held out where one is, with the newest checkpoint, and draw it over the truth into
 * a folder. It runs at the lowest priority: a training beside it keeps its cores.
 */
async function drawSample(run: string, folder: string): Promise<DrawnSample> {
  const files = runFolder(run);
  if (!existsSync(files.latest))
    fail({ where: run, problem: 'has no checkpoint yet', hint: 'Ask again after the first one' });
  const { cases } = data.parse(await readJsonFile(files.data));
  const { id } = cases.find(({ use }) => use === 'validation') ?? cases[0];
  const out = mkdtempSync(path.join(folder, 'sample-'));
  const args = [
    'evaluate',
    '--run',
    run,
    '--checkpoint',
    'latest',
    '--cases',
    id,
    '--out',
    out,
    '--no-surfaces',
    '--json',
  ];
  const child = spawn(process.execPath, [path.join(packageRoot, 'bin', 'halomesh.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  const file = path.join(out, 'overlays', `${id}.png`);
  if (code !== 0 || !existsSync(file))
    fail({ where: `case ${id} of ${run}`, problem: `could not be segmented: ${said.trim()}` });
  return { case: id, file, folder: out };
}

/** Samples one after the other, of which the last one's picture stays: pages have fetched those before. */
export class Samples {
  private readonly folder: string;
  private sampling: Promise<unknown> = Promise.resolve();
  private last: string | undefined;

  /** `folder`: for the pictures. */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** A case as the newest checkpoint of a run segments it, once those that were asked for before are drawn. */
  next(run: string): Promise<DrawnSample> {
    const next = this.sampling.then(async () => {
      const drawn = await drawSample(run, this.folder);
      if (this.last !== undefined) rmSync(this.last, { recursive: true, force: true });
      this.last = drawn.folder;
      return drawn;
    });
    this.sampling = next.catch(() => undefined);
    return next;
  }
}
