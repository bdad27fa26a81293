import { fail } from '../../../core/index.ts';
import type { Row, RowInstruction } from '../../rows/index.ts';
import { declare, eachPart, pack, partsOf, structOf, typeOf } from './lanes.ts';
import { narrowStatement } from './narrow-row.ts';
import type { Printer } from './printer.ts';
import { RowContext, sumNames } from './row-context.ts';
import type { Lanes } from './row-lanes.ts';
import { wideStatement } from './wide-row.ts';

// Rows printed as WGSL functions over the lanes of one position: the channels c to c + L - 1 of (n, d, h, w), of which `lanes` are
// there. What a row loads that is the same at every position is loaded once, by a function of its own.

/** A printed row. */
export interface RowFunction {
  readonly name: string;
  readonly lanes: number;
  /** Its sums, in order. */
  readonly sums: readonly RowInstruction[];
  readonly wide: boolean;
}

/**
 * Prints a row: `NAME_begin(n, c)` loads what is the same at every position; `NAME(f, n, d, h, w, c, lanes, x)` runs it, where x holds
 * the kernel's result before; it gives the value that is loaded, and sums grow in private variables.
 */
export function printRow(to: Printer, row: Row, at: Lanes): RowFunction {
  const context = new RowContext(to, row, at);
  const { name } = context;
  const { lanes } = at;
  if (row.wide && lanes !== 1) fail({ where: 'device webgpu', problem: 'rows of pairs have one lane' });
  to.lanes(lanes);
  const body = row.instructions.map((instruction) =>
    row.wide ? wideStatement(context, instruction) : narrowStatement(context, instruction),
  );
  const parts = partsOf(lanes);
  const type = row.wide ? 'vec2<f32>' : structOf(lanes);
  const registers = Array.from({ length: row.registers }, (_, r) =>
    row.wide ? `var r${r} = vec2<f32>(0.0, 0.0);\n` : declare(`r${r}`, lanes),
  );
  const enter =
    row.input < 0
      ? ''
      : row.wide
        ? `r${row.input} = x;`
        : eachPart(parts, (p) => `r${row.input}_${p} = x.p${p}; `);
  const leave = row.result < 0 ? 'x' : row.wide ? `r${row.result}` : pack(`r${row.result}`, lanes);
  const half = row.wide ? 'f32' : typeOf(parts.width);
  const sums = context.sums.flatMap((_, k) =>
    Array.from({ length: parts.count }, (_, p) =>
      sumNames(name, k, p).map((one) => `var<private> ${one}: ${half};\n`),
    ).flat(),
  );
  to.functions.push(
    `${sums.join('')}struct ${name}_fixed { none: f32, ${context.fixed.join('')}}
fn ${name}_begin(n: i32, c: i32) -> ${name}_fixed {
var f: ${name}_fixed;
${context.loads.join('')}return f;
}
fn ${name}(f: ${name}_fixed, n: i32, d: i32, h: i32, w: i32, c: i32, lanes: i32, x: ${type}) -> ${type} {
${registers.join('')}${enter}
${body.join('\n')}
return ${leave};
}
`,
  );
  return { name, lanes, sums: context.sums, wide: row.wide };
}
