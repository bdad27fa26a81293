import { fail } from '../../../core/index.ts';
import { type Place, SLOT_C } from '../../formats/index.ts';
import type { Row, RowInstruction, RowOp } from '../../rows/index.ts';
import { operandPlace, presentIn } from '../tensors.ts';
import { declare, eachPart, laneOf, literal, pack, partsOf, splat, structOf } from './lanes.ts';
import type { Printer } from './printer.ts';
import type { View } from './views.ts';
import { wideStatement } from './wide-row.ts';

// Rows printed as WGSL functions over the lanes of one position: the channels c to c + L - 1 of (n, d, h, w), of which `lanes` are
// there. What a row loads that is the same at every position is loaded once, by a function of its own.

/** Instructions on registers, part by part: A, B, C stand for the parts of the sources, I for the constant, W for the width. */
const EXPRESSIONS = {
  CONST: 'I', COPY: 'A', ADD: 'A + B', SUB: 'A - B', MUL: 'held_W(A * B)', DIV: 'held_W(A / B)', MIN: 'min_W(A, B)', MAX: 'max_W(A, B)',
  POW: 'pow_W(A, B)', FMA: 'fma(A, B, C)', NEG: '-A', ABS: 'abs(A)', SIGN: 'select(sign(A), A, nan_W(A))', SQUARE: 'held_W(A * A)',
  SQRT: 'sqrt(A)', RSQRT: 'held_W(ONE / sqrt(A))', RECIP: 'held_W(ONE / A)', EXP: 'exp_W(A)', LOG: 'log(A)',
  TANH: 'tanh_W(A)', SIGMOID: 'sigmoid_W(A)', FLOOR: 'floor(A)', LEAKY: 'select(held_W(I * A), A, A > ZERO)',
  LEAKY_GRAD: 'select(held_W(I * B), B, A > ZERO)', LT: 'select(ZERO, ONE, A < B)', LE: 'select(ZERO, ONE, A <= B)',
  EQ: 'select(ZERO, ONE, A == B)', SELECT: 'select(C, B, A != ZERO)', ROUND_BF16: 'bf16_W(A)',
  ROUND_F32: 'A', TRUNC: 'trunc(A)',
} as const satisfies Partial<Record<RowOp, string>>; // biome-ignore format: a table

/** Instructions that print more than an expression; with those above they are all. */
type Statement = Exclude<RowOp, keyof typeof EXPRESSIONS>;

/** Instructions that need all channels of a position at once. */
export const OVER_LANES: readonly RowOp[] = ['LANE', 'LABEL', 'SOFTMAX', 'LOG_SOFTMAX', 'LANE_SUM', 'ARGMAX'];
export const overLanes = ({ instructions }: Row): boolean =>
  instructions.some(({ op }) => OVER_LANES.includes(op));

/** Registers that lanes may take. */
const MOST_REGISTERS = 128;

/** What rows need: the first channel that they are asked for, how many there are, and lanes. */
export interface Lanes {
  readonly first: number;
  readonly channels: number;
  readonly lanes: number;
}

/** Lanes that a thread takes at once: what lies side by side, as far as registers reach. `others`: registers a lane beside the rows'. */
export function lanesOfRows(rows: readonly Row[], channels: number, others = 0): number {
  const has = (row: Row, ops: readonly RowOp[]) =>
    row.instructions.filter(({ op }) => ops.includes(op)).length;
  if (rows.some((row) => has(row, OVER_LANES) > 0)) return channels;
  if (rows.some(({ wide }) => wide)) return 1;
  const registers = rows.map((row) => row.registers + 2 * has(row, ['SUM']));
  const each = registers.reduce((sum, x) => sum + x, others);
  let lanes = 16;
  while (lanes > 1 && channels % lanes !== 0) lanes /= 2;
  // Few channels that no power of two divides, or an odd number of many.
  if (lanes < 4 && channels > lanes) lanes = Math.min(channels, 16);
  while (lanes > 1 && lanes * each > MOST_REGISTERS && lanes % 2 === 0) lanes /= 2;
  return lanes;
}

/** Whether `lanes` channels are whole fours that lie side by side. */
export function byFours(place: Place, { first, channels, lanes }: Lanes): boolean {
  if (lanes % 4 !== 0 || channels % lanes !== 0) return false;
  const [n, d, h, w, c] = place.stride;
  const inside = place.block === 1 ? c === 1 : place.block % 4 === 0 && c % 4 === 0;
  return inside && [n, d, h, w, first - place.start[SLOT_C]].every((step) => step % 4 === 0);
}

/** A printed row. */
export interface RowFunction {
  readonly name: string;
  readonly lanes: number;
  /** Its sums, in order. */
  readonly sums: readonly RowInstruction[];
  readonly wide: boolean;
}

/** Names of the private variables that hold part `p` of sum `k` of a row: its larger and its smaller half. */
export const sumNames = (name: string, k: number, p: number): readonly [string, string] => [
  `${name}_sum${k}_${p}_high`,
  `${name}_sum${k}_${p}_low`,
];

/**
 * Prints a row: `NAME_begin(n, c)` loads what is the same at every position; `NAME(f, n, d, h, w, c, lanes, x)` runs it, where x holds
 * the kernel's result before; it gives the value that is loaded, and sums grow in private variables.
 */
export function printRow(to: Printer, row: Row, at: Lanes): RowFunction {
  return new RowPrinter(to, row, at).print();
}

export class RowPrinter {
  readonly to: Printer;
  readonly row: Row;
  readonly at: Lanes;
  readonly name: string;
  private readonly fixed: string[] = [];
  private readonly loads: string[] = [];
  private readonly sums: RowInstruction[] = [];
  /** Views by operand. */
  private readonly views = new Map<number, { view: View; place: Place; present: boolean[] }>();

  constructor(to: Printer, row: Row, at: Lanes) {
    this.to = to;
    this.row = row;
    this.at = at;
    this.name = to.fresh('row');
  }

  print(): RowFunction {
    const { row, name, to } = this;
    const { lanes } = this.at;
    if (row.wide && lanes !== 1) fail({ where: 'device webgpu', problem: 'rows of pairs have one lane' });
    to.lanes(lanes);
    const body = row.instructions.map((instruction) =>
      row.wide ? wideStatement(this, instruction) : this.statement(instruction),
    );
    const parts = partsOf(lanes);
    const type = row.wide ? 'vec2<f32>' : structOf(lanes);
    const registers = Array.from({ length: row.registers }, (_, r) =>
      row.wide ? `var r${r} = vec2<f32>(0.0, 0.0);\n` : declare(`r${r}`, lanes),
    );
    const enter = row.input < 0 ? '' : row.wide ? `r${row.input} = x;` : eachPart(parts, (p) => `r${row.input}_${p} = x.p${p}; `);
    const leave = row.result < 0 ? 'x' : row.wide ? `r${row.result}` : pack(`r${row.result}`, lanes);
    const half = row.wide ? 'f32' : parts.width === 1 ? 'f32' : `vec${parts.width}<f32>`;
    const sums = this.sums.flatMap((_, k) =>
      Array.from({ length: parts.count }, (_, p) =>
        sumNames(name, k, p).map((one) => `var<private> ${one}: ${half};\n`),
      ).flat(),
    );
    to.functions.push(
      `${sums.join('')}struct ${name}_fixed { none: f32, ${this.fixed.join('')}}
fn ${name}_begin(n: i32, c: i32) -> ${name}_fixed {
var f: ${name}_fixed;
${this.loads.join('')}return f;
}
fn ${name}(f: ${name}_fixed, n: i32, d: i32, h: i32, w: i32, c: i32, lanes: i32, x: ${type}) -> ${type} {
${registers.join('')}${enter}
${body.join('\n')}
return ${leave};
}
`,
    );
    return { name, lanes, sums: this.sums, wide: row.wide };
  }

  /** Counts a sum; gives its number. */
  sum(instruction: RowInstruction): number {
    return this.sums.push(instruction) - 1;
  }

  private statement(instruction: RowInstruction): string {
    const { op, dst, src, imm } = instruction;
    const { lanes } = this.at;
    const parts = partsOf(lanes);
    const { width } = parts;
    if (op in EXPRESSIONS) {
      const text = EXPRESSIONS[op as keyof typeof EXPRESSIONS];
      return eachPart(parts, (p) => {
        const put = text.replace(/\b([ABCI]|ONE|ZERO)\b|_W\b/g, (word) => {
          if (word === '_W') return `_${width}`;
          if (word === 'I') return splat(width, literal(imm));
          if (word === 'ONE' || word === 'ZERO') return splat(width, word === 'ONE' ? '1.0' : '0.0');
          return `r${src['ABC'.indexOf(word)]}_${p}`;
        });
        return `r${dst}_${p} = ${put}; `;
      });
    }
    const [a] = src;
    const lane = (l: number) => laneOf(`r${a}`, parts, l);
    const all = Array.from({ length: lanes }, (_, l) => l);
    const top = `var top = ${lane(0)}; ${all.slice(1).map((l) => `top = larger_1(top, ${lane(l)}); `).join('')}`;
    const exps = `${top}${eachPart(parts, (p) => `let e_${p} = exp_${width}(r${a}_${p} - ${splat(width, 'top')}); `)}var sum = ${laneOf('e', parts, 0)}; ${all
      .slice(1)
      .map((l) => `sum += ${laneOf('e', parts, l)}; `)
      .join('')}`;
    const every = (value: string) => eachPart(parts, (p) => `r${dst}_${p} = ${splat(width, value)}; `);
    const statement = op as Statement;
    switch (statement) {
      case 'LOAD':
        return this.load(instruction);
      case 'STORE':
        return this.store(instruction);
      case 'SUM': {
        const k = this.sum(instruction);
        return eachPart(parts, (p) => {
          const [high, low] = sumNames(this.name, k, p);
          return `{ let x = r${a}_${p}; let t = held_${width}(${high} + x); let b = held_${width}(t - ${high});
${low} += held_${width}(${high} - held_${width}(t - b)) + held_${width}(x - b); ${high} = t; }
`;
        });
      }
      case 'UNIFORM':
      case 'NORMAL':
      case 'BERNOULLI':
        return this.draw(instruction);
      case 'LANE':
        return all.map((l) => `${laneOf(`r${dst}`, parts, l)} = f32(c + ${l}); `).join('');
      case 'LABEL':
        this.to.needsFault(this.row, imm);
        return `check_label(${lane(0)}, ${imm}, ${this.position()}); ${eachPart(parts, (p) => `r${dst}_${p} = r${a}_${p}; `)}`;
      case 'SOFTMAX':
        return `{ ${exps}${eachPart(parts, (p) => `r${dst}_${p} = held_${width}(e_${p} / ${splat(width, 'sum')}); `)}}`;
      case 'LOG_SOFTMAX':
        return `{ ${exps}let whole = log(sum); ${eachPart(parts, (p) => `r${dst}_${p} = (r${a}_${p} - ${splat(width, 'top')}) - ${splat(width, 'whole')}; `)}}`;
      case 'LANE_SUM':
        return `{ let sum = ${all.map(lane).join(' + ')}; ${every('sum')}}`;
      case 'ARGMAX':
        return `{ var top = ${lane(0)}; var best = 0.0; ${all
          .slice(1)
          .map((l) => `if (${lane(l)} > top) { top = ${lane(l)}; best = ${l}.0; } `)
          .join('')}${every('best')}}`;
      default:
        return statement satisfies never;
    }
  }

  /** What keeps lanes that are not there out. */
  private guard(l: number, text: string): string {
    return this.at.channels % this.at.lanes === 0 ? text : `if (${l} < lanes) { ${text} } `;
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

  private load({ dst, operand: number }: RowInstruction): string {
    const { lanes } = this.at;
    const parts = partsOf(lanes);
    const operand = this.row.operands[number];
    if (operand.kind === 'vector')
      return Array.from(
        { length: lanes },
        (_, l) => `${laneOf(`r${dst}`, parts, l)} = ${literal(operand.values[l] ?? 0)}; `,
      ).join('');
    const { view, place, present } = this.viewOf(number);
    const moves = present[1] || present[2] || present[3];
    const where = `n, ${moves ? 'd, h, w' : '0, 0, 0'}`;
    const read = (into: string): string => {
      if (!present[SLOT_C])
        return `{ let t = ${view.name}_get(${where}, 0); ${eachPart(parts, (p) => `${into}_${p} = ${splat(parts.width, 't')}; `)}}`;
      if (byFours(place, this.at) && (view.dtype === 'f32' || view.dtype === 'bf16')) {
        view.fours = true;
        return eachPart(parts, (p) => `${into}_${p} = ${view.name}_get4(${where}, c + ${4 * p}); `);
      }
      return Array.from({ length: lanes }, (_, l) =>
        this.guard(l, `${laneOf(into, parts, l)} = ${view.name}_get(${where}, c + ${l}); `),
      ).join('');
    };
    if (moves) return read(`r${dst}`);
    const type = parts.width === 1 ? 'f32' : `vec${parts.width}<f32>`;
    const stem = `k${this.views.size}_${number}`;
    for (let p = 0; p < parts.count; p++) this.fixed.push(`${stem}_${p}: ${type}, `);
    this.loads.push(`${read(`f.${stem}`)}\n`);
    return eachPart(parts, (p) => `r${dst}_${p} = f.${stem}_${p}; `);
  }

  private store({ src: [a], operand: number }: RowInstruction): string {
    const { lanes } = this.at;
    const parts = partsOf(lanes);
    const { view, place, present } = this.viewOf(number);
    const where = 'n, d, h, w';
    if (!present[SLOT_C]) {
      view.singles = true;
      return `${view.name}_put(${where}, 0, r${a}_0${parts.width === 1 ? '' : '[0]'});`;
    }
    const fours = byFours(place, this.at) && (view.dtype === 'f32' || view.dtype === 'bf16');
    if (fours) view.fours = true;
    else view.singles = true;
    const each = fours
      ? eachPart(parts, (p) => `${view.name}_put4(${where}, c + ${4 * p}, r${a}_${p}); `)
      : Array.from({ length: lanes }, (_, l) =>
          this.guard(l, `${view.name}_put(${where}, c + ${l}, ${laneOf(`r${a}`, parts, l)}); `),
        ).join('');
    if (this.row.operands[number].kind !== 'part') return each;
    const end = this.to.int('end', place.start[SLOT_C] + place.size[SLOT_C]);
    return `if (c >= a.${view.name}_c && c < ${end}) { ${each} }`;
  }

  /** Row-major number of a position in the iteration, as (low, high). */
  position(): string {
    const g = this.to.globals(this.row);
    const by = (x: string, i: number, plus: string) => `wide_add(wide_mul(${x}, u32(${g}_${i})), u32(${plus}))`;
    return by(by(by('vec2<u32>(u32(n), 0u)', 1, 'd'), 2, 'h'), 3, 'w');
  }

  /** Text of what a random instruction draws, at lane `l` of `index`. */
  drawn({ op, operand, imm, keys: [key0, key1] }: RowInstruction): { before: string; of: (l: number) => string } {
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

  private draw(instruction: RowInstruction): string {
    const { lanes } = this.at;
    const { before, of } = this.drawn(instruction);
    const each = Array.from(
      { length: lanes },
      (_, l) => `${laneOf(`r${instruction.dst}`, partsOf(lanes), l)} = ${of(l)}; `,
    );
    return `{ ${before} ${each.join('')}}`;
  }
}
