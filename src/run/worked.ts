import type { Device, Mark } from '../machine/index.ts';

/** How long a device works in a run, by its own clock: from when its inputs are there to the last result. */
export class Worked {
  private readonly device: Device;
  private last: { readonly before: Mark; readonly after: Mark } | undefined;

  constructor(device: Device) {
    this.device = device;
  }

  async during(run: () => Promise<void>): Promise<void> {
    const before = this.device.mark();
    await run();
    this.last = { before, after: this.device.mark() };
  }

  /** Of the last run, whose results have been read; 0 where there was none. */
  get seconds(): number {
    return this.last === undefined ? 0 : this.last.after.milliseconds(this.last.before) / 1000;
  }
}
