import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset, writePhantom } from '../../imaging/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { checkpointOf, interrupt } from '../loop/interrupted.testing.ts';
import { train } from '../loop/train.ts';
import type { TrainEvent } from '../loop/train-events.ts';
import { readLog } from './log.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-resume-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = path.join(folder, 'data');

beforeAll(async () => {
  await writePhantom({ out: data, size: [10, 9, 8], cases: 2 });
});

let runs = 0;

function config(settings: object = {}): TrainConfig {
  return resolveConfig({
    data,
    out: path.join(folder, `run${runs++}`),
    base: 2,
    levels: 2,
    steps: 6,
    threads: 1,
    checkpointEvery: 4,
    ...settings,
  });
}

async function losses(run: TrainConfig): Promise<number[]> {
  const lines = await readLog(path.join(run.out, 'log.jsonl'));
  return lines.flatMap((line) => (line.kind === 'warning' ? [] : [line.loss]));
}

describe('a run', () => {
  it('saves where it is told to stop before its first step, and begins anew where it was killed before a checkpoint', async () => {
    const whole = config({ steps: 3, sampling: 'balanced' });
    await train(whole);
    const stopped = config({ steps: 3, sampling: 'balanced' });
    expect(await train(stopped, { signal: AbortSignal.abort() })).toMatchObject({
      step: 0,
      interrupted: true,
    });
    expect(existsSync(path.join(stopped.out, 'checkpoints', 'latest.safetensors'))).toBe(true);
    const killed = config({ steps: 3, sampling: 'balanced' });
    await interrupt(killed, 2);
    rmSync(path.join(killed.out, 'checkpoints'), { recursive: true });
    for (const run of [stopped, killed]) {
      expect(await train(run, { resume: true })).toMatchObject({ step: 3, interrupted: false });
      expect(await losses(run)).toEqual(await losses(whole));
      expect(checkpointOf(run)).toBe(checkpointOf(whole));
    }
  });

  it('goes on from the checkpoint before where the latest is damaged or gone, to the same bits', async () => {
    const whole = config({ checkpointEvery: 2 });
    await train(whole);
    const run = config({ checkpointEvery: 2 });
    await interrupt(run, 5);
    const latest = path.join(run.out, 'checkpoints', 'latest.safetensors');
    const damage = readFileSync(latest).subarray(0, -4);
    writeFileSync(latest, damage);
    const events: TrainEvent[] = [];
    await train(run, { resume: true, onEvent: (event) => events.push(event) });
    expect(events[0]).toMatchObject({
      kind: 'warning',
      text: expect.stringMatching(/latest\.safetensors: is no whole .* goes on from .*previous\.safetensors/),
    });
    expect(events[1]).toMatchObject({ kind: 'start', firstStep: 5 });
    expect(await losses(run)).toEqual(await losses(whole));
    expect(checkpointOf(run)).toBe(checkpointOf(whole));
    // With no whole one the newest is named.
    for (const name of ['latest', 'previous', 'best'])
      writeFileSync(path.join(run.out, 'checkpoints', `${name}.safetensors`), damage);
    await expect(train(run, { resume: true })).rejects.toThrow(/latest\.safetensors: is no whole/);
  });

  it('has its folder to itself, which is no folder of data or of another run', async () => {
    const run = config({ steps: 2 });
    const second: unknown[] = [];
    await train(run, {
      onEvent: (event) => {
        if (event.kind === 'step' && event.step === 1)
          second.push(train(run, { resume: true }).catch((error: unknown) => error));
      },
    });
    const refusal = await second[0];
    expect(String(refusal)).toMatch(/is in use for training; .* found process \d+ on /);
    await train({ ...run, steps: 3 }, { resume: true });
    for (const out of [data, path.join(data, 'new', 'run'), path.join(run.out, 'checkpoints', 'a')])
      await expect(train(config({ out }))).rejects.toThrow('is no place for a run');
    expect(existsSync(path.join(data, 'new'))).toBe(false);
    // A run that cannot begin leaves no folder.
    const failed = config({ bestBy: 'dice:spleen' });
    await expect(train(failed)).rejects.toThrow('spleen');
    expect(existsSync(failed.out)).toBe(false);
  });

  it('goes on with its data wherever they lie, and names the case that differs', async () => {
    const run = config({ steps: 2, validation: ['phantom_001'] });
    await train(run);
    const moved = path.join(folder, 'moved');
    cpSync(data, moved, { recursive: true });
    const there = { ...run, data: moved };
    expect(await train({ ...there, steps: 3 }, { resume: true })).toMatchObject({ step: 3 });
    const other = path.join(folder, 'other');
    cpSync(data, other, { recursive: true });
    const { cases } = await openDataset(other);
    writeFileSync(cases[1].image, readFileSync(cases[0].image));
    await expect(train({ ...run, data: other, steps: 4 }, { resume: true })).rejects.toThrow(
      /a resumed run must keep its data; expected the files of case "phantom_001" as they were/,
    );
    // Where the data lay before, a case may be mended.
    const { cases: own } = await openDataset(moved);
    writeFileSync(own[1].image, readFileSync(own[0].image));
    const told: string[] = [];
    const tell = (event: TrainEvent) => void (event.kind === 'warning' && told.push(event.text));
    await train({ ...there, steps: 3 }, { resume: true, onEvent: tell });
    expect(told.join()).toMatch(/the files of case "phantom_001" have changed since the run began/);
    // A run that does not know them goes on with a note where its cases are there.
    writeFileSync(path.join(run.out, 'data.json'), '{"ca');
    const warnings: TrainEvent[] = [];
    const onEvent = (event: TrainEvent) => void (event.kind === 'warning' && warnings.push(event));
    await train({ ...run, steps: 4 }, { resume: true, onEvent });
    expect(warnings).toMatchObject([
      { text: expect.stringMatching(/data\.json: is not JSON: .* It is written anew/) },
      { text: expect.stringContaining('taken to be the same') },
    ]);
  });

  it.each([
    ['config.json', '', /config\.json: is not JSON: .* The config is taken from .*latest\.safetensors/],
    ['config.json', '{}', /The config is taken from/],
    ['log.jsonl', 'no\n', /log\.jsonl: line 1 is no line of a log/],
    ['log.jsonl', undefined, /log\.jsonl: no such file; the log begins anew after step 1/],
    ['class-voxels.json', '{"phantom', undefined],
    ['tensorboard', undefined, undefined],
  ])('goes on where %s is %j', async (name, content, said) => {
    const whole = config({ steps: 2, sampling: 'balanced', validation: ['phantom_001'] });
    await train(whole);
    const run = config({ steps: 2, sampling: 'balanced', validation: ['phantom_001'] });
    await interrupt(run, 1);
    rmSync(path.join(run.out, name), { recursive: true });
    if (content !== undefined) writeFileSync(path.join(run.out, name), content);
    const warnings: string[] = [];
    await train(run, {
      resume: true,
      onEvent: (event) => void (event.kind === 'warning' && warnings.push(event.text)),
    });
    if (said === undefined) expect(warnings).toEqual([]);
    else expect(warnings).toEqual([expect.stringMatching(said)]);
    expect((await losses(run)).at(-1)).toBe((await losses(whole)).at(-1));
    expect(checkpointOf(run)).toBe(checkpointOf(whole));
  });

  it('goes on where its pictures cannot be written, and says so once, in the log too', async () => {
    const run = config({ steps: 2, checkpointEvery: 1 });
    mkdirSync(path.join(run.out, 'progress.png'), { recursive: true });
    writeFileSync(path.join(run.out, 'tensorboard'), '');
    const warnings: string[] = [];
    const onEvent = (event: TrainEvent) => void (event.kind === 'warning' && warnings.push(event.text));
    expect(await train(run, { onEvent })).toMatchObject({ step: 2 });
    expect(warnings).toEqual([
      expect.stringMatching(/tensorboard: the folder cannot be made.* log\.jsonl has all numbers$/),
      expect.stringMatching(/progress\.png: cannot be written/),
    ]);
    const lines = await readLog(path.join(run.out, 'log.jsonl'));
    expect(lines.flatMap((line) => (line.kind === 'warning' ? [line.text] : []))).toEqual(warnings);
    rmSync(path.join(run.out, 'tensorboard'));
    await train({ ...run, steps: 3 }, { resume: true, onEvent });
    expect(readdirSync(path.join(run.out, 'tensorboard'))).toHaveLength(1);
  });

  it('goes on where a file of events is lost while it is written', async () => {
    const run = config({ steps: 3 });
    const warnings: string[] = [];
    await train(run, {
      onEvent: (event) => {
        if (event.kind === 'warning') warnings.push(event.text);
        if (event.kind !== 'step' || event.step !== 1) return;
        rmSync(path.join(run.out, 'tensorboard'), { recursive: true });
      },
    });
    expect(warnings).toEqual([
      expect.stringMatching(/tfevents.* cannot be written: .*Training goes on without/),
    ]);
    expect(await losses(run)).toHaveLength(3);
  });

  it('tells of a learning rate that jumps, as more steps stretch its schedule', async () => {
    const run = config({ steps: 2, schedule: { kind: 'poly' } });
    await train(run);
    const warnings: TrainEvent[] = [];
    const onEvent = (event: TrainEvent) => void (event.kind === 'warning' && warnings.push(event));
    await train(run, { resume: true, onEvent });
    expect(warnings).toEqual([]);
    await train({ ...run, steps: 4 }, { resume: true, onEvent });
    expect(warnings).toEqual([
      {
        kind: 'warning',
        text: expect.stringMatching(/learning rate jumps from \S+ to \S+, as steps are 4 in place of 2/),
      },
    ]);
  });
});
