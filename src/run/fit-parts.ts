import { type Graph, HalomeshError, type Layout, type Mesh, mesh as makeMesh } from '../core/index.ts';
import { makePlan, type Plan, type PlanOptions, type Target } from '../plan/index.ts';

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
export interface FittedParts {
  readonly mesh: Mesh;
  readonly layout: Layout;
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
    if (!(error instanceof HalomeshError) || error.complaint.where !== 'memory limit') throw error;
    throw new HalomeshError({ ...error.complaint, problem: `${what} does not fit` }, { cause: error });
  }
}

/**
 * The mesh of fewest ranks, cutting one dimension (depth unless told), with which one process stays within a memory limit (bytes) in
 * each of some programs: its ranks run in turn and share an arena, so that parts of a volume give room to each other. Results do not
 * depend on it. Raises the plan's error where even the most parts do not fit.
 */
export function fitParts(
  programs: readonly FittedProgram[],
  target: Target,
  memoryLimit: number,
  dim = 'depth',
): FittedParts {
  const check = ({ mesh, layout }: FittedParts, thorough: boolean): void => {
    for (const program of programs) planOf(program, mesh, layout, target, { memoryLimit, thorough });
  };
  let tried: FittedParts | undefined;
  for (const parts of PARTS) {
    const place =
      parts === 1
        ? { mesh: makeMesh({}), layout: {} }
        : { mesh: makeMesh({ [dim]: parts }), layout: { [dim]: dim } };
    const last = parts === PARTS[PARTS.length - 1];
    try {
      check(place, last);
      return place;
    } catch (error) {
      const full = error instanceof HalomeshError && error.complaint.where === 'memory limit';
      if (full && last) throw error;
      if (!full) {
        // It cannot be cut further; what came before may fit after a long search, or says what it would take.
        if (tried === undefined) throw error;
        check(tried, true);
        return tried;
      }
      tried = place;
    }
  }
  throw new RangeError('unreachable: the last try returns or throws');
}
