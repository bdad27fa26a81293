import type { Command } from 'commander';
import { talks } from '../terminal/talks.ts';

/** Flags that name what is written, by the keys of their values. */
const OUTPUTS: Readonly<Record<string, string>> = {
  out: '--out',
  output: '--output',
  onnx: '--onnx',
  safetensors: '--safetensors',
  web: '--web',
  trace: '--trace',
  save: '--save',
};

/**
 * Refuses, by the flag, a place where a command cannot write, before it does anything. `plan` takes such flags and writes nothing; of
 * several processes the first one alone writes.
 */
export async function checkOutputFlags(command: Command): Promise<void> {
  if (command.name() === 'plan' || !talks()) return;
  const { checkPlace } = await import('../../files/index.ts');
  for (const [key, flag] of Object.entries(OUTPUTS)) {
    const file: unknown = command.getOptionValue(key);
    if (typeof file === 'string' && file !== '') checkPlace(file, `${flag} ${file}`);
  }
}
