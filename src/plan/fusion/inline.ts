import { BYTES, sameBox, volume } from '../../core/index.ts';
import type { LocalNode, LocalProgram, LocalValue } from '../program.ts';
import type { FusionRules } from './kernel.ts';

/** A node that will be stored (or summed), with the element-wise nodes that it evaluates and the stored values they load. */
export interface Tree {
  readonly nodes: readonly LocalNode[];
  readonly leaves: readonly LocalValue[];
}

/** Which operations are evaluated where their results are read, and so have no memory of their own. */
export class Inlining {
  /** Those operations. */
  readonly virtual = new Set<LocalNode>();
  readonly position = new Map<LocalNode, number>();
  private readonly program: LocalProgram;
  private readonly rules: FusionRules;
  private readonly consumers = new Map<LocalValue, { node: LocalNode; input: number }[]>();
  private readonly outputs: ReadonlySet<LocalValue>;

  constructor(program: LocalProgram, rules: FusionRules) {
    this.program = program;
    this.rules = rules;
    this.outputs = new Set(program.outputs.values());
    program.nodes.forEach((node, i) => {
      this.position.set(node, i);
      node.inputs.forEach((value, input) => {
        const list = this.consumers.get(value);
        if (list) list.push({ node, input });
        else this.consumers.set(value, [{ node, input }]);
      });
    });
    this.chooseVirtual();
  }

  /** Views that are read in place, and element-wise nodes whose every use can evaluate them. */
  private chooseVirtual(): void {
    for (const node of this.program.nodes) {
      if (node.op.form === 'view') {
        if (this.readInPlace(node)) this.virtual.add(node);
        continue;
      }
      if (!this.elementwise(node)) continue;
      const [value] = node.outputs;
      if (!this.everyUse(value, (use) => this.absorbs(use.node, use.input, value))) continue;
      const { leaves, nodes } = this.tree(node);
      const large = leaves.filter(
        (leaf) => volume(leaf.shape) === volume(value.shape) && value.shape.length > 1,
      );
      const { most } = this.rules;
      // Else it is stored rather than evaluated again and again.
      if (large.length > most.loads || nodes.length > most.nodes) continue;
      if (this.replacesTerm(node, nodes, large, leaves)) continue;
      if (this.rules.stores(value, this.waitingFor(value))) continue;
      this.virtual.add(node);
    }
  }

  /**
   * A sum of stored tensors is stored in place of its last term, by the kernel that makes the term, where nothing else reads
   * that: as much is stored, and every use of the sum loads one tensor instead of all terms. (The gradient of a skip connection.)
   */
  private replacesTerm(
    node: LocalNode,
    nodes: readonly LocalNode[],
    large: readonly LocalValue[],
    leaves: readonly LocalValue[],
  ): boolean {
    const [sum] = node.outputs;
    const isSum = (at: LocalNode): boolean =>
      at.op.role === 'addition' || (at.op.role === 'conversion' && isSum(at.inputs[0].producer));
    if (large.length < 2 || !isSum(node)) return false;
    const inside = new Set([...nodes, node]);
    const before = (leaf: LocalValue, term: LocalValue): boolean =>
      leaf === term || this.position.get(leaf.producer)! < this.position.get(term.producer)!;
    return large.some(
      (term) =>
        term.producer.op.form === 'kernel' &&
        !this.elementwise(term.producer) &&
        !term.producer.collective &&
        this.rules.epilogue(term.producer.op.name) &&
        BYTES[sum.dtype] <= BYTES[term.dtype] &&
        this.everyUse(term, (use) => inside.has(use.node)) &&
        leaves.every((leaf) => before(leaf, term)) &&
        node.loops.every((box, rank) => sameBox(box, term.own[rank])),
    );
  }

  /** Operations, no element-wise ones, all of whose other inputs are made before a value. */
  private waitingFor(value: LocalValue): LocalNode[] {
    const made = (input: LocalValue): number => this.position.get(input.producer)!;
    const uses = this.consumers.get(value) ?? [];
    const nodes = uses.map(({ node }) => node).filter((node) => !this.elementwise(node));
    return nodes.filter(({ inputs }) => inputs.every((input) => made(input) <= made(value)));
  }

  /** Runs over elements, or over positions whose lanes hold all classes: kernels may evaluate it on load and on store. */
  elementwise(node: LocalNode): boolean {
    const { op, call } = node;
    if (op.form === 'pointwise') return true;
    if (node.collective || !this.rules.elementwise(node)) return false;
    return op.loops(call).every((loop) => loop.split !== 'whole' || !this.isSplit(loop.dim));
  }

  private isSplit(dim: string): boolean {
    const { cuts, mesh } = this.program;
    const axis = cuts.axisOf(dim);
    return mesh.axes.some(({ name, size }) => name === axis && size > 1);
  }

  everyUse(value: LocalValue, test: (use: { node: LocalNode; input: number }) => boolean): boolean {
    const uses = this.consumers.get(value) ?? [];
    return uses.length > 0 && !this.outputs.has(value) && uses.every(test);
  }

  private readInPlace(view: LocalNode): boolean {
    return this.everyUse(view.outputs[0], (use) => this.rules.views(view, use.node, use.input));
  }

  private absorbs(node: LocalNode, input: number, value: LocalValue): boolean {
    if (node.collective) return false;
    if (node.op.form === 'view') return this.readInPlace(node) && value.shape.length > 1;
    const isConstant = value.producer.op.role === 'constant';
    if (this.elementwise(node)) return isConstant || sameLoops(node.outputs[0], value);
    if (this.rules.sums(node)) return input === 0;
    return this.rules.prologue(node.op.name, input) && value.shape.length > 1;
  }

  /** The virtual nodes that `node` evaluates, each after its inputs, and the stored values that these and `node` load. */
  tree(node: LocalNode): Tree {
    const nodes: LocalNode[] = [];
    const leaves = new Set<LocalValue>();
    const seen = new Set<LocalNode>();
    const visit = (at: LocalNode): void => {
      for (const input of at.inputs) {
        const { producer } = input;
        if (!this.virtual.has(producer)) leaves.add(input);
        else if (!seen.has(producer)) {
          seen.add(producer);
          visit(producer);
          nodes.push(producer);
        }
      }
    };
    visit(node);
    return { nodes, leaves: [...leaves] };
  }
}

/** The dimensions of two iterations are the same, in name and size. */
export const sameLoops = (a: { shape: LocalValue['shape'] }, b: { shape: LocalValue['shape'] }): boolean =>
  a.shape.length === b.shape.length &&
  a.shape.every((dim, i) => dim.name === b.shape[i].name && dim.size === b.shape[i].size);
