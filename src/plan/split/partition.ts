import {
  type Box,
  BYTES,
  CutTable,
  contains,
  fail,
  type Graph,
  hull,
  isEmpty,
  isSource,
  type Layout,
  type Loop,
  type Mesh,
  meshGroups,
  type Node,
  range,
  type TensorType,
  type Value,
  volume,
} from '../../core/index.ts';
import { allReduce, exchange } from '../../ops/index.ts';
import type { ExchangePlan, LocalNode, LocalProgram, LocalValue } from '../program.ts';
import { planTransfers } from './exchange.ts';

/**
 * Splits a graph over a mesh. Owner computes: every rank runs every operation over its own loop box, which follows from the
 * layout; what it reads and does not own is exchanged first, and partial sums are all-reduced. Element-wise operations are
 * recomputed in the margins where that sends no more bytes, so that exchanges move towards stored tensors. `machines`: that of each
 * rank, by number.
 */
export function partition(graph: Graph, m: Mesh, layout: Layout, machines?: readonly number[]): LocalProgram {
  return new Partitioner(m, layout, machines).run(graph);
}

/**
 * Refuses splits that are none: a dimension that no tensor of the graph has, one that no operation can split, and more parts
 * than the dimension has positions anywhere. {@link partition} itself leaves such a dimension whole, or blocks empty.
 */
export function checkSplits(graph: Graph, m: Mesh, layout: Layout): void {
  for (const [dim, name] of Object.entries(layout)) {
    const parts = m.axes.find((axis) => axis.name === name)?.size ?? 1;
    if (parts === 1) continue;
    const loops = liveNodes(graph).flatMap(({ op, call }) => op.loops(call).filter((l) => l.dim === dim));
    const where = `split ${dim}=${parts}`;
    const all = new Set(graph.nodes.flatMap(({ call }) => call.outputs.flatMap((type) => type.shape)));
    const size = [...all].reduce((most, d) => (d.name === dim ? Math.max(most, d.size) : most), 0);
    const hint = 'Change --split, or --mesh and --layout';
    if (size === 0)
      fail({
        where,
        problem: `no tensor has a dimension "${dim}"`,
        expected: [...new Set([...all].map((d) => d.name))].join(', '),
        hint,
      });
    if (loops.every(({ split }) => split === 'whole'))
      fail({ where, problem: `no operation can split "${dim}"`, hint });
    if (parts > size)
      fail({
        where,
        problem: 'more parts than there are positions',
        expected: `at most ${size}, the ${dim} of the volume`,
        found: String(parts),
        hint,
      });
  }
}

class Partitioner {
  private readonly cuts: CutTable;
  private readonly nodes: LocalNode[] = [];
  private readonly local = new Map<Value, LocalValue>();
  /** Exchange of a value, made at the first need and widened by later ones. */
  private readonly exchanges = new Map<LocalValue, LocalNode>();
  /** The value that an exchange widens. */
  private readonly baseOf = new Map<LocalValue, LocalValue>();
  private readonly mesh: Mesh;
  private readonly machines?: readonly number[];
  private nextValue = 0;
  private nextNode = 0;

  constructor(m: Mesh, layout: Layout, machines?: readonly number[]) {
    this.mesh = m;
    this.machines = machines;
    this.cuts = new CutTable(m, layout);
  }

  run(graph: Graph): LocalProgram {
    const inputs = new Map<string, LocalValue>();
    const variables = new Map<string, LocalValue>();
    for (const node of liveNodes(graph)) {
      const local = this.place(node);
      const name = (node.call.attrs as { name?: string }).name;
      if (node.op.role === 'input') inputs.set(name!, local[0]);
      if (node.op.role === 'variable') variables.set(name!, local[0]);
    }
    const outputs = new Map([...graph.outputs].map(([name, value]) => [name, this.local.get(value)!]));
    for (const [value, node] of this.exchanges) this.finishExchange(value, node);
    return { mesh: this.mesh, cuts: this.cuts, nodes: this.ordered(), outputs, inputs, variables };
  }

  /** Puts one operation of the graph on the ranks. */
  private place(node: Node): LocalValue[] {
    const { op, call } = node;
    const loops = op.loops(call);
    for (const loop of loops)
      if (loop.follows && this.cuts.axisOf(loop.dim) !== undefined && !this.cuts.has(loop.dim, loop.size))
        this.cuts.define(loop.dim, loop.size, loop.follows.cuts(this.cuts.of(loop.dim, loop.follows.size)));

    const { splits, summedAxes } = this.splitLoops(loops);
    const boxes = this.ranks((rank) => onCells(loops, this.cuts.box(asShape(loops), rank, splits)));
    const reads = boxes.map((box) => op.reads(call, box));
    const inputs = node.inputs.map((input, i) =>
      this.ensure(
        this.local.get(input)!,
        reads.map((r, rank) => (isEmpty(boxes[rank]) ? emptied(r[i]) : r[i])),
      ),
    );
    const writes = boxes.map((box) => op.writes(call, box));
    const made = this.emit(node, inputs, boxes, (o) => writes.map((w) => w[o]));
    const results = made.outputs.map((output) =>
      summedAxes.length === 0 ? output : this.reduce(output, summedAxes, op.combine),
    );
    node.outputs.forEach((output, i) => {
      this.local.set(output, results[i]);
    });
    return results;
  }

  /** Which loops the layout splits. An axis splits one loop at most; output dimensions come before sums. */
  private splitLoops(loops: readonly Loop[]): { splits: boolean[]; summedAxes: string[] } {
    const used = new Set<string>();
    const summedAxes: string[] = [];
    const splits = loops.map((loop) => {
      const axis = this.cuts.axisOf(loop.dim);
      if (axis === undefined || loop.split === 'whole' || used.has(axis)) return false;
      used.add(axis);
      if (loop.split === 'sum') summedAxes.push(axis);
      return true;
    });
    return {
      splits,
      summedAxes: summedAxes.filter((axis) => this.mesh.axes.find((a) => a.name === axis)!.size > 1),
    };
  }

  private emit(
    node: { op: LocalNode['op']; call: LocalNode['call']; name: string },
    inputs: LocalValue[],
    loops: Box[],
    own: (output: number) => Box[],
    collective?: LocalNode['collective'],
  ): LocalNode {
    const outputs: LocalValue[] = [];
    const { op, call, name } = node;
    const made: LocalNode = { id: this.nextNode++, op, call, inputs, outputs, loops, name, collective };
    call.outputs.forEach((type, o) => {
      const boxes = own(o);
      outputs.push({
        id: this.nextValue++,
        producer: made,
        shape: type.shape,
        dtype: type.dtype,
        own: boxes,
        valid: [...boxes],
      });
    });
    this.nodes.push(made);
    return made;
  }

  private reduce(value: LocalValue, axes: string[], combine: 'sum' | 'max' | 'min'): LocalValue {
    const groups = meshGroups(this.mesh, axes);
    const { machines } = this;
    const plan = { kind: 'all_reduce', axes, groups, combine, ...(machines && { machines }) } as const;
    return this.collective(value, allReduce, plan).outputs[0];
  }

  private collective(value: LocalValue, op: LocalNode['op'], plan: LocalNode['collective']): LocalNode {
    const type: TensorType = { shape: value.shape, dtype: value.dtype };
    const { name } = value.producer;
    const call = {
      attrs: {},
      inputs: [type],
      outputs: [type],
      where: name === '' ? op.name : `${op.name} "${name}"`,
    };
    return this.emit({ op, call, name }, [value], [...value.own], () => [...value.own], plan);
  }

  /** A version of `value` that holds `need` on every rank. */
  private ensure(value: LocalValue, need: readonly Box[]): LocalValue {
    const base = this.baseOf.get(value) ?? value;
    if (covers(base.valid, need)) return base;
    const existing = this.exchanges.get(base);
    if (
      existing === undefined &&
      base.producer.op.form !== 'kernel' &&
      this.bytesToGrow(base, need) <= bytesPerElement(base) * volume(base.shape)
    ) {
      this.grow(base, need);
      return base;
    }
    const node =
      existing ?? this.collective(base, exchange, { kind: 'exchange', transfers: [], inPlace: true });
    const [wide] = node.outputs;
    wide.valid = wide.valid.map((box, rank) => hull(box, need[rank]));
    this.exchanges.set(base, node);
    this.baseOf.set(wide, base);
    return wide;
  }

  /** Recomputes an element-wise operation or a view over wider boxes. */
  private grow(value: LocalValue, need: readonly Box[]): void {
    const node = value.producer;
    node.loops = node.loops.map((box, rank) => hull(box, need[rank]));
    value.valid = [...node.loops];
    const reads = node.loops.map((box) => node.op.reads(node.call, box));
    node.inputs = node.inputs.map((input, i) =>
      this.ensure(
        input,
        reads.map((r, rank) => (isEmpty(node.loops[rank]) ? emptied(r[i]) : r[i])),
      ),
    );
  }

  /** Size in bytes of the tensors that would newly have to be exchanged if `value` were recomputed over `need`. */
  private bytesToGrow(value: LocalValue, need: readonly Box[]): number {
    const base = this.baseOf.get(value) ?? value;
    if (covers(base.valid, need) || this.exchanges.has(base)) return 0;
    const { op, call, inputs } = base.producer;
    if (op.form === 'kernel') return bytesPerElement(base) * volume(base.shape);
    const reads = need.map((box) => op.reads(call, box));
    return inputs.reduce(
      (sum, input, i) =>
        sum +
        this.bytesToGrow(
          input,
          reads.map((r, rank) => (isEmpty(need[rank]) ? emptied(r[i]) : r[i])),
        ),
      0,
    );
  }

  /** Decides where the fetched part goes and who sends what, once all needs are known. */
  private finishExchange(value: LocalValue, node: LocalNode): void {
    const plan = node.collective as ExchangePlan;
    const [wide] = node.outputs;
    // A variable's buffer lives on after the run and is shared with other programs: its boxes stay as they are. What is combined
    // has no margins, which would be sent and combined with it.
    plan.inPlace = value.producer.op.role !== 'variable' && value.producer.op !== allReduce;
    plan.transfers = planTransfers(this.mesh, value.own, value.valid, wide.valid, plan.inPlace);
  }

  /** Exchanges run right after the operation whose result they widen. */
  private ordered(): LocalNode[] {
    const after = new Map<LocalNode, LocalNode[]>();
    const list: LocalNode[] = [];
    for (const node of this.nodes) {
      if (node.collective?.kind !== 'exchange') continue;
      const { producer } = node.inputs[0];
      after.set(producer, [...(after.get(producer) ?? []), node]);
    }
    const push = (node: LocalNode): void => {
      list.push(node);
      for (const next of after.get(node) ?? []) push(next);
    };
    for (const node of this.nodes) if (node.collective?.kind !== 'exchange') push(node);
    return list;
  }

  private ranks<T>(each: (rank: number) => T): T[] {
    return Array.from({ length: this.mesh.size }, (_, rank) => each(rank));
  }
}

/** Operations that an output, a variable or an assignment depends on; gradient rules make more than are asked for. */
function liveNodes(graph: Graph): Node[] {
  const live = new Set<Node>([...graph.outputs.values()].map((value) => value.node));
  for (const node of [...graph.nodes].reverse()) {
    if (node.op.role === 'assign' || isSource(node.op)) live.add(node);
    if (live.has(node)) for (const input of node.inputs) live.add(input.node);
  }
  return graph.nodes.filter((node) => live.has(node));
}

/** Moves the bounds of sums to multiples of their cells. Bounds that ranks share move alike, so nothing is lost or doubled. */
function onCells(loops: readonly Loop[], box: Box): Box {
  return box.map((r, i) => {
    const { cell = 1, size } = loops[i];
    const move = (at: number): number => (at === size ? size : Math.min(size, Math.round(at / cell) * cell));
    return range(move(r.start), move(r.end));
  });
}

const asShape = (loops: readonly Loop[]) => loops.map((loop) => ({ name: loop.dim, size: loop.size }));
const emptied = (box: Box): Box => box.map((r) => ({ start: r.start, end: r.start }));
const bytesPerElement = (value: LocalValue): number => BYTES[value.dtype];
const covers = (have: readonly Box[], need: readonly Box[]): boolean =>
  need.every((box, rank) => contains(have[rank], box));
