import { fail, type Graph, HalomeshError, type Layout, type Mesh, mesh as makeMesh } from '../core/index.ts';
import { besideBytes, processBytes } from './memory/footprint.ts';
import { EXACTNESS, sayableLimit, showLimit } from './memory/limit-words.ts';
import { leastMemory, makePlan, type Plan, type PlanOptions } from './plan.ts';
import type { Target } from './target.ts';

/** Parts that are tried, from few to many: fewer margins, then less memory. */
const PARTS = [1, 2, 4, 8, 16];

/** A program that shall fit. */
export interface FittedProgram {
  readonly graph: Graph;
  /** Bytes of volumes that the process holds beside its tensors. */
  readonly hostBytes: number;
  /** What it does, for errors; absent where there is but one. */
  readonly what?: string;
}

/** Where a graph is cut. */
interface Place {
  readonly mesh: Mesh;
  readonly layout: Layout;
}

export interface FittedParts extends Place {
  /** Of the programs, in their order, with the limit: what else asks for them need not make them again. */
  readonly plans: readonly Plan[];
}

/** The plan of a program; where it does not fit, the error says which one it is. */
export function planOf(
  { graph, hostBytes, what = 'the program' }: FittedProgram,
  mesh: Mesh,
  layout: Layout,
  target: Target,
  options: Omit<PlanOptions, 'hostBytes'>,
): Plan {
  try {
    return makePlan(graph, mesh, layout, target, { ...options, hostBytes });
  } catch (error) {
    if (!isFull(error)) throw error;
    throw new HalomeshError({ ...error.complaint, problem: `${what} does not fit` }, { cause: error });
  }
}

const isFull = (error: unknown): error is HalomeshError =>
  error instanceof HalomeshError && error.complaint.where === 'memory limit';

/**
 * The mesh of fewest ranks, cutting one dimension (depth unless told), with which one process stays within a memory limit (bytes) in
 * each of some programs: its ranks run in turn and share an arena, so that parts of a volume give room to each other. Results do not
 * depend on it. Raises an error with the smallest limit that can be met, over all numbers of parts, where none fits.
 */
export function fitParts(
  programs: readonly FittedProgram[],
  target: Target,
  memoryLimit: number,
  dim = 'depth',
): FittedParts {
  const places = placesOf(dim);
  for (const [n, { mesh, layout }] of places.entries()) {
    // Less than a process of these ranks takes needs no plan.
    if (leastBeside(programs, mesh, target) > memoryLimit) continue;
    try {
      const plans = programs.map((program) =>
        planOf(program, mesh, layout, target, { memoryLimit, thorough: false }),
      );
      return { mesh, layout, plans };
    } catch (error) {
      if (isFull(error)) continue;
      // It cannot be cut further.
      if (n === 0) throw error;
      places.length = n;
      break;
    }
  }
  const { place, limit } = leastParts(programs, target, places);
  // Schedules are searched for by rules of thumb, which may meet a lower limit and miss a higher one.
  if (limit <= memoryLimit) {
    const { mesh, layout } = place;
    return { ...place, plans: programs.map((each) => planOf(each, mesh, layout, target, { memoryLimit })) };
  }
  const what = programs.length === 1 ? 'the program does' : 'the programs do';
  return fail({
    where: 'memory limit',
    problem: `${what} not fit, in however many parts`,
    expected: `at least ${showLimit(limit)}`,
    found: showLimit(memoryLimit),
    hint: 'Raise --memory-limit, or use --precision bf16, a smaller size or batch, or fewer filters',
  });
}

/** Bytes that a process of these ranks takes beside all tensors. */
const leastBeside = (programs: readonly FittedProgram[], { size }: Mesh, target: Target): number =>
  processBytes(target.spaces.tensors.fixedBytes, size) +
  Math.max(...programs.map(({ hostBytes }) => besideBytes(target, hostBytes)));

/** The parts that meet the smallest limit for all programs, and that limit, bytes. */
function leastParts(programs: readonly FittedProgram[], target: Target, places: readonly Place[]) {
  let best: { readonly place: Place; readonly limit: number } | undefined;
  for (const place of places) {
    const below = best && sayableLimit((1 - EXACTNESS) * best.limit);
    if (below !== undefined && leastBeside(programs, place.mesh, target) > below) break;
    const limits = programs.map(({ graph, hostBytes }) =>
      leastMemory(graph, place.mesh, place.layout, target, { hostBytes, below }),
    );
    if (limits.every((limit) => limit !== undefined)) best = { place, limit: Math.max(...limits) };
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
