// The instructions of row programs: element-wise arithmetic on registers, loads, stores and sums. Every device that has row
// programs runs these, in one order: `native/halomesh.h` says what each does, and is compared with this list when its library loads.

export const ROW_OPS = [
  'LOAD', 'STORE', 'SUM', 'CONST', 'COPY', 'ADD', 'SUB', 'MUL', 'DIV', 'MIN', 'MAX', 'POW', 'FMA', 'NEG', 'ABS', 'SIGN', 'SQUARE',
  'SQRT', 'RSQRT', 'RECIP', 'EXP', 'LOG', 'TANH', 'ERF', 'SIGMOID', 'FLOOR', 'LEAKY', 'LEAKY_GRAD', 'LT', 'LE', 'EQ', 'SELECT',
  'ROUND_BF16', 'ROUND_F32', 'TRUNC', 'UNIFORM', 'NORMAL', 'BERNOULLI', 'LANE', 'LABEL', 'SOFTMAX', 'LOG_SOFTMAX', 'LANE_SUM',
  'ARGMAX',
] as const; // biome-ignore format: in the order of the C enumeration

export type RowOp = (typeof ROW_OPS)[number];

/** Number of each instruction. */
export const ROW_CODES = Object.fromEntries(ROW_OPS.map((name, i) => [name, i])) as Readonly<
  Record<RowOp, number>
>;
