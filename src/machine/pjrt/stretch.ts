import { type Box, fail, isEmpty, sameBox } from '../../core/index.ts';
import { type Tensor as Printed, sameNumbers } from '../../stablehlo/index.ts';
import type { LabelCheck } from './labels.ts';
import { Program, putPart } from './program.ts';
import { overlap, type PjrtTensor } from './tensors.ts';

// Launches that nothing comes between become one program. What they leave in memory are its results: tensors that are written and not
// overwritten. What is written and made way for in between is the compiler's own.

/** Tensors seen by the printing of a launch. */
export interface Scope {
  readonly program: Program;
  readonly read: (tensor: PjrtTensor) => Printed;
  /** Puts numbers in place of those of a box. */
  readonly write: (tensor: PjrtTensor, box: Box, numbers: Printed) => void;
}

/** What a launch adds to a program. */
export interface Piece {
  /** Tells pieces of a device apart. */
  readonly id: number;
  /** The operation, for errors. */
  readonly what: string;
  readonly rank: number;
  readonly labels: readonly LabelCheck[];
  print(scope: Scope): void;
}

/** A program of several pieces. */
export interface Stretch {
  readonly text: string;
  readonly inputs: readonly PjrtTensor[];
  /** Those of them whose arrays it takes for its results. */
  readonly given: ReadonlySet<PjrtTensor>;
  readonly outputs: readonly PjrtTensor[];
  /** All that is written on the way. */
  readonly written: readonly PjrtTensor[];
  /** Tensors of which parts were written first, and whether they had numbers then: what the text depends on. */
  readonly asked: ReadonlyMap<PjrtTensor, boolean>;
}

class Printing implements Scope {
  readonly program = new Program();
  readonly inputs: PjrtTensor[] = [];
  readonly asked = new Map<PjrtTensor, boolean>();
  readonly written = new Set<PjrtTensor>();
  readonly over = new Set<PjrtTensor>();
  readonly now = new Map<PjrtTensor, Printed>();

  private argument(tensor: PjrtTensor): Printed {
    const made = this.program.argument(tensor);
    this.inputs.push(tensor);
    this.now.set(tensor, made);
    return made;
  }

  readonly read = (tensor: PjrtTensor): Printed => {
    if (this.over.has(tensor))
      fail({ where: 'device pjrt', problem: 'a tensor is read whose memory another one has' });
    return this.now.get(tensor) ?? this.argument(tensor);
  };

  readonly write = (tensor: PjrtTensor, box: Box, numbers: Printed): void => {
    if (isEmpty(box)) return;
    const { writer } = this.program;
    const whole = sameBox(box, tensor.box)
      ? numbers
      : putPart(writer, this.before(tensor), tensor.box, numbers, box);
    this.now.set(tensor, whole);
    this.over.delete(tensor);
    this.written.add(tensor);
    for (const other of this.now.keys())
      if (overlap(tensor, other)) {
        this.now.delete(other);
        this.over.add(other);
      }
  };

  /** What a tensor has before a part of it is written: zeros where it has nothing. */
  private before(tensor: PjrtTensor): Printed {
    const known = this.now.get(tensor);
    if (known !== undefined) return known;
    const { writer } = this.program;
    const present = !this.over.has(tensor) && tensor.content !== undefined;
    if (!this.over.has(tensor)) this.asked.set(tensor, present);
    return present ? this.argument(tensor) : writer.constant(writer.elementOf(tensor.dtype), 0, tensor.sizes);
  }
}

/** Prints pieces one after the other, for tensors that have numbers now or have none. */
export function printStretch(pieces: readonly Piece[]): Stretch {
  const scope = new Printing();
  for (const piece of pieces) piece.print(scope);
  const { program, inputs, now, over, written } = scope;
  const outputs = [...written].filter((tensor) => now.has(tensor));
  for (const tensor of outputs) program.result(now.get(tensor)!);
  const given = givenFor(inputs, outputs, over);
  for (const [input, output] of given) program.give(inputs.indexOf(input), outputs.indexOf(output));
  return {
    text: program.text,
    inputs,
    given: new Set(given.keys()),
    outputs,
    written: [...written],
    asked: scope.asked,
  };
}

/** Which results take the memory of which inputs: that of the same tensor, else one that is done with and of the same type. */
function givenFor(
  inputs: readonly PjrtTensor[],
  outputs: readonly PjrtTensor[],
  over: ReadonlySet<PjrtTensor>,
): ReadonlyMap<PjrtTensor, PjrtTensor> {
  const same = inputs.filter((tensor) => outputs.includes(tensor));
  const given = new Map(same.map((tensor) => [tensor, tensor]));
  const left = outputs.filter((tensor) => !given.has(tensor));
  for (const input of inputs) {
    if (!over.has(input)) continue;
    const at = left.findIndex((output) => sameType(input, output));
    if (at >= 0) given.set(input, left.splice(at, 1)[0]);
  }
  return given;
}

const sameType = (a: PjrtTensor, b: PjrtTensor): boolean =>
  a.dtype === b.dtype && sameNumbers(a.sizes, b.sizes);
