import type { Graph, Value } from './graph.ts';
import { showShape } from './shape.ts';

/** `%3:f32[batch=1 channel=16]` */
export function showValue(value: Value): string {
  return `%${value.id}:${value.dtype}${showShape(value.shape)}`;
}

/** Attributes as short text; long arrays are cut. */
export function showAttrs(attrs: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(attrs)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const text = JSON.stringify(value) ?? String(value);
      return `${key}=${text.length > 60 ? `${text.slice(0, 57)}...` : text}`.replaceAll('"', '');
    });
  return parts.length === 0 ? '' : ` {${parts.join(' ')}}`;
}

/** The graph as text, one line an operation. Equal graphs print alike, so the text serves as a golden. */
export function printGraph(graph: Graph): string {
  const lines = graph.nodes.map((node) => {
    const outputs = node.outputs.map(showValue).join(', ');
    const inputs = node.inputs.map((input) => `%${input.id}`).join(', ');
    const name = node.name === '' ? '' : `  # ${node.name}`;
    return `${outputs} = ${node.op.name}(${inputs})${showAttrs(node.call.attrs)}${name}`;
  });
  for (const [name, value] of graph.outputs) lines.push(`output ${name} = %${value.id}`);
  return lines.join('\n');
}
