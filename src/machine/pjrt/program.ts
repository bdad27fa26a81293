import { type Box, type DType, isEmpty, sameBox } from '../../core/index.ts';
import { attributesText, Frames, moduleText, type Tensor as Printed, Writer } from '../../stablehlo/index.ts';
import type { ArrayType } from './client.ts';

// Texts of programs: one function of arrays, and which of its arguments give their memory to results.

export const sizesOf = (box: Box): number[] => box.map(({ start, end }) => end - start);

/** A function while it is written. */
export class Program {
  readonly writer = new Writer();
  readonly frames = new Frames(this.writer, 1);
  private readonly args: { readonly tensor: Printed; gives?: number }[] = [];
  private readonly results: Printed[] = [];

  argument({ dtype, sizes }: ArrayType): Printed {
    const tensor = { id: `%arg${this.args.length}`, element: this.writer.elementOf(dtype), sizes };
    this.args.push({ tensor });
    return tensor;
  }

  result(tensor: Printed): void {
    this.results.push(tensor);
  }

  /** An argument is done with: a result of its type takes its memory. */
  give(argument: number, result: number): void {
    this.args[argument].gives = result;
  }

  get text(): string {
    return moduleText({
      name: 'halomesh',
      devices: 1,
      head: [],
      arguments: this.args.map(({ tensor, gives }) => [
        tensor,
        attributesText(gives === undefined ? [] : [`tf.aliasing_output = ${gives} : i32`]),
      ]),
      results: this.results.map((tensor) => [tensor, '']),
      lines: this.writer.lines,
    });
  }
}

/** A part of an array, both of which are given as boxes. */
export function slicePart(writer: Writer, x: Printed, whole: Box, part: Box): Printed {
  return writer.slice(
    x,
    part.map(({ start }, i) => start - whole[i].start),
    part.map(({ end }, i) => end - whole[i].start),
  );
}

/** An array with a part put in place of its own. */
export function putPart(writer: Writer, x: Printed, whole: Box, part: Printed, box: Box): Printed {
  if (isEmpty(box)) return x;
  if (sameBox(whole, box)) return part;
  return writer.dynamicUpdate(
    x,
    part,
    box.map(({ start }, i) => writer.constant('i32', start - whole[i].start)),
  );
}

/** (array) -> part */
export function sliceText(dtype: DType, whole: Box, part: Box): string {
  const program = new Program();
  const x = program.argument({ dtype, sizes: sizesOf(whole) });
  program.result(slicePart(program.writer, x, whole, part));
  return program.text;
}

/** (array, part) -> array, in its place; without `present` (part) -> array with zeros around it. */
export function putText(dtype: DType, whole: Box, box: Box, present: boolean): string {
  const program = new Program();
  const { writer } = program;
  const type = { dtype, sizes: sizesOf(whole) };
  const x = present ? program.argument(type) : writer.constant(writer.elementOf(dtype), 0, type.sizes);
  const part = program.argument({ dtype, sizes: sizesOf(box) });
  program.result(putPart(writer, x, whole, part, box));
  if (present) program.give(0, 0);
  return program.text;
}

/** Several arrays of one type joined in their order, sums in float64; the result `copies` times. */
export function combineText(
  type: ArrayType,
  count: number,
  how: 'sum' | 'max' | 'min',
  copies: number,
): string {
  const program = new Program();
  const { writer } = program;
  const join = ({ sum: 'add', max: 'maximum', min: 'minimum' } as const)[how];
  const args = Array.from({ length: count }, () => program.argument(type));
  const all = args.map((x) => writer.convert(x, how === 'sum' ? 'f64' : x.element));
  const sum = all.slice(1).reduce((joined, x) => writer.binary(join, joined, x), all[0]);
  for (let i = 0; i < copies; i++) program.result(writer.convert(sum, args[0].element));
  return program.text;
}
