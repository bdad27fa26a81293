import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeMpi, launch, mpiName, processOf, WORKER } from './launch.ts';

// Two machines, as two network namespaces with a cable between them, which is cut: nothing tells either side that it is.

const [a, b] = ['a', 'b'].map((side) => `hm${process.pid}${side}`);
const ip = (...args: string[]): boolean => spawnSync('ip', args).status === 0;

function connect(): boolean {
  const cable = ['type', 'veth', 'peer', 'name', 'vb', 'netns', b];
  return (
    ip('netns', 'add', a) &&
    ip('netns', 'add', b) &&
    ip('link', 'add', 'va', 'netns', a, ...cable) &&
    ip('-n', a, 'addr', 'add', '10.77.0.1/24', 'dev', 'va') &&
    ip('-n', b, 'addr', 'add', '10.77.0.2/24', 'dev', 'vb') &&
    [a, b].every(
      (side, i) =>
        ip('-n', side, 'link', 'set', ['va', 'vb'][i], 'up') && ip('-n', side, 'link', 'set', 'lo', 'up'),
    )
  );
}

function disconnect(): void {
  for (const side of [a, b]) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', side], { encoding: 'utf8' });
    for (const pid of stdout?.split('\n').filter((line) => line !== '') ?? [])
      process.kill(Number(pid), 'SIGKILL');
    ip('netns', 'del', side);
  }
}

describeMpi('two machines', () => {
  it('end both when the network between them is cut', async (test) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-cut-'));
    try {
      if (!mpiName.startsWith('Open MPI') || !connect())
        test.skip('this needs Open MPI, and the right to make networks');
      const inside = (side: string, name: string) =>
        `exec ip netns exec ${side} unshare -u sh -c 'hostname ${name}; `;
      const [reach, start] = [path.join(folder, 'reach'), path.join(folder, 'start')];
      // What mpirun calls in place of ssh: a host, and a command for its shell.
      writeFileSync(reach, `#!/bin/sh\nshift\n${inside(b, 'hostb')}exec sh -c "$*"' x "$@"\n`, {
        mode: 0o755,
      });
      writeFileSync(start, `#!/bin/sh\n${inside(a, 'hosta')}exec "$@"' x "$@"\n`, { mode: 0o755 });
      const mark = path.basename(folder);
      const pids = (): number[] => [0, 1].flatMap((rank) => processOf(mark, rank) ?? []);
      let cut = false;
      const net = '10.77.0.0/24';
      const ended = launch(
        [
          ...['--host', '10.77.0.1:1,10.77.0.2:1', '-x', 'HALOMESH_TEST', '--mca', 'plm_rsh_agent', reach],
          ...[
            '--mca',
            'btl',
            'tcp,self',
            '--mca',
            'btl_tcp_if_include',
            net,
            '--mca',
            'oob_tcp_if_include',
            net,
          ],
          ...['-n', '2', process.execPath, WORKER, 'busy'],
        ],
        { HALOMESH_TEST: mark },
        (text) => {
          if (!text.includes('"running"')) return;
          expect(pids().length).toBe(2);
          ip('-n', a, 'link', 'set', 'va', 'down');
          cut = true;
        },
        [start],
      );
      while (!cut || pids().length > 0) await sleep(100);
      // The halves of the launcher wait for each other.
      disconnect();
      const { stderr } = await ended;
      expect(stderr).toMatch(
        /^halomesh: rank 0: .*: rank 1 has not answered for \d+ s; .*its connection is lost$/m,
      );
    } finally {
      disconnect();
      rmSync(folder, { recursive: true });
    }
  });
});
