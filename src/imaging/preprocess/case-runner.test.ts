import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { windowOnly } from '../volume/normalization.ts';
import { workerThread } from './case-runner.ts';

const root = mkdtempSync(path.join(tmpdir(), 'halomesh-runner-'));
afterAll(() => rmSync(root, { recursive: true }));

it('leaves nothing with the signal of a run, however many cases there are', async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, 'addEventListener');
  const runner = workerThread();
  const task = {
    entry: { id: 'a', image: path.join(root, 'nothing.nii') },
    folder: path.join(root, 'a'),
    options: {},
    normalizations: windowOnly(),
  };
  for (let n = 0; n < 3; n++) await expect(runner.run(task, signal)).rejects.toThrow();
  await runner.close();
  expect(added).toHaveBeenCalledTimes(3);
  // A listener goes when the signal that it was added with is aborted.
  for (const [, , options] of added.mock.calls)
    expect((options as { signal?: AbortSignal }).signal?.aborted).toBe(true);
});
