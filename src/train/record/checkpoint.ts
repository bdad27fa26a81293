import { fail } from '../../core/index.ts';
import { isGathered } from '../../nn/index.ts';
import type { Variables } from '../../run/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { inFileOrder, openSafetensors, type TensorFile, writeSafetensors } from './safetensors.ts';
import { WEB_FORMAT, webRunOf } from './web-run.ts';

// A checkpoint is a safetensors file: every variable under its path (`down0/conv0/weight`, its optimizer slots
// `down0/conv0/weight/adam/m`, moving statistics), whole whatever the mesh, and metadata: format, step, config, extras.
// The seed in the config and the step are the whole variables of the random numbers, which are drawn by counters.

/** What a checkpoint holds beside the variables. */
export interface CheckpointContent {
  readonly variables: Variables;
  /** Steps done. */
  readonly step: number;
  readonly config: TrainConfig;
  /** More texts to keep. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface LoadedCheckpoint {
  /** Steps done. */
  readonly step: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface LoadOptions {
  /** Leave out what the file holds beyond the variables of the variables, such as optimizer slots in a prediction. */
  readonly partial?: boolean;
}

const FORMAT = 'halomesh checkpoint 1';

/**
 * Writes all variables, one at a time, under another name first. Of several processes all call it: the first one writes, and
 * gets the parts of split variables from the others.
 */
export async function saveCheckpoint(
  file: string,
  { variables, step, config, metadata = {} }: CheckpointContent,
): Promise<void> {
  const names = keptNames(variables);
  const size = (name: string): number => sizesOf(variables, name).reduce((n, s) => n * s, 1);
  const smallest = names.reduce((a, b) => (size(b) < size(a) ? b : a));
  // A device that computes in float64 throughout hands out float64: then nothing is rounded on the way.
  const wide = (await variables.get(smallest)) instanceof Float64Array;
  const tensors = names.map((name) => ({
    name,
    dtype: wide || variables.types.get(name)!.dtype === 'f64' ? ('F64' as const) : ('F32' as const),
    shape: sizesOf(variables, name),
    data: () => variables.collect(name),
  }));
  if (variables.processes.index !== 0) {
    for (const { data } of inFileOrder(tensors)) await data();
    return;
  }
  await writeSafetensors(file, tensors, { ...checkpointTexts(step, config), ...metadata });
}

/** The texts that make a safetensors file a checkpoint of a config after so many steps. */
export function checkpointTexts(step: number, config: TrainConfig): Readonly<Record<string, string>> {
  return { format: FORMAT, step: String(step), config: JSON.stringify(config) };
}

/**
 * Sets the variables of a variables, admitted by a loaded program, to those of a file. Throws HalomeshError with the tensor's name
 * where one is missing or has another shape; then no variable has changed. Damaged numbers (by their sums, or not finite) are
 * refused by the name of their tensor.
 */
export async function loadCheckpoint(
  file: string,
  variables: Variables,
  { partial = false }: LoadOptions = {},
): Promise<LoadedCheckpoint> {
  const opened = await openSafetensors(file);
  try {
    const step = stepOf(file, opened);
    checkTensors(file, opened, variables, partial);
    for (const name of keptNames(variables)) variables.set(name, await opened.read(name));
    return { step, metadata: opened.metadata };
  } finally {
    await opened.close();
  }
}

/** Reads a whole checkpoint, as a run that goes on with it will. Throws HalomeshError where it is damaged. */
export async function verifyCheckpoint(file: string): Promise<void> {
  const opened = await openSafetensors(file);
  try {
    stepOf(file, opened);
    for (const name of opened.tensors.keys()) await opened.read(name);
  } finally {
    await opened.close();
  }
}

function stepOf(file: string, { metadata }: TensorFile): number {
  if (metadata.format === WEB_FORMAT) return webRunOf(metadata, file).step;
  const step = Number(metadata.step || Number.NaN);
  if (metadata.format !== FORMAT || !Number.isSafeInteger(step) || step < 0)
    fail({
      where: file,
      problem: 'is no checkpoint of this program',
      expected: `format "${FORMAT}" and a step`,
      found: `format "${metadata.format ?? ''}", step "${metadata.step ?? ''}"`,
    });
  return step;
}

function checkTensors(file: string, opened: TensorFile, variables: Variables, partial: boolean): void {
  const hint = 'Is the network that of the config it was trained with?';
  for (const name of keptNames(variables)) {
    const found = opened.tensors.get(name);
    const expected = `[${sizesOf(variables, name).join(', ')}]`;
    if (!found) {
      fail({ where: file, problem: `tensor "${name}"`, expected, found: 'no such tensor', hint });
      continue;
    }
    if (`[${found.shape.join(', ')}]` !== expected)
      fail({
        where: file,
        problem: `shape of tensor "${name}"`,
        expected,
        found: `[${found.shape.join(', ')}]`,
        hint,
      });
    if (found.dtype !== 'F32' && found.dtype !== 'F64')
      fail({ where: file, problem: `type of tensor "${name}"`, expected: 'F32 or F64', found: found.dtype });
  }
  if (partial) return;
  const known = new Set(keptNames(variables));
  for (const [name, { shape }] of opened.tensors)
    if (!known.has(name))
      fail({
        where: file,
        problem: `tensor "${name}"`,
        expected: 'no tensor of this name',
        found: `[${shape.join(', ')}]`,
        hint,
      });
}

/** Names of all variables that mean anything between two steps. */
const keptNames = (variables: Variables): string[] => variables.names().filter((name) => !isGathered(name));

const sizesOf = (variables: Variables, name: string): number[] =>
  variables.types.get(name)!.shape.map((dim) => dim.size);
