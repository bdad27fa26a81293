import { contains, isSource, sameBox } from '../../core/index.ts';
import type { LocalNode, LocalProgram, LocalValue } from '../program.ts';
import { Inlining, sameLoops, type Tree } from './inline.ts';
import type { FusionRules, Kernel, Step } from './kernel.ts';

/**
 * Groups the operations of a local program into kernels. Element-wise operations are not stored where every use can evaluate
 * them on load (prologue); sums over space and stored element-wise results join the kernel that produces their input
 * (epilogue) or run together as one pass over their loads. What is read only in parts is stored as those parts.
 */
export function fuse(program: LocalProgram, rules: FusionRules): Step[] {
  return new Fuser(program, rules).run();
}

interface Group {
  anchor?: LocalNode;
  readonly nodes: Set<LocalNode>;
  readonly writes: Set<LocalValue>;
  /** Position in the program at which the group runs. */
  readonly position: number;
}

class Fuser {
  private readonly program: LocalProgram;
  private readonly rules: FusionRules;
  private readonly inlining: Inlining;
  private readonly position: ReadonlyMap<LocalNode, number>;
  private readonly outputs: ReadonlySet<LocalValue>;

  constructor(program: LocalProgram, rules: FusionRules) {
    this.program = program;
    this.rules = rules;
    this.inlining = new Inlining(program, rules);
    this.position = this.inlining.position;
    this.outputs = new Set(program.outputs.values());
  }

  run(): Step[] {
    const groups = new Map<LocalNode, Group>();
    const rows: Group[] = [];
    const steps: (Group | LocalNode)[] = [];
    for (const node of this.program.nodes) {
      if (this.inlining.virtual.has(node) || isSource(node.op)) continue;
      if (node.collective) {
        steps.push(node);
        continue;
      }
      const inRows = this.inlining.elementwise(node) || this.rules.sums(node);
      const tree = this.inlining.tree(node);
      const host = inRows
        ? (this.epilogueHost(node, tree, groups) ?? this.rowsHost(node, tree, rows))
        : this.partsHost(node, groups);
      if (host) {
        for (const member of [...tree.nodes, node]) host.nodes.add(member);
        for (const output of node.outputs) host.writes.add(output);
        groups.set(node, host);
        continue;
      }
      const group: Group = {
        anchor: inRows ? undefined : node,
        nodes: new Set([...tree.nodes, node]),
        writes: new Set(node.outputs),
        position: this.position.get(node)!,
      };
      groups.set(node, group);
      if (inRows) rows.push(group);
      steps.push(group);
    }
    const all = steps.map((step) => (isNode(step) ? this.collectiveStep(step) : this.kernel(step)));
    const scheduled = this.withoutUnread(all);
    // Variables change when everything else has read them.
    const assigns = (step: Step): boolean => step.kind === 'kernel' && step.anchor?.op.role === 'assign';
    return [...scheduled.filter((step) => !assigns(step)), ...scheduled.filter(assigns)];
  }

  /** The kernel whose epilogue can compute `node`: it produces one of the leaves over the same box, after all the others. */
  private epilogueHost(
    node: LocalNode,
    tree: Tree,
    groups: ReadonlyMap<LocalNode, Group>,
  ): Group | undefined {
    const sources = tree.leaves.map((leaf) => this.beforeExchange(leaf));
    const anchors = tree.leaves.flatMap((leaf, i) => this.epilogueOf(leaf, sources[i], groups) ?? []);
    const last = anchors.sort((a, b) => this.position.get(b)! - this.position.get(a)!)[0];
    if (!last || !this.rules.epilogue(last.op.name)) return undefined;
    const computed = [...tree.nodes, ...(this.inlining.elementwise(node) ? [node] : [])];
    if (!computed.every(({ outputs }) => this.rules.epilogueType(outputs[0].dtype))) return undefined;
    const host = groups.get(last)!;
    const [result] = last.outputs;
    const space = this.loopSpace(node);
    if (!space.every((box, rank) => sameBox(box, result.own[rank]))) return undefined;
    if (!sameLoops(this.iterated(node), result)) return undefined;
    const here = (leaf: LocalValue, i: number): boolean =>
      sources[i] === result || this.epilogueOf(leaf, sources[i], groups) === last;
    const ready = sources.every(
      (source, i) => here(tree.leaves[i], i) || this.storedBefore(source, host.position, groups),
    );
    // Collectives make a value available only after they ran.
    const direct = tree.leaves.every((leaf, i) => here(leaf, i) || this.readyAt(leaf) < host.position);
    return ready && direct ? host : undefined;
  }

  /** The anchor whose kernel has `leaf` in registers while it stores: its result, or what its epilogue made of that. */
  private epilogueOf(
    leaf: LocalValue,
    source: LocalValue,
    groups: ReadonlyMap<LocalNode, Group>,
  ): LocalNode | undefined {
    const { producer } = source;
    const anchor = groups.get(producer)?.anchor;
    return producer === anchor || (this.inlining.elementwise(producer) && leaf === source)
      ? anchor
      : undefined;
  }

  /** The kernel that produces what the view `node` takes a part of, where it stores nothing but such parts. */
  private partsHost(node: LocalNode, groups: ReadonlyMap<LocalNode, Group>): Group | undefined {
    if (node.op.form !== 'view' || node.inputs.length !== 1) return undefined;
    const [whole] = node.inputs;
    const host = groups.get(whole.producer);
    if (
      host?.anchor !== whole.producer ||
      !this.inlining.everyUse(whole, (use) => this.isPart(use.node, whole))
    )
      return undefined;
    host.writes.delete(whole);
    return host;
  }

  /** `view` takes a part of `whole` that the producer of `whole` can store, on every rank from what the rank owns. */
  private isPart(view: LocalNode, whole: LocalValue): boolean {
    if (view.op.form !== 'view' || this.inlining.virtual.has(view) || view.collective) return false;
    const here = view.loops.every((loop, rank) =>
      contains(whole.own[rank], view.op.reads(view.call, loop)[0]),
    );
    return here && this.rules.parts(view, whole.producer);
  }

  /** An earlier pass over the same boxes that can compute `node` too. */
  private rowsHost(node: LocalNode, tree: Tree, rows: readonly Group[]): Group | undefined {
    const space = this.loopSpace(node);
    for (let i = rows.length - 1; i >= 0 && i >= rows.length - 8; i--) {
      const group = rows[i];
      const [first] = group.nodes;
      const root = [...group.nodes][group.nodes.size - 1];
      if (group.nodes.size > this.rules.most.nodes || !first) continue;
      if (!sameLoops(this.iterated(root), this.iterated(node))) continue;
      if (!this.loopSpace(root).every((box, rank) => sameBox(box, space[rank]))) continue;
      if (tree.leaves.every((leaf) => this.readyAt(leaf) < group.position && !group.writes.has(leaf)))
        return group;
    }
    return undefined;
  }

  /** Position after which a stored value can be read; one that moved into an earlier kernel is taken where it stood. */
  private readyAt(leaf: LocalValue): number {
    return isSource(leaf.producer.op) ? -1 : this.position.get(leaf.producer)!;
  }

  private storedBefore(leaf: LocalValue, position: number, groups: ReadonlyMap<LocalNode, Group>): boolean {
    return (groups.get(leaf.producer)?.position ?? this.readyAt(leaf)) < position;
  }

  /** For an exchange in place read within what its source already held: the source. */
  private beforeExchange(leaf: LocalValue): LocalValue {
    const { collective, inputs } = leaf.producer;
    return collective?.kind === 'exchange' && collective.inPlace ? inputs[0] : leaf;
  }

  /** Box of each rank that a pass runs over: the output of an element-wise node, input 0 of a sum. */
  private loopSpace(node: LocalNode): LocalValue['own'] {
    if (this.inlining.elementwise(node)) return node.loops;
    return node.loops.map((loop) => node.op.reads(node.call, loop)[0]);
  }

  private iterated(node: LocalNode): LocalNode['call']['inputs'][number] {
    return this.inlining.elementwise(node) ? node.call.outputs[0] : node.call.inputs[0];
  }

  private kernel(group: Group): Kernel {
    const order = [...group.nodes].sort((a, b) => this.position.get(a)! - this.position.get(b)!);
    const made = new Set(order.flatMap((node) => node.outputs));
    const reads = new Set<LocalValue>();
    for (const node of order) for (const input of node.inputs) if (!made.has(input)) reads.add(input);
    // What an epilogue reads of its own anchor through an exchange is not a load.
    if (group.anchor)
      for (const value of [...reads]) if (made.has(this.beforeExchange(value))) reads.delete(value);
    return {
      kind: 'kernel',
      nodes: order,
      anchor: group.anchor,
      reads: [...reads],
      writes: [...group.writes],
    };
  }

  /** Results that only their own kernel's epilogue reads are not stored. */
  private withoutUnread(steps: readonly Step[]): Step[] {
    const read = new Set<LocalValue>([...this.outputs, ...steps.flatMap((step) => step.reads)]);
    return steps.map((step) => {
      if (step.kind !== 'kernel' || step.anchor === undefined) return step;
      const unread = step.anchor.outputs.filter((value) => !read.has(value) && step.writes.length > 1);
      return { ...step, writes: step.writes.filter((value) => !unread.includes(value)) };
    });
  }

  private collectiveStep(node: LocalNode): Step {
    return { kind: 'collective', node, reads: node.inputs, writes: node.outputs };
  }
}

const isNode = (step: Group | LocalNode): step is LocalNode => 'op' in step;
