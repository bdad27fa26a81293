import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { overlaps, packageRoot, writeAtomically } from '../../files/index.ts';
import {
  assumedSpeeds,
  KERNEL_CLASSES,
  type KernelClass,
  type KernelSpeed,
  type Speeds,
  type TargetOptions,
} from '../../machine/index.ts';
import { check, readJson, settingIn } from './config-error.ts';

// Machine files: the speeds of a machine as JSON, written by `halomesh info --calibrate` or by hand (docs/scaling.md).

const above = (unit: string) => {
  const error = `a number above 0 (${unit})`;
  return z.number({ error }).refine((n) => Number.isFinite(n) && n > 0, { error });
};
const notBelow = (unit: string) => {
  const error = `a number of at least 0 (${unit})`;
  return z.number({ error }).refine((n) => Number.isFinite(n) && n >= 0, { error });
};
const text = (error: string) => z.string({ error });
const object = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? 'an object' : undefined) });

const kernel: z.ZodType<KernelSpeed> = object({
  flopsPerSecond: above('floating-point operations a second of one thread'),
  bytesPerSecond: above('bytes a second of one thread'),
  weightsPerSecond: above('weights a second of one thread').optional(),
});

const kernels = Object.fromEntries(KERNEL_CLASSES.map((kind) => [kind, kernel])) as Record<
  KernelClass,
  typeof kernel
>;

const link = {
  bytesPerSecond: above('bytes a second between two ranks'),
  latencySeconds: notBelow('seconds'),
  messageSeconds: notBelow('seconds'),
};

const wholeFrom1 = (what: string) => {
  const error = `a whole number of at least 1 (${what})`;
  return z.number({ error }).refine((n) => Number.isSafeInteger(n) && n >= 1, { error });
};

const torus = object({
  axes: wholeFrom1('along each of which a rank has two links'),
  ring: wholeFrom1('ranks along an axis whose ends are joined'),
  hopSeconds: notBelow('seconds'),
});

const fields: { readonly [K in keyof Speeds]-?: z.ZodType<Speeds[K]> } = {
  name: text('a name'),
  source: text('where the figures come from, in words'),
  unit: text('what one of its cores is called, such as chip').optional(),
  cores: wholeFrom1('threads that run at a time'),
  allCores: above('how many times as fast as one thread all cores are together'),
  launchSeconds: notBelow('seconds'),
  kernels: object(kernels),
  memoryBytesPerSecond: above('bytes a second of all cores together'),
  link: object({
    ...link,
    inside: object(link).optional(),
    torus: torus.optional(),
    source: text('where the figures come from, in words'),
  }).refine(({ inside, torus }) => inside === undefined || torus === undefined, {
    error: 'inside or torus, not both',
  }),
};

const schema: z.ZodType<Speeds> = object(fields);

/** Reads a machine file. Throws HalomeshError, `FILE "link.latencySeconds": expected ..., found ...`, for what does not fit. */
export function readMachineFile(file: string): Speeds {
  return check(schema, readJson(file), settingIn(file));
}

/** Writes a machine file, whole or not at all. */
export async function writeMachineFile(file: string, speeds: Speeds): Promise<void> {
  await writeAtomically(file, async (handle) => {
    await handle.writeFile(`${JSON.stringify(speeds, null, 2)}\n`);
  });
}

/** Machine files that come with the package, by name: tpu-v5p for tpu-v5p.json. */
const OWN_FILES = path.join(packageRoot, 'examples', 'machines');

/**
 * A machine file, or the one that HALOMESH_MACHINE names; undefined where there is none. A name that is no file here is that of a file
 * that comes with the package, where there is such a one.
 */
export function machineFile(file = process.env.HALOMESH_MACHINE): string | undefined {
  if (!file) return undefined;
  const own = path.join(OWN_FILES, `${file}.json`);
  return path.basename(file) === file && !existsSync(file) && existsSync(own) ? own : file;
}

/** The speeds of a machine file, or of the one that HALOMESH_MACHINE names; undefined where there is none. */
export function measuredSpeeds(given?: string): Speeds | undefined {
  const file = machineFile(given);
  return file === undefined ? undefined : readMachineFile(file);
}

/** The same, or assumed ones. */
export function speedsOf(file?: string): Speeds {
  return measuredSpeeds(file) ?? assumedSpeeds(availableParallelism());
}

/** What the environment says of the machine for plans: HALOMESH_MACHINE and HALOMESH_OVERLAP. */
export function machineHere(): TargetOptions {
  return { speeds: measuredSpeeds(), overlap: overlaps() };
}
