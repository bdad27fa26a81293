import type { Graph, Value } from './graph.ts';
import { hashText } from './hash.ts';
import { type Shape, showShape } from './shape.ts';
import type { Window } from './window.ts';

/** `%3:f32[batch=1 channel=16]` */
export function showValue(value: Value): string {
  return `%${value.id}:${value.dtype}${showShape(value.shape)}`;
}

/**
 * Attributes as text: `{window={depth=k3 s1 d1 p1:1} dtype=f32}`. Nothing is left out, so that texts differ where attributes do:
 * of a long list of numbers its length and a sum over all of it stand for the rest.
 */
export function showAttrs(attrs: Readonly<Record<string, unknown>>): string {
  const parts = entries(attrs);
  return parts.length === 0 ? '' : ` {${parts.join(' ')}}`;
}

const entries = (record: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(record).flatMap(([key, value]) => (value === undefined ? [] : `${key}=${show(value)}`));

function show(value: unknown): string {
  if (Array.isArray(value)) return isShape(value) ? showShape(value) : showList(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (isWindow(value)) {
    const { kernel, stride, dilation, padLow, padHigh } = value;
    return `k${kernel} s${stride} d${dilation} p${padLow}:${padHigh}`;
  }
  return `{${entries(value as Readonly<Record<string, unknown>>).join(' ')}}`;
}

const isShape = (list: readonly unknown[]): list is Shape =>
  list.length > 0 && list.every((item) => isRecord(item) && Object.keys(item).join() === 'name,size');

const isWindow = (value: object): value is Window =>
  isRecord(value) && Object.keys(value).sort().join() === 'dilation,kernel,padHigh,padLow,stride';

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Numbers of a list that are shown. */
const SHOWN = 8;

function showList(list: readonly unknown[]): string {
  const all = list.map(show).join(',');
  if (list.length <= SHOWN) return `[${all}]`;
  return `[${list.slice(0, 3).map(show).join(',')}... ${list.length} in all #${hashText(all).toString(16)}]`;
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
