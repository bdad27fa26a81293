import type { OPS } from '../../ops/index.ts';
import type { LocalNode } from '../../plan/index.ts';

/** Attributes of a node known to be of operation `N`. */
export function attrsOf<N extends keyof typeof OPS>(
  node: LocalNode,
): Parameters<(typeof OPS)[N]['loops']>[0]['attrs'] {
  return node.call.attrs as Parameters<(typeof OPS)[N]['loops']>[0]['attrs'];
}
