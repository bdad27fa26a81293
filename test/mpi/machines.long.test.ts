import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mesh, shape } from '../../src/core/index.ts';
import { CPU_TARGET, costsOf, ETHERNET, type Speeds } from '../../src/machine/index.ts';
import { bench } from '../../src/measure/index.ts';
import { buildTraining } from '../../src/nn/index.ts';
import { makePlan, predictTime } from '../../src/plan/index.ts';
import { COMMAND } from './launch.ts';
import { type TwoMachines, twoMachines, whyNotTwoMachines } from './machines.ts';

// By hand, at a size whose times mean something on a quiet machine:
//
//   HALOMESH_MACHINES_SIZE=64 npm run test:long -- test/mpi/machines

const missing = whyNotTwoMachines();
if (missing) console.log(`skipped: the tests of two machines, since ${missing}`);

const size = Number(process.env.HALOMESH_MACHINES_SIZE ?? 16);
const network = size >= 64 ? { base: 16, levels: 4 } : { base: 4, levels: 2 };
const GIGABIT = 1.25e8;
const MILLISECOND = 1e-3;

describe.skipIf(missing)('two machines with a link of 1 Gbit/s and 1 ms', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-link-'));
  let machines: TwoMachines;
  beforeAll(async () => {
    machines = await twoMachines(GIGABIT, MILLISECOND);
  }, 60_000);
  afterAll(() => {
    machines?.close();
    rmSync(folder, { recursive: true });
  });

  it('train as one process does, and what is predicted for them is told beside what is measured', async () => {
    const machine = path.join(folder, 'machine.json');
    const small = size >= 64 ? [] : ['--calibrate-sizes', '16,32'];
    const calibrated = await machines.run([COMMAND, 'info', '--calibrate', '--out', machine, ...small]);
    expect(calibrated.code, calibrated.stderr).toBe(0);
    const speeds = JSON.parse(readFileSync(machine, 'utf8')) as Speeds;
    // What is measured hangs on who else uses the machine: it is told, not judged.
    expect(speeds.link).not.toEqual(ETHERNET);
    const { latencySeconds, bytesPerSecond } = speeds.link;
    console.log(
      `link: ${(1e3 * latencySeconds).toFixed(2)} ms, ${(8e-9 * bytesPerSecond).toFixed(2)} Gbit/s`,
    );

    const numbers = [`--size`, `${size}`, '--base', `${network.base}`, '--levels', `${network.levels}`];
    const ended = await machines.run([
      COMMAND,
      'bench',
      ...numbers,
      ...['--steps', '3', '--threads', '1', '--split', 'depth=2', '--json'],
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    const found = JSON.parse(ended.stdout);
    const place = { mesh: mesh({ depth: 2 }), layout: { depth: 'depth' } };
    const alone = await bench({ size, steps: 3, network, threads: 1, ...place });
    expect(found.losses).toEqual(alone.losses);
    expect(found.bytesSentPerStep).toBe(found.predictedBytesSentPerStep);

    const image = shape({ batch: 1, depth: size, height: size, width: size, channel: 1 });
    const { graph } = buildTraining({ image, network });
    const plan = makePlan(graph, place.mesh, place.layout, CPU_TARGET, { processRanks: [[0], [1]] });
    // Both "machines" are this one, and share its cores.
    const time = { threads: 1, ranksPerMachine: 2, overlap: true };
    const { seconds } = predictTime(plan, costsOf(speeds), time);
    const measured = found.secondsPerStep.min;
    console.log(
      `${size}^3 over two machines: predicted ${seconds.toFixed(3)} s, measured ${measured.toFixed(3)} s, ` +
        `${((100 * (seconds - measured)) / measured).toFixed(0)} % off`,
    );
  }, 600_000);

  it('four ranks, two on each, add up along a tree that keeps to the machines: losses as of one process, bytes as predicted', async () => {
    const ended = await machines.run(
      [
        COMMAND,
        'bench',
        ...['--size', '16', '--base', '4', '--levels', '2', '--steps', '3', '--threads', '1'],
        ...['--split', 'depth=2,height=2', '--json'],
      ],
      2,
    );
    expect(ended.code, ended.stderr).toBe(0);
    const found = JSON.parse(ended.stdout);
    const place = { mesh: mesh({ depth: 2, height: 2 }), layout: { depth: 'depth', height: 'height' } };
    const alone = await bench({
      size: 16,
      steps: 3,
      network: { base: 4, levels: 2 },
      threads: 1,
      ...place,
    });
    expect(found.losses).toEqual(alone.losses);
    expect(found.bytesSentPerStep).toBe(found.predictedBytesSentPerStep);
    expect(found.machines).toBe(2);
  }, 600_000);
});
