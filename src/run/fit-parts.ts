import { fail, type Graph, HalomeshError, type Layout, type Mesh, mesh as makeMesh } from '../core/index.ts';
import {
  EXACTNESS,
  leastMemory,
  makePlan,
  processBytes,
  sayableLimit,
  showLimit,
  type Target,
} from '../plan/index.ts';

/** Parts that are tried, from few to many: fewer margins, then less memory. */
const PARTS = [1, 2, 4, 8, 16];

interface Place {
  readonly mesh: Mesh;
  readonly layout: Layout;
}

/**
 * The mesh of fewest ranks, cutting one dimension (depth unless told), with which one process stays within a memory limit (bytes): its ranks run in turn
 * and share an arena, so that parts of a volume give room to each other. Results do not depend on it. Raises an error with the
 * smallest limit that can be met, over all numbers of parts, where none fits.
 */
export function fitParts(
  graph: Graph,
  target: Target,
  memoryLimit: number,
  hostBytes: number,
  dim = 'depth',
): Place {
  for (const place of placesOf(dim)) {
    // Less than a process of these ranks takes needs no plan.
    if (processBytes(place.mesh.size) + hostBytes > memoryLimit) continue;
    try {
      makePlan(graph, place.mesh, place.layout, target, { memoryLimit, hostBytes, thorough: false });
      return place;
    } catch (error) {
      if (!(error instanceof HalomeshError) || error.complaint.where !== 'memory limit') throw error;
    }
  }
  const { place, limit } = leastParts(graph, target, hostBytes, dim);
  // Schedules are searched for by rules of thumb, which may meet a lower limit and miss a higher one.
  if (limit <= memoryLimit) return place;
  return fail({
    where: 'memory limit',
    problem: 'the program does not fit, in however many parts',
    expected: `at least ${showLimit(limit)}`,
    found: showLimit(memoryLimit),
    hint: 'Raise --memory-limit, or use --precision bf16, a smaller size or batch, or fewer filters',
  });
}

/** The parts that meet the smallest limit, and that limit, bytes. */
function leastParts(graph: Graph, target: Target, hostBytes: number, dim: string) {
  let best: { readonly place: Place; readonly limit: number } | undefined;
  for (const place of placesOf(dim)) {
    const below = best && sayableLimit((1 - EXACTNESS) * best.limit);
    if (below !== undefined && processBytes(place.mesh.size) + hostBytes > below) break;
    const limit = leastMemory(graph, place.mesh, place.layout, target, { hostBytes, below });
    if (limit !== undefined) best = { place, limit };
  }
  return best ?? fail({ where: 'memory limit', problem: 'there is no plan of any size' });
}

function placesOf(dim: string): Place[] {
  return PARTS.map((parts) =>
    parts === 1
      ? { mesh: makeMesh({}), layout: {} }
      : { mesh: makeMesh({ [dim]: parts }), layout: { [dim]: dim } },
  );
}
