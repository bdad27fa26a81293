import { fail } from '../../../core/index.ts';
import { type Place, presentIn, SLOT_C } from '../../formats/index.ts';
import type { Row, RowInstruction, RowOp } from '../../rows/index.ts';
import { operandPlace } from '../tensors.ts';
import type { Printer } from './printer.ts';

// Rows printed as C++ functions over the lanes of one position: the channels c to c + V - 1 of (n, d, h, w), of which `lanes` are
// there. What a row loads that is the same at every position is loaded once, by a function of its own.

/** Instructions on registers, lane by lane: A, B, C stand for the lanes of the sources, I for the constant. */
const EXPRESSIONS = {
  CONST: 'I', COPY: 'A', ADD: 'A + B', SUB: 'A - B', MUL: 'A * B', DIV: 'A / B', MIN: 'min_of(A, B)', MAX: 'max_of(A, B)',
  POW: 'pow_of(A, B)', FMA: 'fma_of(A, B, C)', NEG: '-A', ABS: 'abs_of(A)', SIGN: 'sign_of(A)', SQUARE: 'A * A',
  SQRT: 'sqrt_of(A)', RSQRT: '(Real)1 / sqrt_of(A)', RECIP: '(Real)1 / A', EXP: 'exp_of(A)', LOG: 'log_of(A)',
  TANH: 'tanh_of(A)', ERF: 'erf_of(A)', SIGMOID: 'sigmoid_of(A)', FLOOR: 'floor_of(A)', LEAKY: 'A > 0 ? A : I * A',
  LEAKY_GRAD: 'A > 0 ? B : I * B', LT: 'A < B ? (Real)1 : (Real)0', LE: 'A <= B ? (Real)1 : (Real)0',
  EQ: 'A == B ? (Real)1 : (Real)0', SELECT: 'A != 0 ? B : C', ROUND_F32: '(Real)(float)A', TRUNC: 'trunc_of(A)', LANE: '(Real)(c + l)',
} as const satisfies Partial<Record<RowOp, string>>; // biome-ignore format: a table

/** Instructions that print more than an expression; with those above they are all. */
type Statement = Exclude<RowOp, keyof typeof EXPRESSIONS>;

/** A number as C++ text. */
export function literal(x: number, type: 'float' | 'double' | 'Real'): string {
  if (Number.isNaN(x)) return `(${type})__uint_as_float(0x7fc00000u)`;
  if (!Number.isFinite(x)) return `(${type})__uint_as_float(0x${x > 0 ? '7f' : 'ff'}800000u)`;
  const text = String(x);
  return `(${type})${/[.e]/.test(text) ? text : `${text}.0`}`.replace(/\)(-.*)$/, ')($1)');
}

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
  const registers = rows.map((row) => row.registers * (row.wide ? 2 : 1) + 2 * has(row, ['SUM']));
  const each = registers.reduce((sum, x) => sum + x, others);
  let lanes = 16;
  while (lanes > 1 && channels % lanes !== 0) lanes /= 2;
  // Few channels that no power of two divides, or an odd number of many.
  if (lanes < 4 && channels > lanes) lanes = Math.min(channels, 16);
  while (lanes > 1 && lanes * each > MOST_REGISTERS && lanes % 2 === 0) lanes /= 2;
  // Sums take two registers each while all positions pass: fewer of them leave room for more threads.
  return lanes === 16 && rows.some((row) => has(row, ['SUM']) > 0) ? 8 : lanes;
}

/** Instructions that need all channels of a position at once. */
export const OVER_LANES: readonly RowOp[] = ['LANE', 'LABEL', 'SOFTMAX', 'LOG_SOFTMAX', 'LANE_SUM', 'ARGMAX'];
export const overLanes = ({ instructions }: Row): boolean =>
  instructions.some(({ op }) => OVER_LANES.includes(op));

/** Of 255, that lanes may take. */
const MOST_REGISTERS = 128;

/** Whether `lanes` channels lie side by side at a multiple of their bytes. */
export function sideBySide(place: Place, { first, channels, lanes }: Lanes): boolean {
  if (lanes < 2 || (lanes & (lanes - 1)) !== 0 || channels % lanes !== 0) return false;
  const [n, d, h, w, c] = place.stride;
  const inside = place.block === 1 ? c === 1 : place.block % lanes === 0 && c % lanes === 0;
  return inside && [n, d, h, w, first - place.start[SLOT_C]].every((step) => step % lanes === 0);
}

/** A printed row. */
export interface RowFunction {
  readonly name: string;
  readonly lanes: number;
  /** Its sums, in order. */
  readonly sums: readonly RowInstruction[];
}

/**
 * Prints a row: `NAME_fixed NAME_begin(a, n, c, lanes)` loads what is the same at every position; `NAME(a, f, n, d, h, w, c, lanes,
 * x, sums)` runs it, where x holds the kernel's result before or the value that is loaded afterwards, and sums grow.
 */
export function printRow(to: Printer, row: Row, at: Lanes): RowFunction {
  return new RowPrinter(to, row, at).print();
}

class RowPrinter {
  private readonly to: Printer;
  private readonly row: Row;
  private readonly at: Lanes;
  private readonly name: string;
  private readonly fixed: string[] = [];
  private readonly loads: string[] = [];
  private readonly body: string[] = [];
  private readonly sums: RowInstruction[] = [];
  /** Names of views by operand. */
  private readonly views = new Map<number, { name: string; place: Place; present: boolean[] }>();

  constructor(to: Printer, row: Row, at: Lanes) {
    this.to = to;
    this.row = row;
    this.at = at;
    this.name = to.fresh('row');
  }

  print(): RowFunction {
    const { row, name } = this;
    const { lanes } = this.at;
    const real = row.wide ? 'double' : 'float';
    for (const instruction of row.instructions) this.body.push(this.statement(instruction));
    const registers = Array.from({ length: row.registers }, (_, i) => `r${i}[${lanes}]`).join(', ');
    const enter = row.input < 0 ? [] : [`HM_LANES(${lanes}) r${row.input}[l] = x[l];`];
    const leave = row.result < 0 ? [] : [`HM_LANES(${lanes}) x[l] = r${row.result}[l];`];
    const lines = (list: readonly string[]) => list.map((line) => `  ${line}\n`).join('');
    this.to.functions.push(
      `struct ${name}_fixed {\n${lines(this.fixed)}};\n` +
        `HM_FN ${name}_fixed ${name}_begin(const Args &a, int n, int c, int lanes) {\n` +
        `  typedef ${real} Real;\n  ${name}_fixed f;\n${lines(this.loads)}  return f;\n}\n` +
        `HM_FN void ${name}(const Args &a, const ${name}_fixed &f, int n, int d, int h, int w, int c, int lanes, ` +
        `${real} (&x)[${lanes}], double *sums) {\n` +
        `  typedef ${real} Real;\n  Real ${registers};\n${lines([...enter, ...this.body, ...leave])}}\n`,
    );
    return { name, lanes, sums: this.sums };
  }

  private statement(instruction: RowInstruction): string {
    const { op, dst, src, imm } = instruction;
    const { lanes } = this.at;
    if (op in EXPRESSIONS) {
      const text = EXPRESSIONS[op as keyof typeof EXPRESSIONS].replace(/\b[ABCI]\b/g, (letter) =>
        letter === 'I' ? literal(imm, 'Real') : `r${src['ABC'.indexOf(letter)]}[l]`,
      );
      return `HM_LANES(${lanes}) r${dst}[l] = ${text};`;
    }
    const [a] = src;
    const statement = op as Statement;
    switch (statement) {
      case 'LOAD':
        return this.load(instruction);
      case 'STORE':
        return this.store(instruction);
      case 'SUM': {
        this.sums.push(instruction);
        const first = (this.sums.length - 1) * lanes;
        return `HM_LANES(${lanes}) ${this.guard}sums[${first} + l] += (double)r${a}[l];`;
      }
      case 'UNIFORM':
      case 'NORMAL':
      case 'BERNOULLI':
        return this.draw(instruction);
      case 'LABEL':
        this.to.needsFault(this.row, imm);
        return `check_label(a.fault, r${a}[0], ${imm}, ${this.position('')}); HM_LANES(${lanes}) r${dst}[l] = r${a}[l];`;
      case 'ROUND_BF16':
        return `round_lanes(r${a}, r${dst});`;
      case 'SOFTMAX':
        return `softmax_of(r${a}, r${dst});`;
      case 'LOG_SOFTMAX':
        return `log_softmax_of(r${a}, r${dst});`;
      case 'LANE_SUM':
        return `{ const Real t = sum_of(r${a}); HM_LANES(${lanes}) r${dst}[l] = t; }`;
      case 'ARGMAX':
        return `{ const Real t = argmax_of(r${a}); HM_LANES(${lanes}) r${dst}[l] = t; }`;
      default:
        return statement satisfies never;
    }
  }

  /** What keeps lanes that are not there out. */
  private get guard(): string {
    return this.at.channels % this.at.lanes === 0 ? '' : 'if (l < lanes) ';
  }

  private view(number: number) {
    const known = this.views.get(number);
    if (known !== undefined) return known;
    const operand = this.row.operands[number];
    if (operand.kind === 'vector') return fail({ where: 'device cuda', problem: 'a vector is no tensor' });
    const { shape, slots } = this.row;
    const tensor = this.to.tensorOf(operand.value);
    const place = operandPlace(tensor, operand, shape, slots);
    const present = presentIn(tensor.shape, slots);
    const view = { name: this.to.view(tensor, place, present), place, present };
    this.views.set(number, view);
    return view;
  }

  private load({ dst, operand: number }: RowInstruction): string {
    const { lanes } = this.at;
    const operand = this.row.operands[number];
    if (operand.kind === 'vector') {
      const values = Array.from({ length: lanes }, (_, l) => literal(operand.values[l] ?? 0, 'Real'));
      return `{ const Real t[${lanes}] = {${values.join(', ')}}; HM_LANES(${lanes}) r${dst}[l] = t[l]; }`;
    }
    const { name, place, present } = this.view(number);
    const moves = present[1] || present[2] || present[3];
    const where = `a.${name}, n, ${moves ? 'd, h, w' : '0, 0, 0'}`;
    const read = (into: string): string => {
      if (!present[SLOT_C])
        return `{ const Real t = get<Real>(${where}, 0); HM_LANES(${lanes}) ${into}[l] = t; }`;
      if (sideBySide(place, this.at)) return `get_lanes(${where}, c, ${into});`;
      const one = `get<Real>(${where}, c + l)`;
      return `HM_LANES(${lanes}) ${into}[l] = ${this.guard === '' ? one : `l < lanes ? ${one} : (Real)0`};`;
    };
    if (moves) return read(`r${dst}`);
    const kept = `k${this.fixed.length}`;
    this.fixed.push(`${this.row.wide ? 'double' : 'float'} ${kept}[${lanes}];`);
    this.loads.push(read(`f.${kept}`));
    return `HM_LANES(${lanes}) r${dst}[l] = f.${kept}[l];`;
  }

  private store({ src: [a], operand: number }: RowInstruction): string {
    const { lanes } = this.at;
    const { name, place, present } = this.view(number);
    this.to.written(name);
    const where = `a.${name}, n, d, h, w`;
    if (!present[SLOT_C]) return `put(${where}, 0, r${a}[0]);`;
    const each = sideBySide(place, this.at)
      ? `put_lanes(${where}, c, r${a});`
      : `HM_LANES(${lanes}) ${this.guard}put(${where}, c + l, r${a}[l]);`;
    if (this.row.operands[number].kind !== 'part') return each;
    return `if (c >= a.${name}.start[4] && c < a.${name}.start[4] + a.${name}.size[4]) ${each}`;
  }

  /** Row-major number of a position in the iteration, of a lane of it with `times`. */
  private position(times: string): string {
    const global = this.to.globals(this.row);
    return `((((i64)n * a.${global}[1] + d) * a.${global}[2] + h) * a.${global}[3] + w)${times}`;
  }

  /** Extent of the iteration in a slot. */
  private extent(slot: number): number {
    const { shape, slots } = this.row;
    return shape.find(({ name }) => slots.get(name) === slot)?.size ?? 1;
  }

  private draw({ op, dst, operand, imm, keys: [key0, key1] }: RowInstruction): string {
    const { lanes, first } = this.at;
    let step = '0u';
    if (operand >= 0) step = `(u32)(i64)get<double>(a.${this.view(operand).name}, n, 0, 0, 0, 0)`;
    const kept = (text: string): string => {
      const name = `k${this.fixed.length}`;
      this.fixed.push(`u32 ${name};`);
      this.loads.push(`f.${name} = ${text};`);
      return `f.${name}`;
    };
    const global = this.to.globals(this.row);
    const index = `(u64)(${this.position(` * a.${global}[4]`)} + c)`;
    const into = `HM_LANES(${lanes}) r${dst}[l] =`;
    if (op === 'NORMAL') {
      const now = operand >= 0 ? kept(step) : step;
      return `{ const u64 at = ${index}; ${into} normal_of<Real>(${key0}u, ${key1}u, ${now}, at + l); }`;
    }
    // Compared exactly, in units of 2^-24.
    const limit = Math.min(Math.max(Math.ceil(imm * 2 ** 24), 0), 2 ** 24);
    const value = (bits: string): string =>
      op === 'UNIFORM' ? `unit_of<Real>(${bits})` : `(int)(${bits} >> 8) < ${limit} ? (Real)1 : (Real)0`;
    const now = kept(`random_step(${key1}u, ${step})`);
    // Lanes whose numbers differ in their last bits alone share the rest.
    const aligned = (lanes & (lanes - 1)) === 0 && first % lanes === 0 && this.extent(SLOT_C) % lanes === 0;
    if (aligned)
      return `{ const u64 at = ${index}; const RandomLanes<${lanes}> draw = random_lanes<${lanes}>(random_row(${key0}u, (u32)(at >> 32)), ${now}, (u32)at); ${into} ${value('random_lane(draw, l)')}; }`;
    const row = `random_row(${key0}u, (u32)((at + l) >> 32))`;
    return `{ const u64 at = ${index}; ${into} ${value(`random_of(${row}, ${now}, (u32)at + l)`)}; }`;
  }
}
