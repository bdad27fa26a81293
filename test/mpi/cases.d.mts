import type { Device, World } from '../../src/machine/index.ts';

export interface WorldCase {
  readonly name: string;
  readonly ranks: number;
  /** `ranks`: those of this process. Numbers of each. */
  run(world: World, ranks: readonly number[], device: Device): Promise<number[][]>;
}

export const CASES: readonly WorldCase[];
