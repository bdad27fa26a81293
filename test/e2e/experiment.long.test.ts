import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type VoxelBox, writePhantom } from '../../src/imaging/index.ts';

const scripts = new URL('../../scripts/', import.meta.url);
const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-experiment-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const data = path.join(folder, 'data');
beforeAll(() => writePhantom({ out: data, size: [18, 16, 17], cases: 2 }));

function experiment(...flags: string[]) {
  const args = ['--data', data, '--out', path.join(folder, 'out'), '--held', 'phantom_001', '--seeds', '5'];
  const network = ['--spacing', '30', '--base', '2', '--levels', '2', '--steps', '2', '--threads', '1'];
  const script = new URL('experiment.mjs', scripts).pathname;
  return spawnSync(process.execPath, [script, ...args, ...network, ...flags], { encoding: 'utf8' });
}

describe('npm run experiment', () => {
  it('trains, scores, keeps what is done, and refuses other settings in its folder', () => {
    const first = experiment('--patch', '64,64,64', '--settings', 'patch');
    expect(first.stderr).not.toContain('halomesh:');
    const file = path.join(folder, 'out/results.json');
    const results = JSON.parse(readFileSync(file, 'utf8'));
    expect(results.runs).toMatchObject([{ setting: 'patch', held: 'phantom_001', seed: 5 }]);
    const [{ dice, diceOfWholeVolume, flops }] = results.runs;
    // The patch is larger than the volume: by patches or in one piece is the same.
    expect(dice).toBe(diceOfWholeVolume);
    expect(dice).toBeLessThan(results.ceilings['patch phantom_001']);
    expect(flops).toBeGreaterThan(0);
    expect(first.stdout).toContain('| Dice, liver');

    const log = path.join(folder, 'out/runs/patch-phantom_001-5/log.jsonl');
    const before = statSync(log).mtimeMs;
    expect(experiment('--patch', '64,64,64', '--settings', 'patch').status).toBe(0);
    expect(statSync(log).mtimeMs).toBe(before);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(results);

    const other = experiment('--patch', '8,8,8');
    expect(other.status).toBe(2);
    expect(other.stderr).toContain('the folder holds an experiment with other settings');
  }, 600_000);
});

describe('prediction by overlapping patches', () => {
  it('covers an axis from end to end, overlapping by at least half', async () => {
    const { starts } = await import(new URL('experiment/patches.mjs', scripts).href);
    expect(starts(5, 8)).toEqual([0]);
    expect(starts(8, 8)).toEqual([0]);
    expect(starts(9, 8)).toEqual([0, 1]);
    expect(starts(67, 32)).toEqual([0, 12, 23, 35]);
    expect(starts(3, 1)).toEqual([0, 1, 2]);
  });

  it('takes the class of the largest mean over the patches that hold a voxel', async () => {
    const { predictByPatches } = await import(new URL('experiment/patches.mjs', scripts).href);
    const image = Float32Array.from({ length: 3 }, (_, n) => n / 10);
    // Patches of 2: voxels (0, 1) and (1, 2). The network's answer for class 1 depends on the place in the patch.
    const run = {
      classes: ['background', 'liver'],
      async segmentParts(
        source: { image: (box: VoxelBox) => Promise<Float32Array> },
        _: unknown,
        take: (part: object) => void,
      ) {
        const box = { start: [0, 0, 0], end: [1, 1, 2] } as const;
        const [first, second] = await source.image(box);
        // (0, 1): 0.4, 0.9; (1, 2): 0.3, 0.45. The mean of voxel 1 is 0.6.
        const liver = first === 0 ? [0.4, 0.9] : [0.3, 0.45];
        expect(second).toBeCloseTo(first + 0.1);
        take({ box, probabilities: Float32Array.of(1 - liver[0], liver[0], 1 - liver[1], liver[1]) });
      },
    };
    const labels = await predictByPatches(run, { image, shape: [1, 1, 3] }, [4, 4, 2]);
    expect([...labels]).toEqual([0, 1, 0]);
  });
});
