// Names for the help of the command line, which loads nothing else of this folder.

/** Devices that train and predict, the default first; the table of devices is checked against them. */
export const COMPUTING_DEVICES = ['cpu', 'cuda', 'wasm', 'webgpu', 'reference'] as const;
export type ComputingDevice = (typeof COMPUTING_DEVICES)[number];

/** Devices that machine files tell of, the default first: the processors of a machine, or its GPUs. */
export const MACHINE_DEVICES = ['cpu', 'cuda'] as const;
export type MachineDevice = (typeof MACHINE_DEVICES)[number];

/** A device behind the PJRT C interface, by the library of its plug-in. */
const PJRT = 'pjrt:';
export type PjrtName = `pjrt:${string}`;

/** The library that is meant, or undefined where it is another device. */
export const pjrtLibrary = (name: string): string | undefined =>
  name.startsWith(PJRT) ? name.slice(PJRT.length) : undefined;

/**
 * What may be asked for beside the library of a plug-in: a device, or `auto`, which is cuda where it can be opened, else cpu, or wasm
 * where no kernels were built.
 */
const DEVICE_CHOICES = [...COMPUTING_DEVICES, 'auto'] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number] | PjrtName;

/** All of them, for help and errors. */
export const DEVICE_WORDS: readonly string[] = [...DEVICE_CHOICES, 'pjrt:LIBRARY'];

export const isDeviceChoice = (text: unknown): text is DeviceChoice =>
  typeof text === 'string' &&
  ((DEVICE_CHOICES as readonly string[]).includes(text) || (pjrtLibrary(text) ?? '') !== '');
