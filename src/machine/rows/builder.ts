import { type DType, fail, type Shape } from '../../core/index.ts';
import type { ElementwiseName, SliceAttrs } from '../../ops/index.ts';
import type { LocalNode, LocalValue } from '../../plan/index.ts';
import type { Slots } from '../formats/index.ts';
import { attrsOf } from './attrs.ts';
import { evaluateLanes, evaluatesLanes } from './classes.ts';
import type { Row, RowInstruction, RowOperand } from './row.ts';
import type { RowOp } from './table.ts';

// Translates chains of element-wise operations into rows: loads, arithmetic on registers, stores and sums.

/** Instruction of each element-wise operation. */
const ELEMENTWISE: Readonly<Record<ElementwiseName, RowOp>> = {
  neg: 'NEG',
  abs: 'ABS',
  sign: 'SIGN',
  square: 'SQUARE',
  sqrt: 'SQRT',
  rsqrt: 'RSQRT',
  reciprocal: 'RECIP',
  exp: 'EXP',
  log: 'LOG',
  tanh: 'TANH',
  erf: 'ERF',
  sigmoid: 'SIGMOID',
  floor: 'FLOOR',
  leakyRelu: 'LEAKY',
  leakyReluGrad: 'LEAKY_GRAD',
  add: 'ADD',
  sub: 'SUB',
  mul: 'MUL',
  div: 'DIV',
  minimum: 'MIN',
  maximum: 'MAX',
  pow: 'POW',
  less: 'LT',
  lessEqual: 'LE',
  equal: 'EQ',
  select: 'SELECT',
};

/** Names of all operations that row programs can evaluate. */
export type PointwiseName = ElementwiseName | 'fill' | 'cast' | 'broadcast' | 'random';

export function isElementwise(name: string): name is ElementwiseName {
  return Object.hasOwn(ELEMENTWISE, name);
}

interface Draft {
  op: RowOp;
  dst?: number;
  src: number[];
  operand?: number;
  imm?: number;
  keys?: readonly [number, number];
}

/**
 * Builds one row over an iteration with dimensions `shape` in `slots`. Registers are given out so that it uses as few as its live
 * values need.
 */
export class RowBuilder {
  private readonly shape: Shape;
  private readonly slots: Slots;
  private readonly nodes: ReadonlySet<LocalNode>;
  private readonly homeOf: (value: LocalValue) => object;
  private readonly drafts: Draft[] = [];
  private readonly operands: RowOperand[] = [];
  /** By value, and by the memory that a value is loaded from. */
  private readonly values = new Map<object, number>();
  /** Registers of instructions that need not be repeated. */
  private readonly known = new Map<string, number>();
  private readonly wide: boolean;
  private input = -1;
  private next = 0;

  /** `nodes`: the operations to evaluate rather than load. */
  constructor(options: {
    shape: Shape;
    slots: Slots;
    nodes: ReadonlySet<LocalNode>;
    /** The same for values that lie in the same memory. */
    homeOf: (value: LocalValue) => object;
    wide?: boolean;
  }) {
    this.shape = options.shape;
    this.slots = options.slots;
    this.nodes = options.nodes;
    this.homeOf = options.homeOf;
    this.wide = options.wide ?? false;
  }

  /** Declares the kernel's own result: `values` are read from the register that the kernel fills. */
  bindInput(...values: readonly LocalValue[]): void {
    this.input = this.next++;
    for (const value of values) this.values.set(value, this.input);
  }

  /** Virtual register of a value. */
  evaluate(value: LocalValue): number {
    const known = this.values.get(value);
    if (known !== undefined) return known;
    const register = this.nodes.has(value.producer) ? this.compute(value.producer) : this.load(value);
    this.values.set(value, register);
    return register;
  }

  /** Register of an instruction on registers, which is made once. */
  instruction(op: RowOp, src: readonly number[], imm?: number): number {
    const key = `${op} ${src.join(' ')} ${imm}`;
    const register = this.known.get(key) ?? this.emit({ op, src: [...src], imm });
    this.known.set(key, register);
    return register;
  }

  /** Register of one number a channel. */
  vector(values: readonly number[]): number {
    const key = `vector ${values.join(' ')}`;
    const register = this.known.get(key) ?? this.emit({ op: 'LOAD', src: [], operand: this.operands.length });
    if (!this.known.has(key)) this.operands.push({ kind: 'vector', values });
    this.known.set(key, register);
    return register;
  }

  store(value: LocalValue): void {
    this.storeAs(value, value);
  }

  /** Stores `value` in the memory of `into`. */
  storeAs(value: LocalValue, into: LocalValue): void {
    this.storeRegister(this.evaluate(value), into);
  }

  storeRegister(register: number, into: LocalValue): void {
    const operand = this.operand(into);
    this.drafts.push({ op: 'STORE', src: [register], operand });
  }

  /** Stores the channels of `value` that `part` holds: those in the range that `ranges` names, of whole blocks. */
  storePart(value: LocalValue, part: LocalValue, ranges: SliceAttrs['ranges']): void {
    this.operands.push({ kind: 'part', value: part, ranges });
    this.drafts.push({ op: 'STORE', src: [this.evaluate(value)], operand: this.operands.length - 1 });
  }

  /** Adds `value` up over the dimensions that `into` lacks. */
  sum(value: LocalValue, into: LocalValue): void {
    this.sumRegister(this.evaluate(value), into);
  }

  sumRegister(register: number, into: LocalValue): void {
    const operand = this.operand(into);
    this.drafts.push({ op: 'SUM', src: [register], operand });
  }

  private load(value: LocalValue): number {
    const home = this.homeOf(value);
    const known = this.values.get(home);
    if (known !== undefined) return known;
    const register = this.emit({ op: 'LOAD', src: [], operand: this.operand(value) });
    this.values.set(home, register);
    return register;
  }

  private operand(value: LocalValue): number {
    this.operands.push({ kind: 'tensor', value });
    return this.operands.length - 1;
  }

  private emit(draft: Draft): number {
    draft.dst = this.next++;
    this.drafts.push(draft);
    return draft.dst;
  }

  private compute(node: LocalNode): number {
    const { name } = node.op;
    if (evaluatesLanes(node)) return evaluateLanes(this, node);
    if (isElementwise(name)) {
      const src = node.inputs.map((input) => this.evaluate(input));
      return this.emit({ op: ELEMENTWISE[name], src, imm: (node.call.attrs as { slope?: number }).slope });
    }
    const pointwise = name as Exclude<PointwiseName, ElementwiseName>;
    switch (pointwise) {
      case 'fill':
        return this.emit({ op: 'CONST', src: [], imm: attrsOf<'fill'>(node).value });
      case 'broadcast':
        return this.evaluate(node.inputs[0]);
      case 'cast':
        return this.cast(this.evaluate(node.inputs[0]), attrsOf<'cast'>(node).dtype);
      case 'random':
        return this.random(node);
      default:
        pointwise satisfies never;
        return fail({ where: node.call.where, problem: 'is no element-wise operation of rows' });
    }
  }

  private cast(source: number, dtype: DType): number {
    if (dtype === 'bf16') return this.emit({ op: 'ROUND_BF16', src: [source] });
    if (dtype === 'u8' || dtype === 'i32') return this.emit({ op: 'TRUNC', src: [source] });
    return dtype === 'f32' && this.wide ? this.emit({ op: 'ROUND_F32', src: [source] }) : source;
  }

  private random(node: LocalNode): number {
    const { distribution, seed, stream, keep } = attrsOf<'random'>(node);
    const op = ({ uniform: 'UNIFORM', normal: 'NORMAL', bernoulli: 'BERNOULLI' } as const)[distribution];
    const operand = node.inputs.length === 0 ? -1 : this.operand(node.inputs[0]);
    return this.emit({ op, src: [], operand, imm: keep, keys: [seed, stream] });
  }

  /**
   * Turns a product that only one sum uses into a multiply-add: one rounding, and the same one in every kernel that evaluates
   * the expression.
   */
  private contract(result: number): void {
    const uses = new Map<number, number>([[result, 1]]);
    const made = new Map<number, Draft>();
    for (const draft of this.drafts) {
      for (const register of draft.src) uses.set(register, (uses.get(register) ?? 0) + 1);
      if (draft.dst !== undefined) made.set(draft.dst, draft);
    }
    const gone = new Set<Draft>();
    for (const draft of this.drafts) {
      if (draft.op !== 'ADD') continue;
      const at = draft.src.findIndex(
        (register) => made.get(register)?.op === 'MUL' && uses.get(register) === 1,
      );
      if (at < 0) continue;
      const product = made.get(draft.src[at])!;
      gone.add(product);
      draft.op = 'FMA';
      draft.src = [...product.src, draft.src[1 - at]];
    }
    const kept = this.drafts.filter((draft) => !gone.has(draft));
    this.drafts.splice(0, this.drafts.length, ...kept);
  }

  /** The finished row. `result`: the value that a prologue delivers. */
  build(result?: LocalValue): Row {
    const resultRegister = result === undefined ? -1 : this.evaluate(result);
    this.contract(resultRegister);
    const lastUse = new Map<number, number>();
    this.drafts.forEach((draft, i) => {
      for (const register of draft.src) lastUse.set(register, i);
    });
    if (resultRegister >= 0) lastUse.set(resultRegister, this.drafts.length);
    const real = new Map<number, number>();
    const free: number[] = [];
    let count = 0;
    const take = (virtual: number): number => {
      const register = free.pop() ?? count++;
      real.set(virtual, register);
      return register;
    };
    if (this.input >= 0) take(this.input);
    const instructions = this.drafts.map((draft, i): RowInstruction => {
      const src = draft.src.map((register) => real.get(register)!);
      const dst = draft.dst === undefined ? -1 : take(draft.dst);
      // The target is taken before sources are given back: no instruction writes a register that it reads.
      for (const register of new Set(draft.src))
        if (lastUse.get(register) === i) free.push(real.get(register)!);
      const { op, operand = -1, imm = 0, keys = [0, 0] } = draft;
      return { op, dst, src, operand, imm, keys };
    });
    return {
      shape: this.shape,
      slots: this.slots,
      instructions,
      operands: this.operands,
      registers: Math.max(count, 1),
      wide: this.wide,
      input: this.input < 0 ? -1 : real.get(this.input)!,
      result: resultRegister < 0 ? -1 : real.get(resultRegister)!,
    };
  }
}
