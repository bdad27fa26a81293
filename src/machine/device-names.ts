// Names for the help of the command line, which loads nothing else of this folder.

/** Devices that train and predict, the default first; the table of devices is checked against them. */
export const COMPUTING_DEVICES = ['cpu', 'cuda', 'wasm', 'webgpu', 'reference'] as const;
export type ComputingDevice = (typeof COMPUTING_DEVICES)[number];

/** Devices that machine files tell of, the default first: the processors of a machine, or its GPUs. */
export const MACHINE_DEVICES = ['cpu', 'cuda'] as const;
export type MachineDevice = (typeof MACHINE_DEVICES)[number];

/** What may be asked for: a device, or `auto`, which is cuda where it can be opened, else cpu, or wasm where no kernels were built. */
export const DEVICE_CHOICES = [...COMPUTING_DEVICES, 'auto'] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];
