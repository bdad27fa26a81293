import type { Graph } from '../../core/index.ts';
import type { Loaded, LoadOptions, Session } from '../../run/index.ts';

/** Programs kept at most: data sets of many sizes would fill memory with launch arguments. */
const MOST_PROGRAMS = 16;

/**
 * Loaded programs of one session, one for each shape of volume. They share the session's arenas and variables; planning one
 * takes time, so the latest ones stay.
 */
export class Programs {
  private readonly session: Session;
  private readonly most: number;
  private readonly loaded = new Map<string, Loaded>();

  constructor(session: Session, most = MOST_PROGRAMS) {
    this.session = session;
    this.most = most;
  }

  /**
   * The program of a key, loaded if it is not; `hostBytes`: of the volumes that the process holds beside it; `region`: the boxes
   * that it computes, if not all.
   */
  async get(
    key: string,
    build: () => Graph,
    hostBytes?: number,
    region?: LoadOptions['region'],
  ): Promise<Loaded> {
    const program =
      this.loaded.get(key) ?? (await this.session.load(build(), { name: key, hostBytes, region }));
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
