import type { Communicator, Device } from '../../src/machine/index.ts';

export interface CommunicatorCase {
  readonly name: string;
  readonly ranks: number;
  run(communicator: Communicator, device: Device): Promise<number[]>;
}

export const CASES: readonly CommunicatorCase[];
