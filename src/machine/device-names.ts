// Names for the help of the command line, which loads nothing else of this folder.

/** Devices that train and predict, the default first; the table of devices is checked against them. */
export const COMPUTING_DEVICES = ['cpu', 'reference'] as const;
export type ComputingDevice = (typeof COMPUTING_DEVICES)[number];
