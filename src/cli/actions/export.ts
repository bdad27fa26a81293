import { type ExportOptions, exportRun } from '../../exchange/index.ts';
import { UsageError } from '../flags/parse.ts';
import { say } from '../terminal/say.ts';
import { relative } from '../terminal/words.ts';

export type Flags = ExportOptions;

/** Runs `halomesh export`. */
export async function exportAction(flags: Flags): Promise<void> {
  if (flags.onnx === undefined && flags.safetensors === undefined && flags.web === undefined)
    throw new UsageError({ where: '--onnx', problem: 'expected it, --safetensors or --web, found none' });
  const { classes, weights, step, written } = await exportRun(flags);
  say(`${weights} weights after ${step} steps; classes ${classes.join(', ')}`);
  for (const file of written) say(`written to ${relative(file)}`);
}
