import type { Device, Launch, Memory } from '../machine/index.ts';
import type { StepPart } from './trace.ts';

/** Something that a rank does at a place of the schedule. */
export interface Action {
  /** The step that it is a part of, or the whole of. */
  readonly place: number;
  readonly part?: StepPart;
  readonly run: () => Promise<void> | void;
  /** What it asks the device for, where that is all. */
  readonly launch?: Launch;
}

export const launching = (launch: Launch, place: number, part?: StepPart): Action => ({
  place,
  part,
  run: () => launch.run(),
  launch,
});

/** Launches that nothing comes between. */
interface Stretch {
  readonly launches: readonly Launch[];
  recorded?: Launch;
}

/** The stretches of a rank's schedule that are launches alone, each asked for at once where a device records them. */
export class Recordings {
  private readonly device: Device;
  private readonly owner: Memory;
  /** By the place of its first launch. */
  private readonly first = new Map<number, Stretch>();
  private readonly covered = new Set<number>();

  /** `actions`: by place, what is done there, nothing where others take part. What is recorded is freed with `owner`. */
  constructor(device: Device, actions: readonly (readonly Action[])[], owner: Memory) {
    this.device = device;
    this.owner = owner;
    if (device.capture === undefined) return;
    const launches = actions.map((list) => {
      const found = list.flatMap(({ launch }) => launch ?? []);
      return list.length > 0 && found.length === list.length ? found : undefined;
    });
    for (let place = 0; place < launches.length; ) {
      let end = place;
      while (launches[end] !== undefined) end++;
      const all = launches.slice(place, end).flatMap((list) => list!);
      if (all.length > 1) {
        this.first.set(place, { launches: all });
        for (let at = place; at < end; at++) this.covered.add(at);
      }
      place = Math.max(end, place + 1);
    }
  }

  covers(place: number): boolean {
    return this.covered.has(place);
  }

  /** Asks for the stretch that begins at a covered place; nothing is left to do at its other places. */
  run(place: number): void {
    const stretch = this.first.get(place);
    if (stretch === undefined) return;
    stretch.recorded ??= this.device.capture!(stretch.launches, this.owner);
    stretch.recorded.run();
  }
}
