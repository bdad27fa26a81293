import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { makeProgram } from '../program.ts';
import { completionScript, SHELLS } from './shells.ts';
import { completedCommands } from './words.ts';

const commands = completedCommands(makeProgram(() => undefined));

/** What bash offers for the last of some words. */
function offered(...words: string[]): string[] {
  const script = `${completionScript('bash', 'halomesh', commands)}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_halomesh
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', 'halomesh', ...words], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('completion', () => {
  it('bash completes commands', () => {
    expect(offered('')).toEqual([...commands.map(({ name }) => name), 'help']);
    expect(offered('pre')).toEqual(['predict', 'preprocess']);
  });

  it('bash completes the flags of a command', () => {
    expect(offered('train', '--mem')).toEqual(['--memory-limit']);
    expect(offered('predict', '--outp')).toEqual(['--output']);
    expect(offered('train', '--data', 'x', '--help')).toEqual(['--help']);
  });

  it('bash completes files where a flag wants a value, and other arguments', () => {
    expect(offered('train', '--data', '')).toEqual([]);
    expect(offered('verify', 'ph')).toEqual([]);
  });

  it('words of a flag that has some are offered', () => {
    const flags = [{ long: '--shape', text: 'a shape', value: ['round', 'flat'] }] as const;
    const made = [{ name: 'draw', text: "it's [a] drawing: of \\ things", flags }];
    expect(completionScript('bash', 'x', made)).toContain("'draw --shape') words='round flat'");
    expect(completionScript('zsh', 'x', made)).toContain(`'draw:it'\\''s \\[a\\] drawing\\: of \\\\ things'`);
    expect(completionScript('zsh', 'x', made)).toContain("'*--shape[a shape]:value:(round flat)'");
    expect(completionScript('fish', 'x', made)).toContain(`-d 'it\\'s [a] drawing: of \\\\ things'`);
    expect(completionScript('fish', 'x', made)).toContain("-l shape -x -a 'round flat'");
  });

  it.each(SHELLS)('%s: every command and flag is there', (shell) => {
    const script = completionScript(shell, 'halomesh', commands);
    for (const { name, flags } of commands) {
      expect(script).toContain(name);
      for (const { long } of flags) expect(script).toContain(shell === 'fish' ? `-l ${long.slice(2)}` : long);
    }
  });
});
