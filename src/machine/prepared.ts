import type { Launch } from './device.ts';

interface Entry {
  launch?: Launch;
  readonly next: WeakMap<object, Entry>;
}

/** Launches that were prepared for the same objects before, such as a plan and its tensors. They go with the objects. */
export class Prepared {
  private readonly first = new WeakMap<object, Entry>();

  of(objects: readonly object[], prepare: () => Launch): Launch {
    let map = this.first;
    let entry: Entry | undefined;
    for (const object of objects) {
      entry = map.get(object) ?? { next: new WeakMap() };
      map.set(object, entry);
      map = entry.next;
    }
    if (entry === undefined) return prepare();
    entry.launch ??= prepare();
    return entry.launch;
  }
}
