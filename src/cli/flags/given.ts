import { mergeConfig, readConfigFile } from '../../train/index.ts';
import { checkMeshFlags, type TrainFlags } from './flags.ts';
import { UsageError } from './parse.ts';

/** The settings that a config file and flags give together: flags go before the file. */
export function givenConfig(flags: TrainFlags): Readonly<Record<string, unknown>> {
  const { config, resume: _resume, trace: _trace, overwrite: _overwrite, ...given } = flags;
  checkMeshFlags(flags);
  return mergeConfig(config === undefined ? {} : readConfigFile(config), given);
}

/** Refuses a config without a key that has no default, in the words of the flag. */
export function need(given: Readonly<Record<string, unknown>>, key: 'data' | 'out', what: string): void {
  if (given[key] !== undefined) return;
  throw new UsageError({
    where: `--${key}`,
    problem: `expected ${what} (or "${key}" in the config file), found nothing`,
  });
}
