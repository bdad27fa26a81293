import type { LocalNode } from '../../plan/index.ts';
import type { Call } from './call.ts';
import type { Site } from './site.ts';

/** How an operation that is no row of its own becomes a call, and what may be fused with it. */
export interface CallRule {
  /** Inputs that may be element-wise expressions. */
  readonly prologue?: readonly number[];
  /** Input 0 may be a concat of channels, loaded from its parts. */
  readonly sources?: boolean;
  /** Element-wise operations and sums may follow the store. */
  readonly epilogue?: boolean;
  /** Why this use cannot be said as a call, if so. */
  refuses?(node: LocalNode): string | undefined;
  /** The loop box is not empty. */
  build(site: Site): Call;
}
