import { totalmem } from 'node:os';
import type { Graph } from '../core/index.ts';
import type { Loaded, Session } from '../run/index.ts';

/** Half of the memory that this process may use, bytes. */
export function halfOfMemory(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  return (constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()) / 2;
}

/**
 * Loaded programs of one session, one for each shape of volume. Their arenas are large, so only as many stay as fit a number
 * of bytes; the one unused for longest goes first, and at least the newest stays. All share the session's variables.
 */
export class Programs {
  private readonly session: Session;
  private readonly limitBytes: number;
  private readonly loaded = new Map<string, Loaded>();

  constructor(session: Session, limitBytes = halfOfMemory()) {
    this.session = session;
    this.limitBytes = limitBytes;
  }

  /** The program of a key, loaded if it is not. */
  get(key: string, build: () => Graph): Loaded {
    const program = this.loaded.get(key) ?? this.session.load(build());
    this.loaded.delete(key);
    this.loaded.set(key, program);
    for (const [other, old] of this.loaded) {
      if (this.bytes <= this.limitBytes || old === program) break;
      this.loaded.delete(other);
      old.free();
    }
    return program;
  }

  /** Keys from the one unused for longest to the newest. */
  get keys(): readonly string[] {
    return [...this.loaded.keys()];
  }

  /** Bytes of all arenas. */
  get bytes(): number {
    let sum = 0;
    for (const { plan } of this.loaded.values()) for (const bytes of plan.memory.arenaBytes) sum += bytes;
    return sum;
  }

  /** Gives all arenas back. */
  free(): void {
    for (const program of this.loaded.values()) program.free();
    this.loaded.clear();
  }
}
