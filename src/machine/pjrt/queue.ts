import { fail } from '../../core/index.ts';
import type { Mark } from '../device.ts';
import type { Client, EventAddress } from './client.ts';

/** Programs that may be under way at once: what each of them makes is in memory. */
const MOST_UNDER_WAY = 16;

/** The one queue of the device: work is begun in the order it is asked for. What goes wrong is kept, and raised where one waits. */
export class Queue {
  private tail: Promise<void>;
  private error: unknown;
  private failed = false;
  private readonly underWay: { readonly event: EventAddress; readonly about: string }[] = [];
  private readonly opening: Promise<Client>;

  constructor(opening: Promise<Client>) {
    this.opening = opening;
    this.tail = opening.then(
      () => undefined,
      (error: unknown) => this.keep(error),
    );
  }

  private raise(): void {
    if (this.failed) throw this.error;
  }

  private keep(error: unknown): void {
    if (!this.failed) this.error = error;
    this.failed = true;
  }

  /** Does it when all is begun that was asked for before; nothing is begun after a failure. */
  ask(work: (client: Client) => Promise<void> | void): void {
    this.tail = this.tail.then(async () => {
      if (this.failed) return;
      try {
        await work(await this.opening);
      } catch (error) {
        this.keep(error);
      }
    });
  }

  /** Does it even after a failure: gives back what was made. Nothing is done where no client was had. */
  atEnd(work: (client: Client) => Promise<void> | void): void {
    this.tail = this.tail.then(async () => {
      try {
        await work(await this.opening);
      } catch (error) {
        this.keep(error);
      }
    });
  }

  /** The same with a result; raises what went wrong. */
  get<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.ask(async (client) => resolve(await work(client)));
      this.tail = this.tail.then(() => {
        if (this.failed) reject(this.error);
      });
    });
  }

  /** Takes note of a program that was begun; waits for earlier ones where there are many. */
  async begun(client: Client, event: EventAddress, about: string): Promise<void> {
    this.underWay.push({ event, about });
    while (this.underWay.length > 0 && client.reached(this.underWay[0].event)) await this.first(client);
    if (this.underWay.length > MOST_UNDER_WAY) await this.first(client);
  }

  private async first(client: Client): Promise<void> {
    const { event, about } = this.underWay.shift()!;
    await client.settled(event, about).catch((error: unknown) => this.keep(error));
  }

  /** Waits for all that was begun. */
  async settle(client: Client): Promise<void> {
    while (this.underWay.length > 0) await this.first(client);
  }

  mark(): Mark {
    let at: number | undefined;
    const passing = this.get(async (client) => {
      await this.settle(client);
      this.raise();
      at = performance.now();
    });
    // Raised where one waits.
    passing.catch(() => undefined);
    const mark: Mark & { readonly at: () => number } = {
      at: () => at ?? fail({ where: 'device pjrt', problem: 'a mark that was not passed has no time' }),
      passed: () => at !== undefined,
      wait: () => passing,
      milliseconds: (since) => mark.at() - (since as typeof mark).at(),
    };
    return mark;
  }
}
