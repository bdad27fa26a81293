import { type DType, printable } from '../core/index.ts';
import { type Element, list, literal, type Tensor, typeOf, typeText } from './types.ts';

/** How a reduction joins two numbers. */
export type Join = 'add' | 'maximum' | 'minimum';

/** What float64 of a graph becomes. */
export type Wide = 'f64' | 'f32';

/**
 * The lines of one function, one an operation, in the form that StableHLO's own printer gives: names, constants, and what lines of
 * all operations share. Equal constants are written once.
 */
export class Lines {
  readonly lines: string[] = [];
  readonly wide: Wide;
  private next = 0;
  private channels = 0;
  private scoped = '';
  private readonly constants = new Map<string, Tensor>();

  constructor(wide: Wide = 'f64') {
    this.wide = wide;
  }

  /** How elements of a graph's tensor are written. */
  elementOf(dtype: DType): DType {
    return dtype === 'f64' ? this.wide : dtype;
  }

  /** A name that no result has. */
  fresh(element: Element, sizes: readonly number[]): Tensor {
    return { id: `%${this.next++}`, element, sizes };
  }

  /** Says of which part of the model the lines are that come, where that is another one. */
  scope(name: string): void {
    if (name === this.scoped) return;
    this.scoped = name;
    this.lines.push(`// ${printable(name)}`);
  }

  /** A new channel, of which every collective has its own. */
  protected channel(): string {
    return `channel_handle = #stablehlo.channel_handle<handle = ${++this.channels}, type = 1>`;
  }

  protected emit(element: Element, sizes: readonly number[], text: string): Tensor {
    const made = this.fresh(element, sizes);
    this.lines.push(`${made.id} = ${text}`);
    return made;
  }

  /** From tensors of other types: the types of all are told. */
  protected made(element: Element, sizes: readonly number[], text: string, from: readonly Tensor[]): Tensor {
    return this.emit(
      element,
      sizes,
      `${text} : (${from.map(typeOf).join(', ')}) -> ${typeText(element, sizes)}`,
    );
  }

  private constantOf(element: Element, sizes: readonly number[], dense: string): Tensor {
    const text = `stablehlo.constant dense<${dense}> : ${typeText(element, sizes)}`;
    const known = this.constants.get(text);
    if (known) return known;
    const made = this.emit(element, sizes, text);
    this.constants.set(text, made);
    return made;
  }

  /** One number everywhere. */
  constant(element: Element, value: number, sizes: readonly number[] = []): Tensor {
    return this.constantOf(element, sizes, literal(element, value));
  }

  /** Given numbers, row-major. */
  table(element: Element, sizes: readonly number[], values: readonly number[]): Tensor {
    const rows = (at: number, from: number): string => {
      if (at === sizes.length) return literal(element, values[from]);
      const step = sizes.slice(at + 1).reduce((n, size) => n * size, 1);
      return list(Array.from({ length: sizes[at] }, (_, i) => rows(at + 1, from + i * step)));
    };
    return this.constantOf(element, sizes, rows(0, 0));
  }

  /** An operation with a region that joins two numbers. */
  protected joining(head: string, element: Element, join: Join): void {
    const scalar = typeText(element, []);
    const [a, b, both] = [this.fresh(element, []), this.fresh(element, []), this.fresh(element, [])];
    this.lines.push(
      `${head} ({`,
      `^bb0(${a.id}: ${scalar}, ${b.id}: ${scalar}):`,
      `  ${both.id} = stablehlo.${join} ${a.id}, ${b.id} : ${scalar}`,
      `  stablehlo.return ${both.id} : ${scalar}`,
    );
  }
}
