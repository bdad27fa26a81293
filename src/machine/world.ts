import type { AllReducePlan, ExchangePlan } from '../plan/index.ts';
import type { Device, Tensor } from './device.ts';

/** Bytes and messages that ranks have sent. */
export interface Traffic {
  exchangeBytes: number;
  allReduceBytes: number;
  messages: number;
}

/** A collective that has begun: its messages are under way. */
export interface Begun {
  /** Passes on what has come. Never waits. */
  advance(): void;
  /** Waits for its end. */
  finish(): Promise<void>;
}

/** Processes that work together: each runs some of the ranks of a mesh and reaches the others by messages. */
export interface Processes {
  /** Ranks of each process. */
  readonly ranks: readonly (readonly number[])[];
  /** Which of them this process is; 0 alone writes files and talks to the user. */
  readonly index: number;
  /** The machine of each rank, by number; absent where all count as being on one. */
  readonly machines?: readonly number[];
  /** Finds out which ranks share a machine, the number of that of each; all call it. Asks the others once. */
  locate(): Promise<readonly number[]>;
  /** Every process gives a text and gets those of all, by process. A small matter: not counted as traffic. */
  share(label: string, text: string): Promise<readonly string[]>;
  /**
   * Fills `data` of the processes `to` with that of process `from`, of the same length; all processes call it, those that
   * neither send nor receive with an empty array. Not counted as traffic.
   */
  deliver(label: string, data: Uint8Array, from: number, to: readonly number[]): Promise<void>;
  /** The ranks, with their tensors on a device. */
  world(device: Device): World;
}

/**
 * Ranks of a mesh, as one process sees them: the only way to the memory of ranks of other processes. All processes make the same
 * calls in the same order. Tensors are given for the ranks of this process, in their order.
 */
export interface World {
  /** Ranks in all. */
  readonly size: number;
  readonly processes: Processes;
  /** What this process has sent so far. */
  readonly traffic: Traffic;
  /** Finds out how processes reach each other's memory; all call it before anything is sent. Absent where there is one process. */
  ready?(): Promise<void>;
  /** In words, what messages of this process lie in and travel by; absent where that is memory of the host and MPI, or nothing. */
  readonly transport?: string;
  /** Sends and receives the boxes of a plan: `to` of each rank is filled from the `from` of others. */
  exchange(
    label: string,
    plan: ExchangePlan,
    from: readonly Tensor[],
    to: readonly Tensor[],
  ): Promise<void> | void;
  /** Combines a tensor of each rank over its group; all of the group end with the same numbers. */
  allReduce(label: string, plan: AllReducePlan, tensors: readonly Tensor[]): Promise<void> | void;
  /**
   * The same for the one rank of this process, begun at once and finished later; absent where there is nothing to gain from it.
   * What is sent must stay as it is in the meantime. Collectives of one kind that are under way at the same time have different
   * slots, small numbers. All processes begin and finish them in the same order.
   */
  readonly begin?: {
    exchange(label: string, plan: ExchangePlan, from: Tensor, to: Tensor, slot: number): Begun;
    /** Several all-reduces between the same ranks. */
    allReduce(
      label: string,
      parts: readonly { readonly plan: AllReducePlan; readonly tensor: Tensor }[],
      slot: number,
    ): Begun;
  };
  /** Waits for all processes. */
  barrier(label: string): Promise<void>;
  /** Gives its memory for messages back. */
  close(): void;
}
