import { type Graph, HalomeshError, type Layout, type Mesh, mesh as makeMesh } from '../core/index.ts';
import { makePlan, type Target } from '../plan/index.ts';

/** Parts that are tried, from few to many: fewer margins, then less memory. */
const PARTS = [1, 2, 4, 8, 16];

/**
 * The mesh of fewest ranks, cutting one dimension (depth unless told), with which one process stays within a memory limit (bytes): its ranks run in turn
 * and share an arena, so that parts of a volume give room to each other. Results do not depend on it. Raises the plan's error
 * where even the most parts do not fit.
 */
export function fitParts(
  graph: Graph,
  target: Target,
  memoryLimit: number,
  hostBytes: number,
  dim = 'depth',
): { readonly mesh: Mesh; readonly layout: Layout } {
  for (const parts of PARTS) {
    const place =
      parts === 1
        ? { mesh: makeMesh({}), layout: {} }
        : { mesh: makeMesh({ [dim]: parts }), layout: { [dim]: dim } };
    const last = parts === PARTS[PARTS.length - 1];
    try {
      makePlan(graph, place.mesh, place.layout, target, { memoryLimit, hostBytes, thorough: last });
      return place;
    } catch (error) {
      if (last || !(error instanceof HalomeshError) || error.complaint.where !== 'memory limit') throw error;
    }
  }
  throw new RangeError('unreachable: the last try returns or throws');
}
