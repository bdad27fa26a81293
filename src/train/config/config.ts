import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { checkLayout, fail, type Layout, type Mesh, mesh, shownValue } from '../../core/index.ts';
import { hasBoundary } from '../../nn/index.ts';
import { check, readJson, type SettingName, settingIn } from './config-error.ts';
import { presets } from './config-presets.ts';
import { configSchema, type GivenConfig, givenSchema } from './config-schema.ts';
import { isNetworkName, type TrainConfig } from './config-type.ts';
import { checkSize } from './plane.ts';
import { CLASSIFY, checkTask } from './task/task.ts';

export { AUGMENTATIONS, type AugmentationSettings } from './augmentation.ts';
export { fileOver, flagsOver, type SettingName, settingIn } from './config-error.ts';
export * from './config-type.ts';

/**
 * The whole config from what is given of it (a config file under flags, see {@link mergeConfig}): the preset fills in the
 * rest. Throws HalomeshError, `config "steps": expected ..., found ...`, for the first key that does not fit; `nameOf` says which file
 * or flag a key comes from.
 */
export function resolveConfig(input: unknown, nameOf: SettingName = settingIn('config')): TrainConfig {
  const given = withSpacing(check(givenSchema, input, nameOf), nameOf);
  checkSplit(given, nameOf);
  if (given.size !== undefined && given.spacing !== undefined)
    fail({ where: nameOf('spacing'), problem: `expected nothing beside a size, found ${given.spacing}` });
  const preset = given.preset ?? 'default';
  // Without a window of its own a channel is normalised by its name.
  const byName = given.window === undefined ? { normalization: 'auto' } : {};
  const forTask = given.task === 'classify' ? CLASSIFY : {};
  const filled = mergeConfig({ ...presets[preset], ...forTask, ...byName, preset }, given);
  const { data, out, imageLabels, validation, init, network } = filled;
  const placed = {
    ...filled,
    data: absolute(data),
    out: absolute(out),
    imageLabels: absolute(imageLabels),
    validation: absolute(validation),
    init: absolute(init),
    // The U-Net is what there is where nothing is said.
    network: network === 'unet' ? undefined : isNetworkName(network) ? network : absolute(network),
  };
  const meshed = given.split === undefined ? placed : { ...placed, ...splitMesh(given.split) };
  const config = check(configSchema, dropUndefined(meshed), nameOf);
  meshOf(config, nameOf);
  checkHeldOut(config, nameOf);
  checkRegions(config, nameOf);
  checkFlat(config, nameOf);
  checkTask(config, nameOf);
  return config;
}

/** Microns of a pixel as a spacing. */
function withSpacing({ mpp, ...given }: GivenConfig, nameOf: SettingName): GivenConfig {
  if (mpp === undefined) return given;
  const rival = (['size', 'spacing'] as const).find((key) => given[key] !== undefined);
  if (rival !== undefined)
    fail({ where: nameOf('mpp'), problem: `expected nothing beside a ${rival}, found ${mpp}` });
  return { ...given, spacing: mpp / 1000 };
}

/** Refuses what does not go with pictures or slices. */
function checkFlat(config: TrainConfig, nameOf: SettingName): void {
  if (config.size !== undefined) checkSize(config, config.size, nameOf('size'));
  if (config.slices !== undefined && config.plane)
    fail({
      where: nameOf('plane'),
      problem: 'expected nothing beside slices, found true',
      hint: 'Pictures have channels of their own; slices have their neighbours as channels',
    });
  if (config.slices !== undefined && config.patch !== undefined)
    fail({ where: nameOf('patch'), problem: `expected nothing beside slices, found ${config.patch}` });
  if (config.slices !== undefined && hasBoundary(config.loss))
    fail({
      where: nameOf('loss'),
      problem: 'expected losses of labels alone beside slices, found boundary',
      hint: 'Distances are those of volumes: leave slices out',
    });
}

/** Refuses regions of classes that there are none of. */
function checkRegions({ classes, regions = [] }: TrainConfig, nameOf: SettingName): void {
  if (classes === undefined) return;
  for (const region of regions)
    for (const cls of region.classes)
      if (cls >= classes.length)
        fail({
          where: nameOf('regions'),
          problem: `expected classes 1 to ${classes.length - 1} in "${region.name}", found ${cls}`,
        });
}

/** Refuses a fold beside anything but the splits that it is one of. */
function checkHeldOut({ fold, validation }: TrainConfig, nameOf: SettingName): void {
  if (fold === undefined) return;
  const ofFile = typeof validation === 'string';
  if (fold.includes('/') ? validation === undefined : ofFile) return;
  fail({
    where: nameOf('fold'),
    problem: ofFile
      ? `expected the number of a split in ${validation}, such as 0, found ${shownValue(fold)}`
      : fold.includes('/')
        ? 'expected nothing beside cases held out by "validation"'
        : `expected K/N or K/all, such as 0/5, or a file of splits as "validation", found ${shownValue(fold)}`,
  });
}

/**
 * `over` laid over `base`, key by key. What stands for the same thing goes together: a split replaces mesh and layout, a
 * size replaces a spacing, another kind of optimizer or schedule replaces all of its settings.
 */
export function mergeConfig(base: object, over: object): Readonly<Record<string, unknown>> {
  const merged: Record<string, unknown> = dropUndefined(base);
  const given = dropUndefined(over);
  for (const [key, rivals] of Object.entries(replaces))
    if (given[key] !== undefined) for (const rival of rivals) delete merged[rival];
  for (const [key, value] of Object.entries(given)) {
    const old = merged[key];
    const joined = isRecord(old) && isRecord(value) && joinable(key, old, value);
    merged[key] = joined ? { ...old, ...dropUndefined(value) } : value;
  }
  return merged;
}

/** A JSON config file. Any of the keys may be missing; errors name the file and the key. */
export function readConfigFile(file: string): Readonly<Record<string, unknown>> {
  return dropUndefined(check(givenSchema, readJson(file), settingIn(file)));
}

const replaces: Readonly<Record<string, readonly string[]>> = {
  split: ['mesh', 'layout'],
  mesh: ['split', 'layout'],
  layout: ['split'],
  size: ['spacing', 'mpp'],
  spacing: ['size', 'mpp'],
  mpp: ['size', 'spacing'],
  validation: ['fold'],
};

/** Settings that are merged one by one, unless they are of different kinds. */
function joinable(
  key: string,
  old: Readonly<Record<string, unknown>>,
  value: Readonly<Record<string, unknown>>,
): boolean {
  if (!['loss', 'optimizer', 'schedule'].includes(key)) return false;
  return value.kind === undefined || value.kind === old.kind;
}

/** A split is a mesh with an axis for each dimension that it cuts; one to be chosen is none yet. */
export function splitMesh(split: NonNullable<TrainConfig['split']>): Pick<TrainConfig, 'mesh' | 'layout'> {
  if (split === 'auto') return { mesh: {}, layout: {} };
  return { mesh: split, layout: Object.fromEntries(Object.keys(split).map((dim) => [dim, dim])) };
}

/** Refuses a split beside a mesh or layout that says otherwise. */
function checkSplit(given: GivenConfig, nameOf: SettingName): void {
  if (given.split === undefined) return;
  const derived = splitMesh(given.split);
  for (const key of ['mesh', 'layout'] as const)
    if (given[key] !== undefined && !isDeepStrictEqual(given[key], derived[key]))
      fail({
        where: nameOf(key),
        problem: `expected nothing beside a split, found ${shownValue(given[key])}`,
        hint: 'Give either split, or mesh and layout',
      });
}

const absolute = (folder: unknown): unknown =>
  typeof folder === 'string' && folder !== '' ? path.resolve(folder) : folder;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function dropUndefined(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined));
}

/** The mesh of a config and which of its axes cuts which dimension. */
export function meshOf(
  config: Pick<TrainConfig, 'mesh' | 'layout' | 'split'>,
  nameOf: SettingName = settingIn('config'),
): { mesh: Mesh; layout: Layout } {
  const ranks = mesh(config.mesh, nameOf(config.split === undefined ? 'mesh' : 'split'));
  checkLayout(ranks, config.layout, nameOf('layout'));
  return { mesh: ranks, layout: config.layout };
}
