import { fail } from '../../../core/index.ts';
import { SLOT_C } from '../../formats/index.ts';
import type { RowInstruction, RowOp } from '../../rows/index.ts';
import { type RowContext, sumNames } from './row-context.ts';

// Rows whose registers are float64, as pairs of float32 numbers: one lane at a time.

/** As the table of narrow rows. */
const EXPRESSIONS = {
  CONST: 'I', COPY: 'A', ADD: 'add_pair(A, B)', SUB: 'sub_pair(A, B)', MUL: 'mul_pair(A, B)', DIV: 'div_pair(A, B)',
  MIN: 'min_pair(A, B)', MAX: 'max_pair(A, B)', POW: 'pow_pair(A, B)', FMA: 'add_pair(mul_pair(A, B), C)', NEG: '-A',
  ABS: 'abs_pair(A)', SIGN: 'sign_pair(A)', SQUARE: 'mul_pair(A, A)', SQRT: 'sqrt_pair(A)', RSQRT: 'recip_pair(sqrt_pair(A))',
  RECIP: 'recip_pair(A)', EXP: 'exp_pair(A)', LOG: 'log_pair(A)', TANH: 'tanh_pair(A)', ERF: 'erf_pair(A)', SIGMOID: 'sigmoid_pair(A)',
  FLOOR: 'floor_pair(A)', LEAKY: 'select(mul_pair(I, A), A, A.x > 0.0)', LEAKY_GRAD: 'select(mul_pair(I, B), B, A.x > 0.0)',
  LT: 'vec2<f32>(select(0.0, 1.0, less_pair(A, B)), 0.0)', LE: 'vec2<f32>(select(0.0, 1.0, less_pair(A, B) || same_pair(A, B)), 0.0)',
  EQ: 'vec2<f32>(select(0.0, 1.0, same_pair(A, B)), 0.0)', SELECT: 'select(C, B, A.x != 0.0)',
  ROUND_BF16: 'vec2<f32>(bf16_1(A.x), 0.0)', ROUND_F32: 'vec2<f32>(A.x, 0.0)', TRUNC: 'trunc_pair(A)',
  LANE: 'vec2<f32>(f32(c), 0.0)', LANE_SUM: 'A',
} as const satisfies Partial<Record<RowOp, string>>; // biome-ignore format: a table

/** A float64 number as a pair. */
export function pairLiteral(x: number): string {
  const high = Math.fround(x);
  const low = Number.isFinite(high) ? Math.fround(x - high) : 0;
  const bits = (value: number) =>
    `bitcast<f32>(${new Uint32Array(Float32Array.of(value).buffer)[0]}u ^ a.zero)`;
  return `vec2<f32>(${bits(high)}, ${bits(low)})`;
}

type Statement = Exclude<RowOp, keyof typeof EXPRESSIONS>;

export function wideStatement(printer: RowContext, instruction: RowInstruction): string {
  const { op, dst, src, imm, operand: number } = instruction;
  if (op in EXPRESSIONS) {
    const text = EXPRESSIONS[op as keyof typeof EXPRESSIONS];
    const put = text.replace(/\b[ABCI]\b/g, (letter) =>
      letter === 'I' ? pairLiteral(imm) : `r${src['ABC'.indexOf(letter)]}`,
    );
    return `r${dst} = ${put};`;
  }
  const [a] = src;
  const statement = op as Statement;
  switch (statement) {
    case 'LOAD': {
      const operand = printer.row.operands[number];
      if (operand.kind === 'vector')
        return operand.values.map((x, l) => `if (c == ${l}) { r${dst} = ${pairLiteral(x)}; } `).join('');
      const { view, present } = printer.viewOf(number);
      const moves = present[1] || present[2] || present[3];
      return `r${dst} = ${view.name}_get_wide(n, ${moves ? 'd, h, w' : '0, 0, 0'}, ${present[SLOT_C] ? 'c' : '0'});`;
    }
    case 'STORE': {
      const { view, place, present } = printer.viewOf(number);
      view.singles = true;
      const put = `${view.name}_put_wide(n, d, h, w, ${present[SLOT_C] ? 'c' : '0'}, r${a});`;
      if (printer.row.operands[number].kind !== 'part') return put;
      const end = printer.to.int('end', place.start[SLOT_C] + place.size[SLOT_C]);
      return `if (c >= a.${view.name}_c && c < ${end}) { ${put} }`;
    }
    case 'SUM': {
      const [high, low] = sumNames(printer.name, printer.sum(instruction), 0);
      return `{ let s = add_pair(vec2<f32>(${high}, ${low}), r${a}); ${high} = s.x; ${low} = s.y; }`;
    }
    case 'UNIFORM':
    case 'NORMAL':
    case 'BERNOULLI': {
      const { before, of } = printer.drawn(instruction);
      return `{ ${before} r${dst} = vec2<f32>(${of(0)}, 0.0); }`;
    }
    case 'LABEL':
    case 'SOFTMAX':
    case 'LOG_SOFTMAX':
    case 'ARGMAX':
      return fail({ where: 'device webgpu', problem: 'rows over classes are float32' });
    default:
      return statement satisfies never;
  }
}
