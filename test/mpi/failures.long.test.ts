import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { COMMAND, describeMpi, mpirun, WORKER } from './launch.ts';

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describeMpi('when something goes wrong', () => {
  /** Starts four ranks, sends one of them a signal in the middle of a step, waits until all have ended, and gives what came of it. */
  async function afterSignal(rank: number, signal: 'SIGKILL' | 'SIGSTOP') {
    let pids: number[] = [];
    let sent = false;
    let text = '';
    const ended = await mpirun(4, [WORKER, 'busy'], {}, (more) => {
      text += more;
      if (sent || !text.includes('"running"')) return;
      pids = JSON.parse(text.split('\n').find((line) => line.startsWith('['))!);
      sent = true;
      process.kill(pids[rank], signal);
    });
    expect(pids.length).toBe(4);
    while (pids.some(runs)) await sleep(50);
    expect(ended.code).not.toBe(0);
    return ended;
  }

  it('a rank that is killed in the middle of a step ends all, and the terminal says so', async () => {
    const { stdout, stderr } = await afterSignal(2, 'SIGKILL');
    // In the words of the launcher.
    expect(stdout + stderr).toMatch(/rank 2 .*signal 9|PID \d+ RUNNING[\s\S]*signal 9/);
  });

  it('a rank that no longer answers ends all', async () => {
    const { stderr } = await afterSignal(2, 'SIGSTOP');
    expect(stderr).toMatch(
      /^halomesh: rank 0: (in|after) \w+ .*: rank 2 has not answered for \d+ s; it was last/m,
    );
    expect(stderr.match(/^halomesh: /gm)).toHaveLength(1);
  });

  it('rank 0 that no longer answers ends all', async () => {
    const { stderr } = await afterSignal(0, 'SIGSTOP');
    expect(stderr).toMatch(
      /^halomesh: rank 1: (in|after) \w+ .*: rank 0 has not answered for \d+ s; it was last/m,
    );
    expect(stderr.match(/^halomesh: /gm)).toHaveLength(1);
  });

  it('a rank that computes for long is waited for', async () => {
    const { code, stdout, stderr } = await mpirun(2, [WORKER, 'slow'], { HALOMESH_MPI_SILENCE: '10' });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '"met"\n', stderr: '' });
  });

  it('other collectives on another rank are found, though their messages fit', async () => {
    const { code, stderr } = await mpirun(3, [WORKER, 'astray']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^halomesh: rank \d: exchange (left|right): .*exchange (left|right)\. All ranks must/m,
    );
    expect(stderr.match(/^halomesh: /gm)).toHaveLength(1);
  });

  it('a rank that fails tells its rank and operation, once, and ends all', async () => {
    const { code, stderr } = await mpirun(4, [WORKER, 'broken']);
    expect(code).toBe(1);
    expect(stderr.match(/a cosmic ray/g)).toHaveLength(1);
    expect(stderr).toMatch(/^halomesh: rank 2: step #\d+ \(\w+.*\): a cosmic ray$/m);
  });

  it.each([
    [
      'too many ranks',
      [],
      /^halomesh: rank 0: mesh: it has 1 rank, .* and 3 processes were started; .* multiply to 3$/m,
    ],
    ['another mesh', ['--split', 'depth=2'], /^halomesh: rank 0: mesh: depth=2 has 2 ranks and 3 processes/m],
    ['an unknown flag', ['--splt', 'depth=3'], /^halomesh: unknown option '--splt'/m],
  ])('%s is one error from rank 0', async (_name, flags, said) => {
    const { code, stderr } = await mpirun(3, [COMMAND, 'bench', '--size', '8', ...flags]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(said);
    expect(stderr.match(/^halomesh: /gm)).toHaveLength(1);
  });

  it('ranks with other flags are one error from rank 0', async () => {
    const flags = ['bench', '--split', 'depth=2', '--levels', '2', '--size'];
    const other = [':', '-n', '1', process.execPath, COMMAND, ...flags, '16'];
    const { code, stderr } = await mpirun(1, [COMMAND, ...flags, '8', ...other]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^halomesh: rank 0: .* the configuration of rank 1 differs from that of rank 0/m);
    expect(stderr.match(/^halomesh: /gm)).toHaveLength(1);
  });
});
