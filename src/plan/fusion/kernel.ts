import type { DType } from '../../core/index.ts';
import type { LocalNode, LocalValue } from '../program.ts';

/** One launch on a device: an operation with the element-wise operations fused into its loads and stores. */
export interface Kernel {
  readonly kind: 'kernel';
  /** Everything it computes, each after its inputs. Element-wise nodes may stand in several kernels. */
  readonly nodes: readonly LocalNode[];
  /** The operation that is not element-wise, if there is one. */
  readonly anchor?: LocalNode;
  /** Stored tensors that it reads. */
  readonly reads: readonly LocalValue[];
  /** Tensors that it stores. */
  readonly writes: readonly LocalValue[];
}

/** Something that all ranks do together. */
export interface CollectiveStep {
  readonly kind: 'collective';
  readonly node: LocalNode;
  readonly reads: readonly LocalValue[];
  readonly writes: readonly LocalValue[];
}

export type Step = Kernel | CollectiveStep;

/** Which fusions a device's kernels can do. */
export interface FusionRules {
  /** Element-wise operations may be evaluated while input `input` of `op` is loaded. */
  prologue(op: string, input: number): boolean;
  /** Element-wise operations and sums may be evaluated while the output of `op` is stored. */
  epilogue(op: string): boolean;
  /** The view `view` may be read in place, part by part, while input `input` of `consumer` is loaded. */
  views(view: LocalNode, consumer: LocalNode, input: number): boolean;
  /**
   * While the output of `producer` is stored, the part of it that `view` takes may be stored as a tensor of its own. Where that
   * holds for everything that reads the output, the output itself is not stored.
   */
  parts(view: LocalNode, producer: LocalNode): boolean;
  /** Full tensors that an element-wise expression may load, and operations it may run, where it is evaluated as it is read. */
  readonly most: { readonly loads: number; readonly nodes: number };
  /** Whether values of an element type may be computed while a kernel stores its result. */
  epilogueType(dtype: DType): boolean;
  /** `node` is evaluated like an element-wise operation where the dimensions that it needs whole are not split. */
  elementwise(node: LocalNode): boolean;
  /** Chains of element-wise operations on input 0 and this sum, or what else is left of a pass over them, run as one kernel. */
  sums(node: LocalNode): boolean;
  /**
   * `value` is stored although every use could evaluate it. `waiting`: the operations that are no element-wise ones and of whose inputs
   * it is made last, so that it need not be kept for long on their account.
   */
  stores(value: LocalValue, waiting: readonly LocalNode[]): boolean;
}

/** No fusion: every operation is a kernel of its own. */
export const NO_FUSION: FusionRules = {
  prologue: () => false,
  epilogue: () => false,
  views: () => false,
  parts: () => false,
  elementwise: () => false,
  sums: () => false,
  stores: () => false,
  most: { loads: 4, nodes: 48 },
  epilogueType: () => true,
};

/** Short text of a step: `conv + leakyRelu, mul, add -> %12`. */
export function showStep(step: Step): string {
  if (step.kind === 'collective') return `${step.node.op.name} %${step.writes[0].id}`;
  const main = step.anchor ?? step.nodes[step.nodes.length - 1];
  const rest = step.nodes.filter((node) => node !== main).map((node) => node.op.name);
  const fused = rest.length > 0 ? ` + ${rest.join(', ')}` : '';
  return `${main.op.name}${fused} (${step.reads.map((v) => `%${v.id}`).join(' ')}) -> ${step.writes.map((v) => `%${v.id}`).join(' ')}`;
}
