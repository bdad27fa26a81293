import { fail } from '../../core/index.ts';
import { type Address, ALIGN, offsetOf, slabOf } from './slabs.ts';

// Windows: the pieces of buffers that a kernel sees. A buffer must not be seen twice at one place where it is written, and a kernel sees few
// windows only, so tensors that lie together share one.

/** What a kernel does with a piece of memory. */
export interface Use {
  readonly address: Address;
  readonly bytes: number;
}

export interface Window {
  readonly address: Address;
  readonly bytes: number;
}

export interface WindowLimits {
  /** Windows of a kernel at most. */
  readonly windows: number;
  /** Bytes of a window at most. */
  readonly bytes: number;
}

/** Where nothing is known of an adapter: what every one has by the specification. */
export const LEAST: WindowLimits = { windows: 8, bytes: 2 ** 27 };

/** Windows that hold all uses, in rising order, one for each piece as far as limits allow. `what` names the operation. */
export function windowsOf(uses: readonly Use[], limits: WindowLimits, what: string): Window[] {
  const sorted = uses
    .map(({ address, bytes }) => {
      const start = address - (address % ALIGN);
      return { address: start, end: address + Math.max(4, bytes) };
    })
    .sort((a, b) => a.address - b.address);
  const windows: { address: number; end: number }[] = [];
  for (const use of sorted) {
    const last = windows.at(-1);
    if (last !== undefined && use.address < last.end) last.end = Math.max(last.end, use.end);
    else windows.push(use);
  }
  while (windows.length > limits.windows) {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 1; i < windows.length; i++) {
      const bytes = windows[i].end - windows[i - 1].address;
      if (slabOf(windows[i].address) === slabOf(windows[i - 1].address) && bytes < least)
        [best, least] = [i, bytes];
    }
    if (best < 0 || least > limits.bytes)
      fail({
        where: what,
        problem: `a kernel works on tensors in ${windows.length} places of memory; this adapter shows it ${limits.windows}`,
        hint: 'Choose another device',
      });
    windows[best - 1].end = windows[best].end;
    windows.splice(best, 1);
  }
  return windows.map(({ address, end }) => {
    const bytes = Math.ceil((end - address) / 16) * 16;
    if (bytes > limits.bytes)
      fail({
        where: what,
        problem: `a tensor of ${bytes} bytes is larger than what a kernel sees of a buffer, ${limits.bytes} bytes`,
        hint: 'Cut the volume into parts, as with --split depth=2',
      });
    return { address, bytes };
  });
}

/** Which window holds a use. */
export const windowWith = (windows: readonly Window[], { address }: Use): number =>
  windows.findLastIndex(
    (window) => slabOf(window.address) === slabOf(address) && offsetOf(window.address) <= offsetOf(address),
  );
