import { setUpCommand } from '../../files/index.ts';
import { builtDevice, COMPUTING_DEVICES, type DeviceChoice, nativeDevice } from '../../machine/index.ts';
import type { TrainConfig } from '../../train/index.ts';
import { tell } from './say.ts';
import { talks } from './talks.ts';

let told = false;

/**
 * The device that computes where none is asked for: the one that is usual, but WebAssembly in place of native kernels that were not
 * built, which is said once.
 */
export function usableDevice(usual: DeviceChoice = COMPUTING_DEVICES[0]): DeviceChoice {
  const usable = builtDevice(usual);
  if (usable === usual) return usual;
  if (!told && talks())
    tell(
      'The native kernels are not built: computing with WebAssembly on one thread, which gives right results and is slower. ' +
        `For the fast kernels run: ${setUpCommand()}`,
    );
  told = true;
  return usable;
}

/** What a trained network computes on where none is asked for: that of its run, but native kernels in place of WebAssembly. */
export const deviceOfRun = (ofRun: DeviceChoice): DeviceChoice => usableDevice(nativeDevice(ofRun));

/** A config with a usable device, where `given` of it names none. */
export function onUsable(config: TrainConfig, given: Readonly<Record<string, unknown>>): TrainConfig {
  return given.device === undefined ? { ...config, device: usableDevice(config.device) } : config;
}
