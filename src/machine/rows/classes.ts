import { fail } from '../../core/index.ts';
import type { LocalNode, LocalValue } from '../../plan/index.ts';
import { defaultSlots, LANES } from '../formats/index.ts';
import { attrsOf } from './attrs.ts';
import type { RowOp } from './table.ts';

// Softmax, argmax and class losses as row programs: the classes of a voxel are the lanes of one position, so what is summed or
// compared over classes stays in registers. Logits are read once for all of them, and gradients are formed where they are loaded.
//
//   s = softmax of the logits z over lanes, hit = (lane = label)
//   cross_entropy       sum of hit * -weights[lane] * log s         dz = g * (sum over lanes of hit * weights[lane]) * (s - hit)
//   class_sums of cls   sums of s t, s and t in lane cls            dz = (g_pt t + g_p) * s[cls] * ((lane = cls) - s)
//   where t = (label = cls), the same in all lanes.

/** What is asked of the row program that takes the instructions. All numbers are registers. */
interface LaneProgram {
  evaluate(value: LocalValue): number;
  instruction(op: RowOp, src: readonly number[], imm?: number): number;
  /** One number a lane. */
  vector(values: readonly number[]): number;
}

type LossAttrs = { readonly classes: string; readonly keep: readonly string[] };

/** Values that row programs evaluate over the classes. */
const EVALUATED = ['softmax', 'cross_entropy_grad', 'class_sums_grad'];
/** What they leave: one number a position, or sums. */
const LEFT = ['argmax', 'cross_entropy', 'class_sums'];

/** True where the classes are the last dimension and fit a block, and sums keep no more than the first one. */
function overLanes(node: LocalNode): boolean {
  const { shape } = node.call.inputs[0];
  const { dim, classes, keep = [] } = node.call.attrs as Partial<LossAttrs & { readonly dim: string }>;
  const last = shape[shape.length - 1];
  if (shape.length > 5 || last.name !== (dim ?? classes) || last.size > LANES) return false;
  return keep.length === 0 || (keep.length === 1 && defaultSlots(shape).get(keep[0]) === 0);
}

export const evaluatesLanes = (node: LocalNode): boolean =>
  EVALUATED.includes(node.op.name) && overLanes(node);
export const leavesLanes = (node: LocalNode): boolean => LEFT.includes(node.op.name) && overLanes(node);

/** Register of the value of a node for which {@link evaluatesLanes} holds. */
export function evaluateLanes(program: LaneProgram, node: LocalNode): number {
  const logits = program.evaluate(node.inputs[0]);
  const softmax = program.instruction('SOFTMAX', [logits]);
  switch (node.op.name) {
    case 'softmax':
      return softmax;
    case 'cross_entropy_grad': {
      const { weights } = attrsOf<'cross_entropy_grad'>(node);
      const { hit, zero } = target(program, node);
      const weight = program.instruction('SELECT', [hit, program.vector(weights), zero]);
      const g = program.evaluate(node.inputs[2]);
      const factor = program.instruction('MUL', [g, program.instruction('LANE_SUM', [weight])]);
      return program.instruction('MUL', [factor, program.instruction('SUB', [softmax, hit])]);
    }
    case 'class_sums_grad': {
      const { cls } = attrsOf<'class_sums_grad'>(node);
      const { zero, own, actual } = target(program, node, cls);
      const p = program.instruction('LANE_SUM', [program.instruction('SELECT', [own, softmax, zero])]);
      const [both, alone] = node.inputs.slice(2).map((g) => program.evaluate(g));
      const either = program.instruction('ADD', [program.instruction('SELECT', [actual, both, zero]), alone]);
      const factor = program.instruction('MUL', [either, p]);
      return program.instruction('MUL', [factor, program.instruction('SUB', [own, softmax])]);
    }
    default:
      return fail({ where: node.call.where, problem: 'is not evaluated over classes' });
  }
}

/** Register of the result `value` of a node for which {@link leavesLanes} holds, and whether it is stored or summed. */
export function leftByLanes(
  program: LaneProgram,
  value: LocalValue,
): { readonly register: number; readonly how: 'store' | 'sum' } {
  const node = value.producer;
  const logits = program.evaluate(node.inputs[0]);
  switch (node.op.name) {
    case 'argmax':
      return { register: program.instruction('ARGMAX', [logits]), how: 'store' };
    case 'cross_entropy': {
      const { weights } = attrsOf<'cross_entropy'>(node);
      const { hit, zero } = target(program, node);
      const terms = program.instruction('MUL', [
        program.vector(weights.map((weight) => -weight)),
        program.instruction('LOG_SOFTMAX', [logits]),
      ]);
      return { register: program.instruction('SELECT', [hit, terms, zero]), how: 'sum' };
    }
    case 'class_sums': {
      const { cls } = attrsOf<'class_sums'>(node);
      const { zero, own, actual } = target(program, node, cls);
      const p = program.instruction('SELECT', [own, program.instruction('SOFTMAX', [logits]), zero]);
      const [both, predicted] = node.outputs;
      if (value === predicted) return { register: p, how: 'sum' };
      const register = program.instruction('SELECT', [actual, value === both ? p : own, zero]);
      return { register, how: 'sum' };
    }
    default:
      return fail({ where: node.call.where, problem: 'leaves nothing over classes' });
  }
}

/** Registers of a voxel's truth: hit in the lane of its label; own in the lane of `cls`; whether its label is `cls`. */
function target(
  program: LaneProgram,
  node: LocalNode,
  cls = 0,
): { hit: number; zero: number; own: number; actual: number } {
  const { shape } = node.call.inputs[0];
  const label = program.instruction(
    'LABEL',
    [program.evaluate(node.inputs[1])],
    shape[shape.length - 1].size,
  );
  const lane = program.instruction('LANE', []);
  const one = program.instruction('CONST', [], cls);
  return {
    hit: program.instruction('EQ', [lane, label]),
    zero: program.instruction('CONST', [], 0),
    own: program.instruction('EQ', [lane, one]),
    actual: program.instruction('EQ', [label, one]),
  };
}
