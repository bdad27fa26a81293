import type { AllReducePlan, ExchangePlan } from '../plan/index.ts';
import type { Tensor } from './device.ts';

/** Bytes and messages that ranks have sent. */
export interface Traffic {
  exchangeBytes: number;
  allReduceBytes: number;
  messages: number;
}

/**
 * How one rank reaches the others; the only way to their memory. Calls with the same label meet: all ranks make them in the
 * same order. A call that cannot complete fails with the ranks and operations that wait.
 */
export interface Communicator {
  readonly rank: number;
  readonly size: number;
  /** What this process has sent so far. */
  readonly traffic: Traffic;
  /** Sends and receives the boxes of a plan: `to` of this rank is filled from the `from` of others. */
  exchange(label: string, plan: ExchangePlan, from: Tensor, to: Tensor): Promise<void>;
  /** Combines `tensor` over this rank's group; all of the group end with the same numbers. */
  allReduce(label: string, plan: AllReducePlan, tensor: Tensor): Promise<void>;
  /** Waits for all ranks. */
  barrier(label: string): Promise<void>;
}
