import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/cli/program.ts';
import { preprocess, writePhantom } from '../../src/imaging/index.ts';
import { openSafetensors, readLog, runFolder } from '../../src/train/index.ts';
import { temporaryFolder } from '../imaging/nifti-fixture.ts';
/** Requests of a process of which one can be made to fail: calls of the file system, or for memory. */
export interface Failing {
  /** Runs something whose request number `at`, from 1, fails; what it was, undefined where there were fewer. */
  during<T>(
    at: number,
    run: () => Promise<T>,
  ): Promise<{ value: T; failed: string | undefined; calls: number }>;
  /** The requests of the last run that are made to fail where each `step`-th is: from 1 on. */
  turns(step: number): number[];
  /** Lets all succeed again. */
  restore(): void;
}

/** A kind of requests, and what is right where one fails. */
export interface Failures {
  readonly title: string;
  /** Watches the requests of this process, those for files below `root`. */
  readonly watch: (root: string) => Promise<Failing>;
  /** Each `step`-th request that {@link Failing} tells fails in its turn. */
  readonly step: number;
  /** What an error has to name. */
  readonly names: (root: string) => RegExp;
  /** Requests that a command makes at least; those that are not named make none. */
  readonly least: Readonly<Record<string, number>>;
}

/** The requests that fail are dealt out to so many tests: a training makes hundreds, and a test may take some minutes. */
const PARTS = [1, 2, 3, 4];

/** What a command leaves in a folder. */
interface Command {
  readonly name: string;
  /** Writes into a folder, of which nothing is there; the exit status. */
  readonly start: (out: string) => Promise<number>;
  /** Goes on where a failure has left off. */
  readonly goOn: (out: string) => Promise<number>;
  /** All that counts of what is in the folder. */
  readonly result: (out: string) => Promise<unknown>;
}

/**
 * Lets the requests of train, preprocess and predict fail, each in its turn, or every `step`-th: the command does its work in spite of
 * it, or ends with one clear line; nothing half-written is left; and the same command then ends as if nothing had been.
 */
export function describeFailures({ title, watch, step, names, least }: Failures): void {
  describe.sequential(title, () => {
    const root = temporaryFolder();
    const data = path.join(root, 'data');
    const trained = path.join(root, 'trained');
    const network = [
      '--base',
      '2',
      '--levels',
      '2',
      '--steps',
      '3',
      '--checkpoint-every',
      '2',
      '--threads',
      '1',
    ];
    let calls: Failing;
    let told = '';
    /** What is said beside the last line: why each of several scans failed. */
    let noted = '';

    const halomesh = (args: readonly string[]): Promise<number> => {
      told = '';
      return run([...args], (text) => {
        told += text;
      });
    };

    beforeAll(async () => {
      for (const method of ['log', 'warn', 'error'] as const)
        vi.spyOn(console, method).mockImplementation(() => undefined);
      vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
        noted += text;
        return true;
      });
      await writePhantom({ out: data, size: 16, cases: 2 });
      expect(await halomesh(['train', '--data', data, '--out', trained, ...network]), told).toBe(0);
      calls = await watch(root);
    });
    afterAll(() => {
      calls?.restore();
      vi.restoreAllMocks();
    });

    const filesIn = (dir: string): string[] =>
      readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) => !file.endsWith('.lock'));
    const contents = (dir: string): unknown =>
      Object.fromEntries(
        readdirSync(dir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name))
          .map((file) => [path.relative(dir, file), readFileSync(file, 'base64')]),
      );

    const predict = (out: string, ...more: string[]) =>
      halomesh([
        'predict',
        '--run',
        trained,
        '--input',
        path.join(data, 'imagesTr'),
        '--output',
        out,
        ...more,
      ]);
    const startTraining = (out: string) => halomesh(['train', '--data', data, '--out', out, ...network]);
    /** The command works in other threads, whose calls are not watched. */
    const prepare = async (out: string): Promise<number> => {
      told = '';
      try {
        const { failed } = await preprocess({ data, out, spacing: 24 });
        if (failed.length > 0) told = `halomesh: ${failed[0].error.message}\n`;
      } catch (error) {
        told = `halomesh: ${(error as Error).message}\n`;
      }
      return told === '' ? 0 : 1;
    };

    const commands: readonly Command[] = [
      {
        name: 'predict',
        // The number of threads changes, so that they are begun anew.
        start: (out) => predict(out, '--threads', '2'),
        goOn: (out) => predict(out, '--threads', '1', '--overwrite'),
        result: async (out) => contents(out),
      },
      { name: 'preprocess', start: prepare, goOn: prepare, result: async (out) => contents(out) },
      {
        name: 'train',
        start: startTraining,
        goOn: (out) =>
          existsSync(runFolder(out).config)
            ? halomesh(['train', '--out', out, '--resume'])
            : startTraining(out),
        async result(out) {
          const losses = (await readLog(runFolder(out).log)).flatMap((line) =>
            line.kind === 'step' ? [line.loss] : [],
          );
          const file = await openSafetensors(runFolder(out).latest);
          const tensors = await Promise.all(
            [...file.tensors.keys()].map(async (name) => [name, await file.read(name)]),
          );
          await file.close();
          return { losses, tensors };
        },
      },
    ];

    it.each(commands.flatMap((command) => PARTS.map((part) => ({ ...command, part }))))(
      '$name, part $part: one line, nothing half-written, and it can go on',
      async ({ name, start, goOn, result, part }) => {
        const whole = path.join(root, `${name}-whole-${part}`);
        const { value, calls: count } = await calls.during(Number.POSITIVE_INFINITY, () => start(whole));
        expect(value, told).toBe(0);
        const all = calls.turns(step);
        const turns = all.filter((_, index) => index % PARTS.length === part - 1);
        if (least[name] === undefined) expect(count).toBe(0);
        else expect(count).toBeGreaterThan(least[name]);
        if (count > 0) expect(all.length).toBeGreaterThan(3);
        const expected = await result(whole);
        const faults: string[] = [];
        for (const at of turns) {
          const out = path.join(root, `${name}-${at}`);
          noted = '';
          const { value: code, failed } = await calls.during(at, () => start(out));
          const why = noted + told;
          const fault = (what: string) => faults.push(`call ${at} of ${count}, ${failed}: ${what}`);
          if (code !== 0 && !/^halomesh: [^\n]*\n$/.test(told)) fault(`other than one line: ${told}`);
          if (code !== 0 && !names(root).test(why)) fault(`it does not name ${names(root)}: ${why}`);
          if (/unexpected|undefined|\[object|std::/.test(why)) fault(why);
          const left = filesIn(root).filter((file) => file.endsWith('.partial'));
          if (left.length > 0) fault(`${left} is left`);
          for (const file of left) rmSync(path.join(root, file), { recursive: true, force: true });
          const first = told;
          if (code !== 0 && (await goOn(out)) !== 0) fault(`after ${first.trim()} it cannot go on: ${told}`);
          else if (JSON.stringify(await result(out)) !== JSON.stringify(expected))
            fault(`exit ${code} and another result: ${first}`);
          rmSync(out, { recursive: true, force: true });
        }
        expect(faults.join('\n')).toBe('');
      },
    );
  });
}
