import { spawn } from 'node:child_process';

/** What came of another program: its output, or why there is none, in words that name no file. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string; readonly detail: string };

export interface ChildOptions {
  readonly seconds?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and gives what it wrote to stdout. One at a time: they are timed. */
export function runChild(
  program: string,
  args: readonly string[],
  { seconds = 1200, env = {} }: ChildOptions = {},
): Promise<Outcome<string>> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, seconds * 1000);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const done = (outcome: Outcome<string>): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const failed = (reason: string): Outcome<string> => ({
      ok: false,
      reason,
      detail: err.trim().slice(-2000),
    });
    child.on('error', () => done(failed('it could not be started')));
    child.on('close', (code, signal) => {
      if (code === 0) done({ ok: true, value: out });
      else if (late) done(failed(`not done after ${seconds} s`));
      else if (signal === 'SIGKILL') done(failed('ended by the system, most likely for want of memory'));
      else done(failed(errorLine(err) ?? `it ended with ${signal ?? code}`));
    });
  });
}

/** Runs a program that writes one JSON value. */
export async function runJson<T>(
  program: string,
  args: readonly string[],
  options?: ChildOptions,
): Promise<Outcome<T>> {
  const outcome = await runChild(program, args, options);
  if (!outcome.ok) return outcome;
  return { ok: true, value: JSON.parse(outcome.value) as T };
}

/** The line that tells an error, else the last one, without the names of files. */
function errorLine(text: string): string | undefined {
  const lines = text.trim().split('\n');
  const line = (lines.findLast((other) => /error/i.test(other)) ?? lines.at(-1))?.trim();
  if (line === undefined || line === '') return undefined;
  return line.replaceAll(/(?:\/[\w.@+-]+)+\/?/g, '...').slice(0, 160);
}
