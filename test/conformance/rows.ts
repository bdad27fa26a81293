import { normal, rowMajorStrides, uniform } from '../../src/core/index.ts';
import type { Row, RowOp } from '../../src/machine/rows/index.ts';
import { errorFunction } from '../../src/ops/functions/error-function.ts';
import type { LocalValue } from '../../src/plan/index.ts';

// What a row means, one position at a time: the judge of devices that print or interpret rows. Rows over classes are left out.

/** Where the numbers of stored tensors are, by global index. */
export interface Numbers {
  get(value: LocalValue, index: readonly number[]): number;
  set(value: LocalValue, index: readonly number[], number: number): void;
}

const MATH: Partial<Record<RowOp, (a: number, b: number, c: number, imm: number) => number>> = {
  CONST: (_a, _b, _c, imm) => imm, COPY: (a) => a, ADD: (a, b) => a + b, SUB: (a, b) => a - b, MUL: (a, b) => a * b,
  DIV: (a, b) => a / b, MIN: (a, b) => Math.min(a, b), MAX: (a, b) => Math.max(a, b), POW: (a, b) => a ** b, FMA: (a, b, c) => a * b + c, NEG: (a) => -a,
  ABS: Math.abs, SIGN: Math.sign, SQUARE: (a) => a * a, SQRT: Math.sqrt, RSQRT: (a) => 1 / Math.sqrt(a), RECIP: (a) => 1 / a,
  EXP: Math.exp, LOG: Math.log, TANH: Math.tanh, ERF: errorFunction, SIGMOID: (a) => 1 / (1 + Math.exp(-a)), FLOOR: Math.floor,
  LEAKY: (a, _b, _c, imm) => (a > 0 ? a : imm * a), LEAKY_GRAD: (a, b, _c, imm) => (a > 0 ? b : imm * b),
  LT: (a, b) => Number(a < b), LE: (a, b) => Number(a <= b), EQ: (a, b) => Number(a === b), SELECT: (a, b, c) => (a !== 0 ? b : c),
  ROUND_BF16: (a) => a, ROUND_F32: Math.fround, TRUNC: Math.trunc,
}; // biome-ignore format: a table

/** Runs a row at one position of its iteration; gives the value that it loads, if it is a prologue. */
export function runRow(row: Row, index: readonly number[], numbers: Numbers, input = 0): number {
  const registers = new Float64Array(row.registers);
  if (row.input >= 0) registers[row.input] = input;
  const place = (number: number): [LocalValue, number[]] => {
    const operand = row.operands[number];
    if (operand.kind !== 'tensor') throw new Error(`no ${operand.kind} is fused here`);
    const { value } = operand;
    return [value, value.shape.map(({ name }) => index[row.shape.findIndex((dim) => dim.name === name)])];
  };
  for (const { op, dst, src, operand, imm, keys } of row.instructions) {
    if (op === 'STORE') numbers.set(...place(operand), registers[src[0]]);
    else if (op === 'LOAD') registers[dst] = numbers.get(...place(operand));
    else if (op === 'UNIFORM' || op === 'NORMAL' || op === 'BERNOULLI') {
      const flat = rowMajorStrides(row.shape.map(({ size }) => size)).reduce(
        (sum, s, i) => sum + s * index[i],
        0,
      );
      const draw = op === 'NORMAL' ? normal : uniform;
      const drawn = draw(keys[0], keys[1], operand < 0 ? 0 : numbers.get(...place(operand)), flat);
      registers[dst] = op === 'BERNOULLI' ? Number(drawn < imm) : drawn;
    } else registers[dst] = MATH[op]!(registers[src[0]], registers[src[1]], registers[src[2]], imm);
  }
  return row.result < 0 ? 0 : registers[row.result];
}
