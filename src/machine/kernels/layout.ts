import { ROW_OPS } from '../rows/index.ts';

// Sizes of the structs of native/halomesh.h, in bytes.

export const VIEW = 176;
export const OPERAND = 200;
export const INSTRUCTION = 40;
export const PROGRAM = 80;
const WINDOW = 96;
export const SOURCE = PROGRAM + VIEW;
export const EINSUM_OPERAND = 112;

/** What hm_layout must say: sizes of structs in bytes, and the row operations in order. */
export const LAYOUT =
  `view ${VIEW} operand ${OPERAND} instruction ${INSTRUCTION} program ${PROGRAM} window ${WINDOW} ` +
  `source ${SOURCE} einsum ${EINSUM_OPERAND} rows ${ROW_OPS.join(' ')}`;
