import { fail, type Graph, type Node, type Shape, type Value } from '../../../core/index.ts';

// A graph has the sizes of one image; a model of ONNX takes images of any. So the graph is built for several images, whose sizes have
// nothing in common, and what differs between them is what depends on sizes.

/** The same node, or a value of it, in the graph of every image. */
export type Each<T> = readonly T[];

/** A size in the graph of every image. */
export type Sizes = Each<number>;

export interface Traced {
  /** Nodes that the scores are made of, in order. */
  readonly nodes: readonly Each<Node>[];
  readonly scores: Each<Value>;
  /** Names of the axes of the image between batch and channel. */
  readonly space: readonly string[];
}

/** What a graph is built of for one image. */
export interface Built {
  readonly graph: Graph;
  /** Names of the axes of the image between batch and channel. */
  readonly space: readonly string[];
  readonly scores: Value;
}

/** Batch, depth, height and width of the images: along each axis sizes that leave different rests of 2, 3, 4, 8 and 16. */
const IMAGES: readonly (readonly [batch: number, size: readonly [number, number, number]])[] = [
  [2, [521, 760, 1006]],
  [3, [558, 827, 1104]],
  [5, [620, 882, 1181]],
  [7, [675, 949, 1279]],
  [11, [736, 1013, 1340]],
  [13, [798, 1084, 1427]],
];

/** Builds the graph for every image; refuses one that is another for other sizes. */
export function traced(
  where: string,
  build: (batch: number, size: readonly [number, number, number]) => Built,
): Traced {
  const all = IMAGES.map(([batch, size]) => build(batch, size));
  const [first, ...others] = all;
  for (const { graph } of others)
    if (!sameNodes(first.graph, graph))
      fail({
        where,
        problem: 'the network is made of other operations where the image has other sizes',
        expected: 'the same ones for every size',
        hint: 'Export its weights as .safetensors',
      });
  const used = needed(first.scores);
  return {
    nodes: first.graph.nodes
      .filter((node) => used.has(node.id))
      .map(({ id }) => all.map(({ graph }) => graph.nodes[id])),
    scores: all.map(({ scores }) => scores),
    space: first.space,
  };
}

function sameNodes(one: Graph, other: Graph): boolean {
  return (
    one.nodes.length === other.nodes.length &&
    one.nodes.every((node, n) => {
      const beside = other.nodes[n];
      return (
        node.op.name === beside.op.name &&
        node.inputs.map(({ id }) => id).join() === beside.inputs.map(({ id }) => id).join() &&
        node.outputs.every((value, i) => sameNames(value.shape, beside.outputs[i].shape))
      );
    })
  );
}

const sameNames = (one: Shape, other: Shape): boolean =>
  one.map(({ name }) => name).join() === other.map(({ name }) => name).join();

/** Numbers of the nodes that a value is made of. */
function needed(value: Value): Set<number> {
  const found = new Set<number>();
  const open = [value.node];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node.id)) continue;
    found.add(node.id);
    open.push(...node.inputs.map((input) => input.node));
  }
  return found;
}

/** Whether a size is the same for every image. */
export const isFixed = (sizes: Sizes): boolean => sizes.every((size) => size === sizes[0]);
