import { type ExportOptions, exportRun, exportStablehlo } from '../../exchange/index.ts';
import type { Shape3 } from '../../imaging/index.ts';
import { placement } from '../flags/flags.ts';
import { UsageError } from '../flags/parse.ts';
import { say } from '../terminal/say.ts';
import { relative } from '../terminal/words.ts';

export interface Flags extends ExportOptions {
  readonly stablehlo?: string;
  readonly size?: Shape3;
  readonly split?: Readonly<Record<string, number>> | 'auto';
  readonly sharding?: 'shardy' | 'gspmd' | 'none';
  readonly float32Sums?: boolean;
}

/** Flags that say how programs are written. */
const OF_PROGRAMS = ['size', 'split', 'sharding', 'float32Sums'] as const;

/** Runs `halomesh export`. */
export async function exportAction(flags: Flags): Promise<void> {
  const { onnx, safetensors, web, stablehlo } = flags;
  const others = onnx !== undefined || safetensors !== undefined || web !== undefined;
  if (!others && stablehlo === undefined)
    throw new UsageError({
      where: '--onnx',
      problem: 'expected it, --safetensors, --web or --stablehlo, found none',
    });
  const stray = stablehlo === undefined && OF_PROGRAMS.find((name) => flags[name] !== undefined);
  if (stray)
    throw new UsageError({
      where: stray === 'float32Sums' ? '--float32-sums' : `--${stray}`,
      problem: 'needs --stablehlo, whose programs it is about',
    });
  if (flags.split === 'auto')
    throw new UsageError({
      where: '--split',
      problem: 'expected parts, such as depth=2,height=2, found auto',
      hint: 'halomesh scale tells which splits are fast',
    });
  if (others) {
    const { classes, weights, step, written } = await exportRun(flags);
    say(`${weights} weights after ${step} steps; classes ${classes.join(', ')}`);
    for (const file of written) say(`written to ${relative(file)}`);
  }
  if (stablehlo === undefined) return;
  const { run, checkpoint, overwrite, size, sharding, split, float32Sums } = flags;
  const written = await exportStablehlo({
    ...{ run, checkpoint, overwrite, stablehlo, size, sharding },
    ...placement({ split }),
    wide: float32Sums ? 'f32' : 'f64',
  });
  for (const file of written) say(`written to ${relative(file)}`);
}
