import { expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import { bench } from '../../src/measure/index.ts';
import { COMMAND, describeMpi, mpirun } from './launch.ts';

describeMpi('--split auto over processes', () => {
  it('is one choice on all ranks, with the losses of that split in one process', async () => {
    const flags = ['--size', '16', '--base', '4', '--levels', '2', '--steps', '1', '--json'];
    const ended = await mpirun(4, [COMMAND, 'bench', ...flags, '--split', 'auto']);
    expect(ended.code, ended.stderr).toBe(0);
    const chosen = [...ended.stderr.matchAll(/^split (\S+): .* s a step predicted/gm)];
    // Rank 0 alone says it; plans that differ between ranks would have been refused.
    expect(chosen).toHaveLength(1);
    const parts = Object.fromEntries(
      chosen[0][1].split(',').map((part) => [part.split('=')[0], Number(part.split('=')[1])]),
    );
    const layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
    const network = { base: 4, levels: 2 };
    const alone = await bench({ size: 16, steps: 1, network, threads: 1, mesh: mesh(parts), layout });
    expect(JSON.parse(ended.stdout).losses).toEqual(alone.losses);
  });

  it('fails on all ranks where nothing fits', async () => {
    const flags = ['--size', '16', '--base', '4', '--levels', '2', '--steps', '1'];
    const ended = await mpirun(2, [
      COMMAND,
      'bench',
      ...flags,
      '--split',
      'auto',
      '--memory-limit',
      '100MiB',
    ]);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain('--split auto: does not fit');
  });
});
