import { SLOT_C } from '../../formats/index.ts';
import type { RowInstruction, RowOp } from '../../rows/index.ts';
import { eachPart, laneOf, literal, partsOf, splat, typeOf } from './lanes.ts';
import { type RowContext, sumNames } from './row-context.ts';
import { byFours } from './row-lanes.ts';

// Rows whose registers are float32, in parts of up to four lanes.

/** Instructions on registers, part by part: A, B, C stand for the parts of the sources, I for the constant, W for the width. */
const EXPRESSIONS = {
  CONST: 'I', COPY: 'A', ADD: 'A + B', SUB: 'A - B', MUL: 'held_W(A * B)', DIV: 'held_W(A / B)', MIN: 'min_W(A, B)', MAX: 'max_W(A, B)',
  POW: 'pow_W(A, B)', FMA: 'fma(A, B, C)', NEG: '-A', ABS: 'abs(A)', SIGN: 'select(sign(A), A, nan_W(A))', SQUARE: 'held_W(A * A)',
  SQRT: 'sqrt(A)', RSQRT: 'held_W(ONE / sqrt(A))', RECIP: 'held_W(ONE / A)', EXP: 'exp_W(A)', LOG: 'log(A)',
  TANH: 'tanh_W(A)', ERF: 'erf_W(A)', SIGMOID: 'sigmoid_W(A)', FLOOR: 'floor(A)', LEAKY: 'select(held_W(I * A), A, A > ZERO)',
  LEAKY_GRAD: 'select(held_W(I * B), B, A > ZERO)', LT: 'select(ZERO, ONE, A < B)', LE: 'select(ZERO, ONE, A <= B)',
  EQ: 'select(ZERO, ONE, A == B)', SELECT: 'select(C, B, A != ZERO)', ROUND_BF16: 'bf16_W(A)',
  ROUND_F32: 'A', TRUNC: 'trunc(A)',
} as const satisfies Partial<Record<RowOp, string>>; // biome-ignore format: a table

/** Instructions that print more than an expression; with those above they are all. */
type Statement = Exclude<RowOp, keyof typeof EXPRESSIONS>;

/** The text of an instruction on float32 lanes. */
export function narrowStatement(row: RowContext, instruction: RowInstruction): string {
  const { op, dst, src, imm } = instruction;
  const { lanes } = row.at;
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
  const top = `var top = ${lane(0)}; ${all
    .slice(1)
    .map((l) => `top = larger_1(top, ${lane(l)}); `)
    .join('')}`;
  const exps = `${top}${eachPart(parts, (p) => `let e_${p} = exp_${width}(r${a}_${p} - ${splat(width, 'top')}); `)}var sum = ${laneOf('e', parts, 0)}; ${all
    .slice(1)
    .map((l) => `sum += ${laneOf('e', parts, l)}; `)
    .join('')}`;
  const every = (value: string) => eachPart(parts, (p) => `r${dst}_${p} = ${splat(width, value)}; `);
  const statement = op as Statement;
  switch (statement) {
    case 'LOAD':
      return load(row, instruction);
    case 'STORE':
      return store(row, instruction);
    case 'SUM': {
      const k = row.sum(instruction);
      return eachPart(parts, (p) => {
        const [high, low] = sumNames(row.name, k, p);
        return `{ let x = r${a}_${p}; let t = held_${width}(${high} + x); let b = held_${width}(t - ${high});
${low} += held_${width}(${high} - held_${width}(t - b)) + held_${width}(x - b); ${high} = t; }
`;
      });
    }
    case 'UNIFORM':
    case 'NORMAL':
    case 'BERNOULLI':
      return draw(row, instruction);
    case 'LANE':
      return all.map((l) => `${laneOf(`r${dst}`, parts, l)} = f32(c + ${l}); `).join('');
    case 'LABEL':
      row.to.needsFault(row.row, imm);
      return `check_label(${lane(0)}, ${imm}, ${row.position()}); ${eachPart(parts, (p) => `r${dst}_${p} = r${a}_${p}; `)}`;
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
function guard({ at }: RowContext, l: number, text: string): string {
  return at.channels % at.lanes === 0 ? text : `if (${l} < lanes) { ${text} } `;
}

function load(row: RowContext, { dst, operand: number }: RowInstruction): string {
  const { lanes } = row.at;
  const parts = partsOf(lanes);
  const operand = row.row.operands[number];
  if (operand.kind === 'vector')
    return Array.from(
      { length: lanes },
      (_, l) => `${laneOf(`r${dst}`, parts, l)} = ${literal(operand.values[l] ?? 0)}; `,
    ).join('');
  const { view, place, present } = row.viewOf(number);
  const moves = present[1] || present[2] || present[3];
  const where = `n, ${moves ? 'd, h, w' : '0, 0, 0'}`;
  const read = (into: string): string => {
    if (!present[SLOT_C])
      return `{ let t = ${view.name}_get(${where}, 0); ${eachPart(parts, (p) => `${into}_${p} = ${splat(parts.width, 't')}; `)}}`;
    if (byFours(place, row.at) && (view.dtype === 'f32' || view.dtype === 'bf16')) {
      view.fours = true;
      return eachPart(parts, (p) => `${into}_${p} = ${view.name}_get4(${where}, c + ${4 * p}); `);
    }
    return Array.from({ length: lanes }, (_, l) =>
      guard(row, l, `${laneOf(into, parts, l)} = ${view.name}_get(${where}, c + ${l}); `),
    ).join('');
  };
  if (moves) return read(`r${dst}`);
  const type = typeOf(parts.width);
  const stem = `k${row.fixed.length}`;
  for (let p = 0; p < parts.count; p++) row.fixed.push(`${stem}_${p}: ${type}, `);
  row.loads.push(`${read(`f.${stem}`)}\n`);
  return eachPart(parts, (p) => `r${dst}_${p} = f.${stem}_${p}; `);
}

function store(row: RowContext, { src: [a], operand: number }: RowInstruction): string {
  const { lanes } = row.at;
  const parts = partsOf(lanes);
  const { view, place, present } = row.viewOf(number);
  const where = 'n, d, h, w';
  if (!present[SLOT_C]) {
    view.singles = true;
    return `${view.name}_put(${where}, 0, r${a}_0${parts.width === 1 ? '' : '[0]'});`;
  }
  const fours = byFours(place, row.at) && (view.dtype === 'f32' || view.dtype === 'bf16');
  if (fours) view.fours = true;
  else view.singles = true;
  const each = fours
    ? eachPart(parts, (p) => `${view.name}_put4(${where}, c + ${4 * p}, r${a}_${p}); `)
    : Array.from({ length: lanes }, (_, l) =>
        guard(row, l, `${view.name}_put(${where}, c + ${l}, ${laneOf(`r${a}`, parts, l)}); `),
      ).join('');
  if (row.row.operands[number].kind !== 'part') return each;
  const end = row.to.int('end', place.start[SLOT_C] + place.size[SLOT_C]);
  return `if (c >= a.${view.name}_c && c < ${end}) { ${each} }`;
}

function draw(row: RowContext, instruction: RowInstruction): string {
  const { lanes } = row.at;
  const { before, of } = row.drawn(instruction);
  const each = Array.from(
    { length: lanes },
    (_, l) => `${laneOf(`r${instruction.dst}`, partsOf(lanes), l)} = ${of(l)}; `,
  );
  return `{ ${before} ${each.join('')}}`;
}
