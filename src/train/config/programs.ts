import type { Graph } from '../../core/index.ts';
import type { Shape3 } from '../../imaging/index.ts';
import type { Plan } from '../../plan/index.ts';
import type { Loaded, LoadOptions, Session } from '../../run/index.ts';

/** Programs kept at most: data sets of many sizes would fill memory with launch arguments. */
const MOST_PROGRAMS = 16;

/** Keys of the programs of a training, by the voxels that one sees. */
export const stepKey = (size: Shape3, part: 'gather' | 'apply' = 'apply'): string =>
  `${part === 'gather' ? 'gather' : 'train'} ${size.join('x')}`;
export const passKey = (what: 'statistics' | 'validation', batch: number, size: Shape3): string =>
  `${what} ${batch}x${size.join('x')}`;

/** How programs are kept. */
export interface KeepOptions {
  /** Programs at most. */
  readonly most?: number;
  /** Plans that were made already, by key. */
  readonly plans?: ReadonlyMap<string, Plan>;
}

/**
 * Loaded programs of one session, one for each shape of volume. They share the session's arenas and variables; planning one
 * takes time, so the latest ones stay.
 */
export class Programs {
  private readonly session: Session;
  private readonly most: number;
  private readonly plans: ReadonlyMap<string, Plan>;
  private readonly loaded = new Map<string, Loaded>();

  constructor(session: Session, { most = MOST_PROGRAMS, plans = new Map() }: KeepOptions = {}) {
    this.session = session;
    this.most = most;
    this.plans = plans;
  }

  /**
   * The program of a key, loaded if it is not, from its plan where there is one; `hostBytes`: of the volumes that the process holds beside it; `region`: the boxes
   * that it computes, if not all.
   */
  async get(
    key: string,
    build: () => Graph | Plan,
    hostBytes?: number,
    region?: LoadOptions['region'],
  ): Promise<Loaded> {
    const load = () =>
      this.session.load(this.plans.get(key) ?? build(), { name: key, hostBytes, region, idleRanks: true });
    const program = this.loaded.get(key) ?? (await load());
    this.loaded.delete(key);
    this.loaded.set(key, program);
    for (const [other, old] of this.loaded) {
      if (this.loaded.size <= this.most) break;
      this.loaded.delete(other);
      old.free();
    }
    return program;
  }

  /** Keys from the one unused for longest to the newest. */
  get keys(): readonly string[] {
    return [...this.loaded.keys()];
  }

  /** Gives all memory of the programs back. */
  free(): void {
    for (const program of this.loaded.values()) program.free();
    this.loaded.clear();
  }
}
