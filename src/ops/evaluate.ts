import {
  type Block,
  fail,
  type Graph,
  isSource,
  type Node,
  type Value,
  volume,
  wholeBox,
  zeros,
} from '../core/index.ts';

/** Values of the graph's inputs and variables by name, row-major. */
export type Feeds = Readonly<Record<string, Float64Array>>;

/**
 * Values of a graph by the operations' own references: one rank, float64, nothing fused. Slow and obvious; every device and
 * every partitioned run is judged against it. Every input and variable that the values depend on must be fed.
 */
export function evaluate(graph: Graph, feeds: Feeds, values: readonly Value[]): Float64Array[] {
  const blocks = new Map<number, Block>();
  for (const node of neededNodes(graph, values)) {
    const outputs = node.outputs.map((value) => zeros(value.shape, wholeBox(value.shape)));
    if (isSource(node.op)) outputs[0].data.set(fed(node, feeds));
    else {
      const inputs = node.inputs.map((value) => blocks.get(value.id)!);
      const loop = node.op.loops(node.call).map((l) => ({ start: 0, end: l.size }));
      node.op.reference(node.call, loop, inputs, outputs);
    }
    node.outputs.forEach((value, i) => {
      blocks.set(value.id, outputs[i]);
    });
  }
  return values.map((value) => blocks.get(value.id)!.data);
}

/** The operations that the values depend on, in the graph's order. */
function neededNodes(graph: Graph, values: readonly Value[]): Node[] {
  const needed = new Set<number>();
  for (const value of values) {
    if (value.graph !== graph) fail({ where: 'evaluate', problem: 'a value belongs to another graph' });
    needed.add(value.node.id);
  }
  for (const node of [...graph.nodes].reverse())
    if (needed.has(node.id)) for (const input of node.inputs) needed.add(input.node.id);
  return graph.nodes.filter((node) => needed.has(node.id));
}

function fed(node: Node, feeds: Feeds): Float64Array {
  const name = String(node.call.attrs.name);
  const count = volume(node.outputs[0].shape);
  const data = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
  if (data === undefined)
    return fail({
      where: `evaluate: ${node.op.name} "${name}"`,
      problem: 'no value was given for it',
      expected: `${count} numbers`,
      hint: `Given are: ${Object.keys(feeds).join(', ') || 'none'}`,
    });
  if (data.length !== count)
    fail({
      where: `evaluate: ${node.op.name} "${name}"`,
      problem: 'wrong number of values',
      expected: String(count),
      found: String(data.length),
    });
  return data;
}
