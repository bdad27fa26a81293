import {
  fileOver,
  flagsOver,
  mergeConfig,
  readConfigFile,
  type SettingName,
} from '../../train/config/config.ts';
import { isNetworkName } from '../../train/config/config-type.ts';
import { checkMeshFlags } from './flags.ts';
import { UsageError } from './parse.ts';
import type { TrainFlags } from './train-flags.ts';

/** The settings that a config file and flags give together, flags before the file; and what errors call them. */
export function givenConfig(flags: TrainFlags): {
  readonly given: Readonly<Record<string, unknown>>;
  readonly nameOf: (rest: SettingName) => SettingName;
} {
  const { config, resume: _resume, watch: _watch, trace: _trace, overwrite: _overwrite, ...own } = flags;
  checkMeshFlags(flags);
  checkWindow(own);
  checkNetwork(own);
  const ofFile = config === undefined ? {} : readConfigFile(config);
  const nameOf = (rest: SettingName) => flagsOver(own, fileOver(config ?? '', ofFile, rest));
  return { given: mergeConfig(ofFile, own), nameOf };
}

/** A window is of channels of CT: refused beside a way of normalisation that has none. */
function checkWindow({ window, normalization }: Readonly<Record<string, unknown>>): void {
  if (window === undefined || normalization === undefined || normalization === 'auto') return;
  const names = [normalization].flat();
  if (names.includes('ct')) return;
  throw new UsageError({
    where: '--window',
    problem: 'expected a channel that is normalised in it',
    expected: '--normalization ct',
    found: names.join(','),
    hint: 'Leave the window out',
  });
}

/** Widths and levels are of the U-Net: refused beside a network that has its own. */
function checkNetwork({ network, ...flags }: Readonly<Record<string, unknown>>): void {
  if (typeof network !== 'string' || network === 'unet') return;
  const own = isNetworkName(network) ? (['levels'] as const) : (['base', 'levels'] as const);
  const key = own.find((name) => flags[name] !== undefined);
  if (key === undefined) return;
  throw new UsageError({
    where: `--${key}`,
    problem: `expected nothing beside --network ${network}, which decides itself`,
    found: String(flags[key]),
    hint: 'Leave it out',
  });
}

/** Refuses a config without a key that has no default, in the words of the flag. */
export function need(given: Readonly<Record<string, unknown>>, key: 'data' | 'out', what: string): void {
  if (given[key] !== undefined) return;
  throw new UsageError({
    where: `--${key}`,
    problem: `expected ${what} (or "${key}" in the config file), found nothing`,
  });
}
