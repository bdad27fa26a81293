import { existsSync } from 'node:fs';
import { z } from 'zod';
import { readJsonFile, writeTextAtomically } from '../../files/index.ts';
import type { RunFolder } from './run-folder.ts';

// What was expected of a run before its first step, for those who look at what it does.

export interface RunPlan {
  /** Resident memory of the process with the most, bytes. */
  readonly predictedPeakBytes: number;
  /** Of a step. */
  readonly flops: number;
  readonly ranks: number;
  /** Seconds of the kernels of a step by layer, in the order in which the layers first run. */
  readonly layers: { readonly layer: string; readonly seconds: number }[];
}

const schema: z.ZodType<RunPlan> = z.object({
  predictedPeakBytes: z.number(),
  flops: z.number(),
  ranks: z.number(),
  layers: z.array(z.object({ layer: z.string(), seconds: z.number() })),
});

/** Writes what is expected of a run into its folder. */
export async function writeRunPlan(folder: RunFolder, plan: RunPlan): Promise<void> {
  await writeTextAtomically(folder.plan, `${JSON.stringify(plan, null, 2)}\n`);
}

/** Undefined where a run has none, as those of older versions, or where it was changed by hand into something else. */
export async function readRunPlan(folder: RunFolder): Promise<RunPlan | undefined> {
  if (!existsSync(folder.plan)) return undefined;
  return schema.safeParse(await readJsonFile(folder.plan)).data;
}
