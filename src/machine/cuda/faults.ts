import { fail } from '../../core/index.ts';
import type { Five } from '../formats/index.ts';
import type { Address, Driver } from './driver.ts';

// Words of device memory in which kernels leave what no host has seen yet: the first position whose label is no class.

/** As in native/cuda/threads.h. */
const [LABEL_BITS, LABEL_MIDDLE, NO_WHOLE_LABEL] = [20n, 1 << 19, (1 << 20) - 1];
const WORDS = 1024;
const NONE = 2n ** 64n - 1n;

interface Site {
  readonly what: string;
  readonly global: Five;
  readonly classes: number;
}

/** Where kernels leave what is wrong. */
export interface FaultWords {
  /** A word for the labels of a kernel; kernels that say the same share one. */
  word(what: string, global: Five, classes: number): Address;
}

export class Faults implements FaultWords {
  private readonly driver: Driver;
  private address: Address | undefined;
  private readonly sites: Site[] = [];

  constructor(driver: Driver) {
    this.driver = driver;
  }

  word(what: string, global: Five, classes: number): Address {
    if (this.address === undefined) {
      this.address = this.driver.allocate(8 * WORDS);
      this.clear(this.address);
    }
    const same = (site: Site) =>
      site.what === what && site.classes === classes && site.global.every((x, i) => x === global[i]);
    let place = this.sites.findIndex(same);
    if (place < 0) place = this.sites.push({ what, global, classes }) - 1;
    if (place >= WORDS)
      fail({ where: 'device cuda', problem: `more than ${WORDS} kinds of kernels that read labels` });
    return this.address + 8 * place;
  }

  /** Raises what kernels left, in the queue. */
  async check(): Promise<void> {
    if (this.address === undefined) return;
    const bytes = await this.driver.download(this.address, 8 * this.sites.length);
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, this.sites.length);
    const place = words.findIndex((word) => word !== NONE);
    if (place < 0) return;
    this.clear(this.address);
    const { what, global, classes } = this.sites[place];
    const code = Number(words[place] & BigInt(NO_WHOLE_LABEL));
    let position = Number(words[place] >> LABEL_BITS);
    const at = ['n', 'd', 'h', 'w'].map(() => 0);
    for (let i = 3; i >= 0; i--) {
      at[i] = position % global[i];
      position = Math.floor(position / global[i]);
    }
    const label = code === NO_WHOLE_LABEL ? 'that is no whole number' : String(code - LABEL_MIDDLE);
    const [n, d, h, w] = at;
    fail({
      where: what,
      problem: `label ${label} at (n ${n}, d ${d}, h ${h}, w ${w}): expected a whole number from 0 to ${classes - 1}`,
    });
  }

  close(): void {
    if (this.address !== undefined) this.driver.free(this.address);
    this.address = undefined;
    this.sites.length = 0;
  }

  private clear(address: Address): void {
    this.driver.upload(address, new Uint8Array(8 * WORDS).fill(255));
  }
}
