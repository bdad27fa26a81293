import { fail, shownValue } from '../../core/index.ts';
import type { Normalization } from '../../imaging/index.ts';
import { networkConfig } from '../../nn/index.ts';
import type { NormalizationSetting, TrainConfig } from '../config/config-type.ts';
import { networkOf, prepareOptions } from '../config/model.ts';
import { openSafetensors } from './safetensors.ts';
import { type WebRun, webRunOf } from './web-run.ts';

// A run that is one file, as prediction takes it: its config is what the file says of the network, scans and classes, by the names that
// a config has for it.

/** What a run that is one file says of its config. */
export interface RunFile {
  /** As far as a config file would say it. */
  readonly settings: Partial<TrainConfig>;
  /** What these make, with whatever else is asked for, as the file means it. Throws HalomeshError where that is another network. */
  fit(resolved: TrainConfig): TrainConfig;
}

/** Reads it. Throws HalomeshError where the file is another. */
export async function readRunFile(file: string): Promise<RunFile> {
  const opened = await openSafetensors(file);
  await opened.close();
  const run = webRunOf(opened.metadata, file);
  return {
    settings: settingsOf(run, file),
    fit(resolved) {
      const config = run.averaged ? resolved : { ...resolved, ema: undefined };
      const network = networkConfig(networkOf(config, run.classes.length));
      checkSame(file, 'network', network, run.network);
      checkSame(file, 'preparation of scans', prepareOptions(config), run.prepare);
      return config;
    },
  };
}

function settingsOf(run: WebRun, file: string): Partial<TrainConfig> {
  const { network, prepare, channels, precision, seed, exactConv, slices, classes, classValues, regions } =
    run;
  const { size, spacing, plane, normalizations } = prepare;
  const window = prepare.window ?? normalizations?.find((way) => way.kind === 'window');
  const side = Array.isArray(size) ? size.at(-1) : size;
  return {
    ...{ data: file, out: file, precision, seed, exactConv, classes, classValues, regions, slices, plane },
    ...{ spacing, size: side },
    ...(window && { window: { lower: window.lower, upper: window.upper } }),
    ...(normalizations && { channels, normalization: normalizations.map(settingOf) }),
    ...networkSettings(network),
  };
}

function networkSettings(settings: WebRun['network']): Partial<TrainConfig> {
  const network = networkConfig(settings);
  if ('stages' in network) {
    const { classes: _, ...staged } = network;
    return { network: staged };
  }
  // Files hold no others.
  if (!('levels' in network)) return {};
  const { base, levels, norm, keep } = network;
  return { base, levels, norm, dropoutKeep: keep };
}

/** A window is that of the config. */
function settingOf(way: Normalization): NormalizationSetting {
  if (way.kind === 'window') return 'ct';
  if (way.kind === 'zscore') return way.nonZero ? 'zscore-nonzero' : 'zscore';
  return way.kind === 'clip' ? way : way.kind;
}

/** Refuses a file whose network or scans no config describes: prediction would be by others. */
function checkSame(file: string, what: string, config: object, said: object): void {
  if (canonical(config) === canonical(said)) return;
  fail({
    where: file,
    problem: `its ${what} is none that prediction here makes`,
    expected: shownValue(canonical(config)),
    found: shownValue(canonical(said)),
    hint: 'Use the page that it was made for, or the folder of the run',
  });
}

/** JSON with keys in the order of their names and without absent ones. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
