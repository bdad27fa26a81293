import { fail } from '../../../core/index.ts';
import { type Place, presentIn } from '../../formats/index.ts';
import type { Row, RowInstruction } from '../../rows/index.ts';
import { operandPlace } from '../tensors.ts';
import type { Printer } from './printer.ts';
import type { Lanes } from './row-lanes.ts';
import type { View } from './views.ts';

// What statements of a row share while it is printed.

/** Names of the private variables that hold part `p` of sum `k` of a row: its larger and its smaller half. */
export const sumNames = (name: string, k: number, p: number): readonly [string, string] => [
  `${name}_sum${k}_${p}_high`,
  `${name}_sum${k}_${p}_low`,
];

/** A row in the making. */
export class RowContext {
  readonly to: Printer;
  readonly row: Row;
  readonly at: Lanes;
  readonly name: string;
  /** Members of the struct of what is loaded before all positions, and the statements that load them. */
  readonly fixed: string[] = [];
  readonly loads: string[] = [];
  /** Sums so far, in order. */
  readonly sums: RowInstruction[] = [];
  /** Views by operand. */
  private readonly views = new Map<number, { view: View; place: Place; present: boolean[] }>();

  constructor(to: Printer, row: Row, at: Lanes) {
    this.to = to;
    this.row = row;
    this.at = at;
    this.name = to.fresh('row');
  }

  /** Counts a sum; gives its number. */
  sum(instruction: RowInstruction): number {
    return this.sums.push(instruction) - 1;
  }

  viewOf(number: number) {
    const known = this.views.get(number);
    if (known !== undefined) return known;
    const operand = this.row.operands[number];
    if (operand.kind === 'vector') return fail({ where: 'device webgpu', problem: 'a vector is no tensor' });
    const { shape, slots } = this.row;
    const tensor = this.to.tensorOf(operand.value);
    const place = operandPlace(tensor, operand, shape, slots);
    const found = { view: this.to.view(tensor, place), place, present: presentIn(tensor.shape, slots) };
    this.views.set(number, found);
    return found;
  }

  /** A member that is loaded before all positions; gives its name. */
  keep(type: string, load: (into: string) => string): string {
    const kept = `k${this.fixed.length}`;
    this.fixed.push(`${kept}: ${type}, `);
    this.loads.push(`${load(`f.${kept}`)}\n`);
    return `f.${kept}`;
  }

  /** Row-major number of a position in the iteration, as (low, high). */
  position(): string {
    const g = this.to.globals(this.row);
    const by = (x: string, i: number, plus: string) =>
      `wide_add(wide_mul(${x}, u32(${g}_${i})), u32(${plus}))`;
    return by(by(by('vec2<u32>(u32(n), 0u)', 1, 'd'), 2, 'h'), 3, 'w');
  }

  /** Text of what a random instruction draws, at lane `l` of `index`. */
  drawn({ op, operand, imm, keys: [key0, key1] }: RowInstruction): {
    before: string;
    of: (l: number) => string;
  } {
    let step = '0u';
    if (operand >= 0) {
      const { view } = this.viewOf(operand);
      step = this.keep('u32', (into) => `${into} = u32(i32_of(${view.name}_get_wide(n, 0, 0, 0, 0)));`);
    }
    const before = `let index = wide_mul(${this.position()}, u32(${this.to.globals(this.row)}_4));`;
    const drawn = (l: number) => `${key0}u, ${key1}u, ${step}, wide_add(index, u32(c + ${l}))`;
    // Compared exactly, in units of 2^-24.
    const limit = Math.min(Math.max(Math.ceil(imm * 2 ** 24), 0), 2 ** 24);
    const of = {
      UNIFORM: (l: number) => `unit_of(random_bits(${drawn(l)}))`,
      NORMAL: (l: number) => `normal_of(${drawn(l)})`,
      BERNOULLI: (l: number) => `select(0.0, 1.0, (random_bits(${drawn(l)}) >> 8u) < ${limit}u)`,
    }[op as 'UNIFORM' | 'NORMAL' | 'BERNOULLI'];
    return { before, of };
  }
}
