import { fail } from '../../core/index.ts';
import type { Five } from '../formats/index.ts';
import type { Address } from './slabs.ts';

// Words of memory in which kernels leave what no host has seen yet: the first position whose label is no class, and the lowest such label.

/** As in print/printer.ts. */
const MIDDLE = 0x40000000;
const [BEYOND, NO_WHOLE_LABEL] = [0xfffffffe, 0x7fffffff];
const WORDS = 4;
/** Kinds of kernels that read labels. Each has a window, which begins at a multiple of 256 bytes. */
const [KINDS, STEP] = [256, 256];

interface Site {
  readonly what: string;
  readonly global: Five;
  readonly classes: number;
}

/** Where kernels leave what is wrong. */
export interface FaultWords {
  /** Words for the labels of a kernel; kernels that say the same share them. */
  word(what: string, global: Five, classes: number): Address;
}

/** Memory as faults need it. */
export interface FaultMemory {
  take(bytes: number): Address;
  give(address: Address, bytes: number): void;
  upload(address: Address, data: Uint8Array): void;
  download(address: Address, bytes: number): Promise<Uint8Array>;
}

export class Faults implements FaultWords {
  private readonly memory: FaultMemory;
  private address: Address | undefined;
  private readonly sites: Site[] = [];

  constructor(memory: FaultMemory) {
    this.memory = memory;
  }

  word(what: string, global: Five, classes: number): Address {
    if (this.address === undefined) {
      this.address = this.memory.take(STEP * KINDS);
      this.clear(this.address);
    }
    const same = (site: Site) =>
      site.what === what && site.classes === classes && site.global.every((x, i) => x === global[i]);
    let place = this.sites.findIndex(same);
    if (place < 0) place = this.sites.push({ what, global, classes }) - 1;
    if (place >= KINDS)
      fail({ where: 'device webgpu', problem: `more than ${KINDS} kinds of kernels that read labels` });
    return this.address + STEP * place;
  }

  /** Raises what kernels left, in the queue. */
  async check(): Promise<void> {
    if (this.address === undefined || this.sites.length === 0) return;
    const bytes = await this.memory.download(this.address, STEP * this.sites.length);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const place = this.sites.findIndex((_, i) => words[(STEP / 4) * i] !== 0xffffffff);
    if (place < 0 || this.address === undefined) return;
    this.clear(this.address);
    const { what, global, classes } = this.sites[place];
    const [first, code] = words.subarray((STEP / 4) * place, (STEP / 4) * place + WORDS);
    const label = code === NO_WHOLE_LABEL ? 'that is no whole number' : String(code - MIDDLE);
    fail({
      where: what,
      problem: `label ${label} ${placeOf(first, global)}: expected a whole number from 0 to ${classes - 1}`,
    });
  }

  close(): void {
    if (this.address !== undefined) this.memory.give(this.address, STEP * KINDS);
    this.address = undefined;
    this.sites.length = 0;
  }

  private clear(address: Address): void {
    this.memory.upload(address, new Uint8Array(STEP * KINDS).fill(255));
  }
}

/** The position of a number of an element without its channel. */
function placeOf(first: number, global: Five): string {
  if (first === BEYOND) return 'at a position beyond the first 2^32';
  let rest = first;
  const at = [0, 0, 0, 0];
  for (let i = 3; i >= 0; i--) {
    at[i] = rest % global[i];
    rest = Math.floor(rest / global[i]);
  }
  const [n, d, h, w] = at;
  return `at (n ${n}, d ${d}, h ${h}, w ${w})`;
}
