import type { Layout } from '../../src/core/index.ts';
import type { Device, Processes } from '../../src/machine/index.ts';

export type Case = readonly [Record<string, number>, Layout, string];
export const MESHES: readonly Case[];
export function ranksOf(test: Case): number;

export interface Bytes {
  readonly exchange: number;
  readonly allReduce: number;
}

export interface Found {
  readonly results: Readonly<Record<string, number[]>>;
  readonly predicted: Bytes;
  readonly sent: Bytes;
}
export function lawsOf(test: Case, device: Device, processes?: Processes): Promise<Found>;
