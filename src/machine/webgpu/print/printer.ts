import type { DType } from '../../../core/index.ts';
import type { LocalValue } from '../../../plan/index.ts';
import { type Five, five, type Place, type Region } from '../../formats/index.ts';
import type { Row } from '../../rows/index.ts';
import { Arguments } from '../arguments.ts';
import type { FaultWords } from '../faults.ts';
import type { Address } from '../slabs.ts';
import type { Step } from '../step.ts';
import { type GpuTensor, WORDS } from '../tensors.ts';
import { type WindowLimits, windowsOf, windowWith } from '../windows.ts';
import { structText } from './lanes.ts';
import { functionsFor } from './library.ts';
import { accessText, type Element, type View, viewText } from './views.ts';

/** Threads of a workgroup. */
export const THREADS = 256;
/** Most workgroups along a dimension of a dispatch. */
export const MOST_ALONG = 65535;

/** A kernel in the making: functions, arguments, views of memory and their names. Sizes and places are arguments, so that equal layers share code. */
export class Printer {
  readonly args = new Arguments();
  readonly functions: string[] = [];
  readonly tensorOf: (value: LocalValue) => GpuTensor;
  /** What the kernel does and how, in a few words; for those who read its text. */
  title = '';
  private readonly faults: FaultWords;
  private readonly limits: WindowLimits;
  private readonly what: string;
  private readonly views: View[] = [];
  private fault: Address | undefined;
  private count = 0;
  private readonly known = new Map<string, string>();

  constructor(making: {
    readonly tensorOf: (value: LocalValue) => GpuTensor;
    readonly faults: FaultWords;
    readonly limits: WindowLimits;
    readonly what: string;
  }) {
    this.tensorOf = making.tensorOf;
    this.faults = making.faults;
    this.limits = making.limits;
    this.what = making.what;
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

  /**
   * Functions over a tensor: `NAME_get(n, d, h, w, c)` and `NAME_put(..., x)` in float32, `NAME_get_wide` and `NAME_put_wide` as pairs,
   * `NAME_get4` and `NAME_put4` for four channels that lie side by side, `NAME_at` the word of an element.
   */
  view(tensor: Pick<GpuTensor, 'address' | 'bytes' | 'dtype'>, place: Place): View {
    const name = this.fresh('t');
    const { address, bytes, dtype } = tensor;
    const view: View = { name, address, bytes, dtype, place, window: 0, fours: false, singles: false };
    const words = WORDS[dtype];
    const [n, d, h, w, c] = place.stride.map((x) => x * words);
    const start = place.start.slice(0, 4).reduce((sum, x, i) => sum + x * place.stride[i] * words, 0);
    this.args.int(`${name}_o`, () => (address - this.windowAddress(view)) / 4 - start);
    this.args.ints(`${name}_s`, [n, d, h, w, c]);
    this.args.int(`${name}_c`, place.start[4]);
    this.views.push(view);
    return view;
  }

  /** Functions over elements one after the other: `NAME_get(i)` and the like. */
  line(address: Address, count: number, dtype: DType): string {
    const name = this.fresh('l');
    const bytes = 4 * WORDS[dtype] * count;
    const view: View = {
      name,
      address,
      bytes,
      dtype,
      place: undefined,
      window: 0,
      fours: false,
      singles: true,
    };
    this.args.int(`${name}_o`, () => (address - this.windowAddress(view)) / 4);
    this.views.push(view);
    return name;
  }

  /** The window of a view, which is known when the kernel is finished. */
  windowOf(view: View): string {
    return `<window of ${view.name}>`;
  }

  private bound: readonly { readonly address: Address; readonly bytes: number }[] = [];
  private readonly windowAddress = (view: View): Address => this.bound[view.window].address;

  int(stem: string, value: number): string {
    const name = this.fresh(stem);
    this.args.int(name, value);
    return `a.${name}`;
  }

  /** Arguments `a.NAME_0` and so on; gives `a.NAME`. */
  ints(stem: string, values: readonly number[]): string {
    const name = this.fresh(stem);
    this.args.ints(name, values);
    return `a.${name}`;
  }

  /** Extents of a row's iteration. */
  globals({ shape, slots }: Pick<Row, 'shape' | 'slots'>): string {
    const values = five(shape, slots, (i) => shape[i].size, 1);
    const key = `globals ${values.join(' ')}`;
    const name = this.known.get(key) ?? this.ints('global', values);
    this.known.set(key, name);
    return name;
  }

  /** The struct of so many lanes. */
  lanes(lanes: number): void {
    if (this.once(`lanes ${lanes}`)) this.functions.push(structText(lanes));
  }

  /** The words that keep a bad label, which `check_label` writes. */
  needsFault(region: Pick<Region, 'shape' | 'slots'>, classes: number): void {
    if (this.fault !== undefined) return;
    const global = five(region.shape, region.slots, (i) => region.shape[i].size, 1);
    this.fault = this.faults.word(this.what, global as Five, classes);
    this.functions.push(CHECK_LABEL);
  }

  /** A launch of the kernel with this body, in as many workgroups. `block` is the number of a workgroup, `thread` that of a thread in it. */
  step(
    body: string,
    blocks: number,
    { threads = THREADS, head = '' }: { readonly threads?: number; readonly head?: string } = {},
  ): Step {
    const limits =
      this.fault === undefined ? this.limits : { ...this.limits, windows: this.limits.windows - 1 };
    const windows = windowsOf(this.views, limits, this.what);
    this.bound = windows;
    for (const view of this.views) view.window = windowWith(windows, view);
    const elements = windows.map((_, number) =>
      elementOf(this.views.filter(({ window }) => window === number)),
    );
    this.args.int('blocks', blocks);
    const bindings = elements.map(
      (element, i) => `@group(0) @binding(${i + 1}) var<storage, read_write> m${i}: array<${element}>;\n`,
    );
    if (this.fault !== undefined)
      bindings.push(
        `@group(0) @binding(${windows.length + 1}) var<storage, read_write> faults: array<atomic<u32>>;\n`,
      );
    const access = this.views
      .map((view) => viewText(view) + accessText(view, elements[view.window]))
      .join('');
    const own = `${head}${this.functions.join('')}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) thread_u: u32) {
  let block = i32(group.x + group.y * groups.x);
  let thread = i32(thread_u);
  if (block >= a.blocks) { return; }
${body.replace(/<window of (\w+)>/g, (_, name) => `m${this.views.find((view) => view.name === name)!.window}`)}}
`;
    const text = `${this.title === '' ? '' : `// ${this.title}\n`}struct Args {
${this.args.members}}
@group(0) @binding(0) var<uniform> a: Args;
${bindings.join('')}${functionsFor(own, access)}${own}`;
    return {
      text,
      blocks,
      args: this.args.bytes(),
      windows: this.fault === undefined ? windows : [...windows, { address: this.fault, bytes: 16 }],
    };
  }
}

/** How a window is seen: by fours where nothing in it is written alone. */
function elementOf(views: readonly View[]): Element {
  if (views.some(({ dtype, raw }) => raw || (dtype !== 'f32' && dtype !== 'bf16'))) return 'u32';
  return views.some(({ fours }) => fours) && views.every(({ singles }) => !singles) ? 'vec4<f32>' : 'f32';
}

/** As in faults.ts. */
const CHECK_LABEL = `fn check_label(said: f32, classes: i32, position: vec2<u32>) {
  if (said >= 0.0 && said < f32(classes) && trunc(said) == said) { return; }
  let told = said >= -262144.0 && said <= 262144.0 && trunc(said) == said;
  atomicMin(&faults[0], select(position.x, 0xfffffffeu, position.y > 0u));
  atomicMin(&faults[1], u32(select(0x7fffffff, i32(said) + 0x40000000, told)));
}
`;
