import { existsSync } from 'node:fs';
import { HalomeshError } from '../../core/index.ts';
import { parseJson } from '../../files/index.ts';
import { readConfigFile, resolveConfig, settingIn, type TrainConfig } from '../config/config.ts';
import { checkpointsOf, type RunFolder } from './run-folder.ts';
import { openSafetensors } from './safetensors.ts';

/**
 * The config of a run, from its file or, where that is damaged or gone, from the newest checkpoint that can be read: `warn` is
 * told then. Throws HalomeshError that names the file where no checkpoint has it either.
 */
export async function configOfFolder(
  folder: RunFolder,
  warn: (text: string) => void = () => undefined,
): Promise<TrainConfig> {
  try {
    return resolveConfig(readConfigFile(folder.config), settingIn(folder.config));
  } catch (error) {
    if (!(error instanceof HalomeshError)) throw error;
    for (const file of checkpointsOf(folder)) {
      const config = await configIn(file);
      if (config === undefined) continue;
      warn(`${error.message}. The config is taken from ${file}`);
      return config;
    }
    throw error;
  }
}

async function configIn(file: string): Promise<TrainConfig | undefined> {
  if (!existsSync(file)) return undefined;
  try {
    const opened = await openSafetensors(file);
    await opened.close();
    return resolveConfig(parseJson(opened.metadata.config ?? ''));
  } catch {
    return undefined;
  }
}
