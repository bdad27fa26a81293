import {
  type Box,
  CutTable,
  contains,
  fail,
  type Graph,
  hull,
  isEmpty,
  type Loop,
  mesh,
  type Node,
  range,
  type Value,
  wholeBox,
} from '../../core/index.ts';
import type { LocalNode, LocalProgram, LocalValue } from '../program.ts';

/** A box of each output of a graph, by name; all of an output that is not named. */
export type Region = Readonly<Record<string, Box>>;

/**
 * The program of one rank that computes boxes of a graph's outputs and nothing else. What each operation must compute follows
 * from the outputs backwards, by the operations' own read rules; so the margin of a whole network is what its windows read,
 * and no more of its inputs than that is asked for.
 *
 * Tensors keep their global shapes and coordinates. So zeros stand at the edges of the volume alone, pooling and tiles lie
 * where they lie for the whole volume, and a device picks the kernels that it picks there: results are those of the whole
 * program, bit for bit. An operation whose sums run over a dimension that is cut is refused: it would need all of its input.
 */
export function partitionRegion(graph: Graph, region: Region): LocalProgram {
  const needs = new Map<Value, Box>();
  const cut = new Set<string>();
  for (const [name, value] of graph.outputs) {
    const box = region[name] ?? wholeBox(value.shape);
    checkBox(name, value, box);
    value.shape.forEach((dim, i) => {
      if (box[i].end - box[i].start < dim.size) cut.add(dim.name);
    });
    needs.set(value, widened(needs.get(value), box));
  }
  const loops = new Map<Node, Box>();
  for (const node of [...graph.nodes].reverse()) {
    if (node.op.role === 'variable') needs.set(node.outputs[0], wholeBox(node.outputs[0].shape));
    if (node.op.role === 'assign' && cut.size > 0)
      fail({
        where: node.call.where,
        problem: 'changes a variable, which takes the whole volume',
        hint: 'Blocks are for prediction',
      });
    const live = node.outputs.some((value) => needs.has(value)) || node.op.role === 'assign';
    if (!live && node.op.role !== 'input') continue;
    const loop = loopOver(node, needs, cut);
    loops.set(node, loop);
    const reads = node.op.reads(node.call, loop);
    node.inputs.forEach((input, i) => {
      needs.set(input, widened(needs.get(input), reads[i]));
    });
  }
  return assemble(graph, loops);
}

/** The part of an operation's work that makes what is needed of its outputs. */
function loopOver(
  { op, call, outputs }: Node,
  needs: ReadonlyMap<Value, Box>,
  cut: ReadonlySet<string>,
): Box {
  const loops = op.loops(call);
  const all = loops.map(({ size }) => range(0, size));
  if (op.role === 'variable') return all;
  const need = needs.get(outputs[0]);
  // An input that nothing reads is still there to be given.
  if (need === undefined && op.role === 'input') return all.map(() => range(0, 0));
  const loop = all.map((whole, i) => {
    const { split, dim } = loops[i];
    if ((split === 'whole' || split === 'sum') && cut.has(dim)) refuse(call.where, loops[i]);
    return need === undefined || split === 'whole' || split === 'sum' ? whole : (need[i] ?? whole);
  });
  const writes = op.writes(call, loop);
  const enough = outputs.every((value, i) => !needs.has(value) || contains(writes[i], needs.get(value)!));
  return enough ? loop : all;
}

function refuse(where: string, { dim }: Loop): never {
  return fail({
    where,
    problem: `cannot be computed in blocks: it takes all of "${dim}" at once`,
    expected: 'a network whose voxels depend on their neighbourhood alone, such as one with batch norm',
    hint: 'Statistics of instance and group norm are taken over the whole volume: cut it into parts with --split',
  });
}

function assemble(graph: Graph, loops: ReadonlyMap<Node, Box>): LocalProgram {
  const m = mesh({});
  const local = new Map<Value, LocalValue>();
  const nodes: LocalNode[] = [];
  const inputs = new Map<string, LocalValue>();
  const variables = new Map<string, LocalValue>();
  for (const node of graph.nodes) {
    const loop = loops.get(node);
    if (loop === undefined) continue;
    const { op, call, name } = node;
    const outputs: LocalValue[] = [];
    const made: LocalNode = {
      id: nodes.length,
      ...{ op, call, name, outputs },
      inputs: node.inputs.map((input) => local.get(input)!),
      loops: [loop],
    };
    const writes = op.writes(call, loop);
    node.outputs.forEach((value, i) => {
      const { shape, dtype, id } = value;
      const placed = { id, producer: made, shape, dtype, own: [writes[i]], valid: [writes[i]] };
      outputs.push(placed);
      local.set(value, placed);
    });
    nodes.push(made);
    const key = (call.attrs as { name?: string }).name;
    if (op.role === 'input') inputs.set(key!, outputs[0]);
    if (op.role === 'variable') variables.set(key!, outputs[0]);
  }
  const outputs = new Map([...graph.outputs].map(([name, value]) => [name, local.get(value)!]));
  return { mesh: m, cuts: new CutTable(m, {}), nodes, outputs, inputs, variables };
}

function checkBox(name: string, { shape }: Value, box: Box): void {
  const inside = box.length === shape.length && contains(wholeBox(shape), box) && !isEmpty(box);
  if (inside) return;
  fail({
    where: `output "${name}"`,
    problem: 'impossible box',
    expected: `${shape.length} ranges within ${shape.map((dim) => `${dim.name} ${dim.size}`).join(', ')}`,
    found: box.map(({ start, end }) => `${start}:${end}`).join(' '),
  });
}

const widened = (have: Box | undefined, more: Box): Box => (have === undefined ? more : hull(have, more));
