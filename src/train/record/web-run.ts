import { z } from 'zod';
import { fail, shape } from '../../core/index.ts';
import { crc32 } from '../../files/bytes/crc32.ts';
import { parseJson } from '../../files/wire/json.ts';
import type { PrepareOptions } from '../../imaging/volume/prepared-case.ts';
import { buildPrediction, type NetworkSettings, networkConfig } from '../../nn/index.ts';
import {
  decodeHeader,
  encodeHeader,
  HeaderFault,
  inFileOrder,
  type TensorInfo,
} from './safetensors-header.ts';

// A run as one file, for pages: a safetensors file with the weights that prediction reads, whose metadata say all else. `format` is
// its version; `run` is JSON, the network, how scans are prepared, what the classes are. Its sums are those of every checkpoint.

export const WEB_FORMAT = 'halomesh web run 1';

/** All that prediction needs to know of a trained network beside its weights. */
export interface WebRun {
  /** What people call it. */
  readonly name: string;
  /** Steps that it was trained for. */
  readonly step: number;
  readonly network: NetworkSettings;
  /** How activations are stored. */
  readonly precision: 'f32' | 'bf16';
  readonly seed: number;
  /** Whether the weights are running averages. */
  readonly averaged: boolean;
  readonly exactConv: 'auto' | 'direct';
  /** Of a 2-D network: how many adjacent slices are its channels. */
  readonly slices?: number;
  readonly prepare: PrepareOptions;
  /** Names of the channels of a scan. */
  readonly channels: readonly string[];
  /** Names, the background first. */
  readonly classes: readonly string[];
  /** `#rrggbb` of each class; that of the background is not shown. */
  readonly colors: readonly string[];
  /** Value of each class in label maps; the classes themselves where absent. */
  readonly classValues?: readonly number[];
  /** Sets of classes that the scores are of, where they may overlap. */
  readonly regions?: readonly {
    readonly name: string;
    readonly classes: readonly number[];
    readonly written: number;
  }[];
}

/** Weights by path, as checkpoints have them. */
export type WebWeights = ReadonlyMap<string, Float32Array | Float64Array>;

export interface OpenWebRun {
  readonly run: WebRun;
  readonly weights: WebWeights;
}

const whole = (least: number, most: number) => z.number().int().min(least).max(most);
const text = z.string().min(1).max(1000);
const byAxis = z.record(z.enum(['depth', 'height', 'width']), whole(1, 1290).optional());
const unet = z.strictObject({
  base: whole(1, 4096),
  levels: whole(1, 10),
  classes: whole(1, 255),
  convolutions: whole(1, 100),
  kernel: z.union([whole(1, 1290), byAxis]),
  norm: text,
  groups: whole(1, 4096),
  slope: z.number(),
  keep: z.number(),
});
const staged = z.strictObject({
  kind: z.enum(['plain', 'residual']),
  classes: whole(1, 255),
  stages: z
    .array(
      z.strictObject({
        filters: whole(1, 4096),
        kernel: byAxis,
        stride: byAxis,
        down: whole(1, 100),
        up: whole(0, 100),
      }),
    )
    .min(1)
    .max(10),
  slope: z.number(),
  epsilon: z.number(),
  scale: z.number(),
  shift: z.number(),
});
const window = { lower: z.number(), upper: z.number() };
const normalization = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('window'), ...window }),
  z.strictObject({ kind: z.literal('clip'), ...window, mean: z.number(), deviation: z.number().positive() }),
  z.strictObject({ kind: z.literal('zscore'), nonZero: z.boolean().optional() }),
  ...(['rescale', 'rgb', 'none'] as const).map((kind) => z.strictObject({ kind: z.literal(kind) })),
]);
const three = <T extends z.ZodType>(each: T) => z.union([each, z.tuple([each, each, each])]);
const schema = z.strictObject({
  name: text,
  step: whole(0, Number.MAX_SAFE_INTEGER),
  network: z.union([unet, staged]),
  precision: z.enum(['f32', 'bf16']),
  seed: z.number().int(),
  averaged: z.boolean(),
  exactConv: z.enum(['auto', 'direct']),
  slices: whole(1, 255).optional(),
  prepare: z.strictObject({
    spacing: three(z.number().min(1e-4).max(1000)).optional(),
    size: three(whole(1, 46_340)).optional(),
    plane: z.boolean().optional(),
    window: z.strictObject(window).optional(),
    normalizations: z.array(normalization).min(1).max(255).optional(),
  }),
  channels: z.array(text).min(1).max(255),
  classes: z.array(text).min(2).max(256),
  colors: z.array(z.string().regex(/^#[0-9a-f]{6}$/)),
  classValues: z.array(whole(0, 255)).optional(),
  regions: z
    .array(z.strictObject({ name: text, classes: z.array(whole(1, 255)).min(1), written: whole(1, 255) }))
    .min(1)
    .optional(),
});

/** The metadata of a file of a run. */
export const webTexts = (run: WebRun): Readonly<Record<string, string>> => ({
  format: WEB_FORMAT,
  run: JSON.stringify(run),
});

/** The graph that segments a prepared scan of a size. */
export function webGraph(run: WebRun, [depth, height, width]: readonly [number, number, number]) {
  const { network, precision, seed, averaged, regions, slices, channels } = run;
  return buildPrediction({
    image: shape({ batch: 1, depth, height, width, channel: slices ?? channels.length }),
    ...{ network, storage: precision, seed, averaged },
    written: regions?.map(({ written }) => written),
  });
}

/**
 * Reads a run that `halomesh export --web` wrote from the bytes of its file, named so in errors. Throws HalomeshError where it is
 * something else, of another version, damaged, or says what makes no network.
 */
export function readWebRun(bytes: Uint8Array, file: string): OpenWebRun {
  const { metadata, tensors, start } = headerOf(bytes, file);
  const run = webRunOf(metadata, file);
  const weights = new Map<string, Float32Array | Float64Array>();
  for (const [name, { dtype, offsets, sum }] of tensors) {
    const part = bytes.slice(start + offsets[0], start + offsets[1]);
    if (sum === undefined || crc32(part) !== sum)
      fail({
        where: file,
        problem: `tensor "${name}" is damaged: its numbers are not those that were written`,
        hint: 'Was it cut off or changed when it was copied?',
      });
    if (dtype !== 'F32' && dtype !== 'F64')
      fail({ where: file, problem: `type of tensor "${name}"`, expected: 'F32 or F64', found: dtype });
    weights.set(name, dtype === 'F64' ? new Float64Array(part.buffer) : new Float32Array(part.buffer));
  }
  // Weights depend on no size of space.
  for (const { name, value } of webGraph(run, [1, 1, 1]).parameters) {
    const wanted = value.shape.map((dim) => dim.size).join(', ');
    const found = tensors.get(name)?.shape.join(', ');
    if (found !== wanted)
      fail({
        where: file,
        problem: `tensor "${name}"`,
        expected: `[${wanted}]`,
        found: found === undefined ? 'no such tensor' : `[${found}]`,
      });
  }
  return { run, weights };
}

/** What the metadata of a file of a run say. Throws HalomeshError where they are those of another file. */
export function webRunOf(metadata: Readonly<Record<string, string>>, file: string): WebRun {
  const { format = '', run = '' } = metadata;
  if (format !== WEB_FORMAT)
    fail({
      where: file,
      problem: 'is no run as one file, for pages and for predict',
      expected: `format "${WEB_FORMAT}"`,
      found: `"${format}"`,
      hint: 'Write it with halomesh export --web, of this version',
    });
  return runOf(run, file);
}

/** The file of a run, as {@link readWebRun} reads it. */
export function encodeWebRun({ run, weights }: OpenWebRun): Uint8Array {
  const tensors = new Map<string, TensorInfo>();
  const parts: Uint8Array[] = [];
  let end = 0;
  const named = webGraph(run, [1, 1, 1]).parameters.map(({ name, value }) => {
    const numbers = weights.get(name);
    if (numbers === undefined) fail({ where: `weight "${name}"`, problem: 'the run does not have it' });
    return { name, numbers, dtype: numbers instanceof Float64Array ? 'F64' : 'F32', value };
  });
  for (const { name, numbers, dtype, value } of inFileOrder(named)) {
    const part = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    const offsets = [end, end + part.length] as const;
    tensors.set(name, { dtype, shape: value.shape.map((dim) => dim.size), offsets, sum: crc32(part) });
    parts.push(part);
    end += part.length;
  }
  const head = encodeHeader({ tensors, metadata: webTexts(run) });
  const bytes = new Uint8Array(head.length + end);
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function headerOf(bytes: Uint8Array, file: string) {
  const damaged = (expected: string, found: string, cause?: unknown): never =>
    fail({ where: file, problem: 'is no whole file of a run', expected, found }, { cause });
  if (bytes.length < 8) damaged('at least 8 bytes', `${bytes.length}`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (8 + length > bytes.length) damaged(`a header within ${bytes.length} bytes`, `${length} bytes`);
  try {
    const header = decodeHeader(bytes.subarray(8, 8 + length), bytes.length - 8 - length);
    return { ...header, start: 8 + length };
  } catch (error) {
    if (error instanceof HeaderFault) return damaged(error.expected, error.found, error);
    return damaged('a file of halomesh export --web', 'something else', error);
  }
}

function runOf(said: string, file: string): WebRun {
  const refuse = (expected: string, found: string): never =>
    fail({ where: file, problem: 'says what is no run', expected, found });
  let value: unknown;
  try {
    value = parseJson(said);
  } catch {
    refuse('JSON', said.slice(0, 40));
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    return refuse(`a run as halomesh export --web writes it`, `a fault at "${path.join('.')}": ${message}`);
  }
  // What the schema lets through the network itself refuses.
  const run = parsed.data as WebRun;
  networkConfig(run.network);
  const { classes, colors, classValues = classes, regions = [], network, channels, prepare } = run;
  if (colors.length !== classes.length || classValues.length !== classes.length)
    refuse(
      `${classes.length} colours and values, one for each class`,
      `${colors.length} and ${classValues.length}`,
    );
  const scores = run.regions?.length ?? classes.length;
  if ('classes' in network && network.classes !== scores) refuse(`${scores} scores`, `${network.classes}`);
  const beyond = regions
    .flatMap((region) => [...region.classes, region.written])
    .find((n) => n >= classes.length);
  if (beyond !== undefined) refuse(`classes below ${classes.length} in regions`, `${beyond}`);
  const normalized = prepare.normalizations?.length ?? 1;
  if (normalized !== channels.length) refuse(`${channels.length} normalisations`, `${normalized}`);
  return run;
}
