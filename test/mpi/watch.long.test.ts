import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import { COMMAND, describeMpi, mpirun } from './launch.ts';
import { SMALL_FLAGS } from './training.ts';

describeMpi('the page of a training over processes', () => {
  it('is served for process 0 alone, follows the log, and ends with the training', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'halomesh-watch-mpi-'));
    const data = path.join(dir, 'data');
    await writePhantom({ out: data, size: 16, cases: 2 });
    const out = ['--out', path.join(dir, 'run'), '--steps', '100000', '--watch'];
    let url: string | undefined;
    let followed: Promise<string> | undefined;
    const { stdout, stderr } = await mpirun(
      2,
      [COMMAND, 'train', '--data', data, ...SMALL_FLAGS, ...out, '--split', 'depth=2'],
      {},
      (text, child) => {
        url ??= /http:\/\/127\.0\.0\.1:\d+\/\S+/.exec(text)?.[0];
        if (url === undefined || followed !== undefined) return;
        followed = stepsOf(url, 3);
        // The launcher sends it on to all processes.
        followed.catch(() => undefined).then(() => child.kill('SIGINT'));
      },
    );
    expect(await followed, stderr).toMatch(/"step":3,/);
    expect(`${stdout}${stderr}`.match(/http:/g)).toHaveLength(1);
    const gone = () =>
      fetch(url!).then(
        () => false,
        () => true,
      );
    await expect.poll(gone, { timeout: 60_000 }).toBe(true);
    rmSync(dir, { recursive: true });
  });
});

/** What the page is sent of a log up to a step. */
async function stepsOf(url: string, step: number): Promise<string> {
  const response = await fetch(`${url}api/log?source=0`, { signal: AbortSignal.timeout(120_000) });
  let got = '';
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    got += piece;
    if (got.includes(`"step":${step},`)) break;
  }
  return got;
}
