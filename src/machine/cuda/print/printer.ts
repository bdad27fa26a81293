import { createHash } from 'node:crypto';
import type { LocalValue } from '../../../plan/index.ts';
import { type Five, five, type Place, type Region } from '../../formats/index.ts';
import type { Row } from '../../rows/index.ts';
import { Arguments, type Use, useOf } from '../arguments.ts';
import type { Address, KernelSource } from '../driver.ts';
import type { FaultWords } from '../faults.ts';
import type { CudaTensor } from '../tensors.ts';

/** Threads of a block: `block_threads` of native/cuda/threads.h. */
export const THREADS = 256;

/** Of memory whose order does not matter: the lowest of what is written stays, or nothing is written. */
const NOWHERE = useOf({ address: 0, bytes: 0 });

/** A kernel in the making: functions, arguments and their names. Sizes and addresses are arguments, so that equal layers share code. */
export class Printer {
  readonly args = new Arguments();
  readonly functions: string[] = [];
  readonly tensorOf: (value: LocalValue) => CudaTensor;
  barriers = false;
  /** What the kernel does and how, in a few words; for those who read its text. */
  title = '';
  private readonly faults: FaultWords;
  private readonly what: string;
  private count = 0;
  private readonly known = new Map<string, string>();
  /** Of views, by name. */
  private readonly uses = new Map<string, Use>();

  constructor(tensorOf: (value: LocalValue) => CudaTensor, faults: FaultWords, what: string) {
    this.tensorOf = tensorOf;
    this.faults = faults;
    this.what = what;
  }

  /** A name that nothing else has. */
  fresh(stem: string): string {
    return `${stem}${this.count++}`;
  }

  /** True the first time that it is asked for a key. */
  once(key: string): boolean {
    const first = !this.known.has(key);
    this.known.set(key, key);
    return first;
  }

  /** Says of a view that it is written, too. */
  written(name: string): void {
    const use = this.uses.get(name);
    if (use !== undefined) use.writes = true;
  }

  /** A view among the arguments. */
  view(tensor: CudaTensor, place: Place, present: readonly boolean[]): string {
    const name = this.fresh('t');
    const use = useOf(tensor);
    this.args.view(name, tensor.dtype, tensor.address, place, present, use);
    this.uses.set(name, use);
    return name;
  }

  long(stem: string, value: number): string {
    const name = this.fresh(stem);
    this.args.long(name, value);
    return name;
  }

  longs(stem: string, values: readonly number[]): string {
    const name = this.fresh(stem);
    this.args.longs(name, values);
    return name;
  }

  /** A pointer to what no launch writes. */
  pointer(stem: string, type: string, address: Address): string {
    const name = this.fresh(stem);
    this.args.pointer(name, type, address, NOWHERE);
    return name;
  }

  /** Extents of a row's iteration. */
  globals({ shape, slots }: Pick<Row, 'shape' | 'slots'>): string {
    const values = five(shape, slots, (i) => shape[i].size, 1);
    const key = `globals ${values.join(' ')}`;
    const name = this.known.get(key) ?? this.longs('global', values);
    this.known.set(key, name);
    return name;
  }

  /** The word that keeps a bad label, as `fault` among the arguments. */
  needsFault(region: Pick<Region, 'shape' | 'slots'>, classes: number): void {
    if (this.known.has('fault')) return;
    const global = five(region.shape, region.slots, (i) => region.shape[i].size, 1);
    this.args.pointer('fault', 'u64', this.faults.word(this.what, global as Five, classes), NOWHERE);
    this.known.set('fault', 'fault');
  }

  /** The finished source around the body of the kernel; `head` comes before all else. */
  source(body: string, { head = '', together = 1, threads = THREADS, shared }: Shape = {}): KernelSource {
    const text =
      `${this.title === '' ? '' : `// ${this.title}\n`}${head}struct Args {\n${this.args.members}};\n${this.functions.join('')}` +
      `HM_KERNELS(${threads === THREADS ? 'block_threads' : threads}, ${together}) KERNEL(const HM_CONST Args a) {\n${body}}\n`;
    return { ...named(text, this.barriers), threads, ...(shared === undefined ? {} : { shared }) };
  }
}

/** What a kernel is besides its body. */
interface Shape {
  readonly head?: string;
  /** Blocks that share the registers of a multiprocessor. */
  readonly together?: number;
  readonly threads?: number;
  /** Bytes of shared memory that a launch asks for. */
  readonly shared?: number;
}

/** A source with the name that its text gives it; what its first line says of it comes first, for those who look at a profile. */
export function named(text: string, barriers: boolean): KernelSource {
  const [said = ''] = /(?<=^\/\/ )[^\n]*/.exec(text) ?? [];
  const words = said
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 40);
  const name = `hm_${words}_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
  return { name, text: text.replaceAll('KERNEL(const', `${name}(const`), threads: THREADS, barriers };
}
