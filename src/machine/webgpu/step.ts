import type { Window } from './windows.ts';

/** One launch of a kernel: its code, workgroups, arguments and what it sees of memory. */
export interface Step {
  readonly text: string;
  readonly blocks: number;
  readonly args: Uint8Array;
  readonly windows: readonly Window[];
}
