import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { mpiAvailable } from '../../src/machine/index.ts';
import { type Ended, ended } from './launch.ts';

// Two "machines" on this one: network namespaces with their own names and addresses, and a slow link between them (link.cpp).
// Open MPI starts the second by a script in place of ssh, and has TCP alone to send by.

const SPACES = ['hm-a', 'hm-b'].map((name) => `${name}-${process.pid}`);
const ADDRESSES = ['10.77.0.1', '10.77.0.2'];
const MTU = 9000;

/** Why there cannot be such machines here; undefined where there can. */
export function whyNotTwoMachines(): string | undefined {
  const { available, note } = mpiAvailable();
  if (!available) return `MPI is ${note}`;
  if (!note.startsWith('Open MPI')) return `the launch is for Open MPI, and this is ${note}`;
  if (process.getuid?.() !== 0) return 'network namespaces are made by root';
  if (spawnSync('ip', ['-V']).status !== 0) return 'there is no ip on the PATH';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  if (spawnSync('g++', ['--version']).status !== 0) return 'there is no g++ on the PATH';
  const space = `hm-try-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', space]).status !== 0) return 'network namespaces are not allowed here';
  ip('netns', 'del', space);
  return undefined;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

export interface TwoMachines {
  /** Starts a program on both machines, as so many ranks on each; what rank 0 prints. */
  run(args: readonly string[], ranksEach?: number): Promise<Ended>;
  close(): void;
}

/** Hosts with a link of some bytes a second, and seconds from one to the other. */
export async function twoMachines(bytesPerSecond: number, seconds: number): Promise<TwoMachines> {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-machines-'));
  let link: ChildProcess | undefined;
  const close = (): void => {
    link?.kill('SIGKILL');
    for (const space of SPACES) spawnSync('ip', ['netns', 'del', space]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const program = path.join(folder, 'link');
    execFileSync('g++', ['-O2', '-o', program, fileURLToPath(new URL('link.cpp', import.meta.url))]);
    for (const space of SPACES) ip('netns', 'add', space);
    link = spawn(program, [...SPACES, String(bytesPerSecond), String(seconds), String(MTU)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve, reject) => {
      link!.stdout!.once('data', resolve);
      link!.once('exit', (code) => reject(new Error(`the link ended with ${code}`)));
    });
    SPACES.forEach((space, i) => {
      ip('-n', space, 'link', 'set', 'lo', 'up');
      ip('-n', space, 'link', 'set', 'hm0', 'mtu', String(MTU), 'up');
      ip('-n', space, 'addr', 'add', `${ADDRESSES[i]}/24`, 'dev', 'hm0');
    });
    const agent = path.join(folder, 'agent.sh');
    writeFileSync(
      agent,
      '#!/bin/sh\n# Open MPI calls it as it would ssh: options, an address, a command.\n' +
        `while [ "\${1#-}" != "$1" ]; do shift; done\nshift\n` +
        `exec ip netns exec ${SPACES[1]} unshare --uts sh -c "hostname hm-b; $*"\n`,
    );
    chmodSync(agent, 0o755);
    return { close, run: (args, ranksEach = 1) => start(agent, args, ranksEach) };
  } catch (error) {
    close();
    throw error;
  }
}

function start(agent: string, args: readonly string[], ranksEach: number): Promise<Ended> {
  const settings = Object.entries({
    plm_rsh_agent: agent,
    pml: 'ob1',
    btl: 'tcp,self',
    btl_tcp_if_include: 'hm0',
    oob_tcp_if_include: 'hm0',
  }).flatMap(([name, value]) => ['--mca', name, value]);
  const mpirun = [
    'mpirun',
    '--allow-run-as-root',
    '--host',
    ADDRESSES.map((address) => `${address}:${ranksEach}`).join(','),
    '-n',
    String(2 * ranksEach),
    '--bind-to',
    'none',
  ];
  const own = ['netns', 'exec', SPACES[0], 'unshare', '--uts', 'sh', '-c', 'hostname hm-a; exec "$@"', 'sh'];
  return ended(['ip', ...own, ...mpirun, ...settings, process.execPath, ...args], {});
}
