import {
  type DType,
  type Mesh,
  meshCoordinates,
  printable,
  type Range,
  type Shape,
  showMesh,
  showShape,
} from '../core/index.ts';
import type { LocalNode, LocalProgram, LocalValue } from '../plan/index.ts';
import { Body, type Place } from './body.ts';
import type { Wide } from './lines.ts';
import { attributesText, moduleText, returned } from './module-text.ts';
import { axesOf, blockText, type Layouts, meshText, shardingText } from './shardings.ts';
import { list, type Tensor, typeOf } from './types.ts';

/** An argument or a result of a printed program. */
export interface Port {
  readonly name: string;
  readonly kind: 'input' | 'variable' | 'output';
  readonly dtype: DType;
  /** Of the whole tensor. */
  readonly shape: Shape;
  /** The axis of the mesh over whose devices each dimension is cut, each into equal blocks; undefined where all of it is on each. */
  readonly axes: readonly (string | undefined)[];
  /**
   * What the program's tensor holds of the whole one: along each dimension the places there of its own, -1 where there are zeros. A
   * dimension that halomesh cuts unevenly has blocks of the largest one's size, with zeros behind what is smaller.
   */
  readonly places: readonly (readonly number[])[];
}

/** A program as text, with what goes in and out. */
export interface Printed {
  readonly text: string;
  readonly arguments: readonly Port[];
  /** Outputs, then the new values of variables that change. */
  readonly results: readonly Port[];
}

export interface PrintOptions {
  /** Of the module. */
  readonly name?: string;
  /** What float64 becomes: sums, losses and numbers of optimizers are held in it. */
  readonly wide?: Wide;
  /** Annotations for a compiler that splits the program itself; the local program is that of one rank. */
  readonly layouts?: Layouts;
}

type Placed = Port & Place;

/** A program of all ranks: every device runs it over its own blocks, and exchanges are collective permutes. */
export function printProgram(program: LocalProgram, options: PrintOptions = {}): Printed {
  const { name = 'halomesh', wide, layouts } = options;
  const { mesh } = program;
  const body = new Body(
    Array.from({ length: mesh.size }, (_, rank) => rank),
    wide,
  );
  const [args, results] = portsOf(program, body);
  const taken = args.map((arg, i) => body.take(arg, mesh.size === 1 ? `%arg${i}` : `%block${i}`));
  for (const node of program.nodes) body.add(node, mesh);
  const given = results.map((result) => body.give(result));
  // The memory of a variable becomes that of its new value.
  const donated = ({ kind, name: key }: Port): string[] => {
    const at = results.findIndex((result) => result.kind === 'variable' && result.name === key);
    return kind === 'variable' && at >= 0 ? [`tf.aliasing_output = ${at} : i32`] : [];
  };
  const manual =
    mesh.size === 1 ? undefined : manualOf(mesh, taken.map(paired(args)), given.map(paired(results)));
  const sharding = (port: Port): string[] => {
    if (layouts) return [shardingText(layouts, port.shape)];
    return manual ? [`sdy.sharding = #sdy.sharding${blockText(port.axes)}`] : [];
  };
  const told = layouts?.style !== 'gspmd' ? (layouts?.mesh ?? (manual && mesh)) : undefined;
  const outer = manual ?? { takes: taken, gives: given, before: [], after: [] };
  const text = moduleText({
    name,
    devices: layouts?.mesh.size ?? mesh.size,
    head: [
      ...args.map((arg, i) => `// %arg${i} ${portText(arg)}`),
      ...results.map((result, i) => `// result ${i} ${portText(result)}`),
      ...(told ? [meshText(told)] : []),
    ],
    arguments: outer.takes.map((t, i) => [t, attributesText([...donated(args[i]), ...sharding(args[i])])]),
    results: outer.gives.map((t, i) => [t, attributesText(sharding(results[i]))]),
    lines: [
      ...outer.before,
      ...body.writer.lines.map((line) => (manual ? `  ${line}` : line)),
      ...outer.after,
    ],
  });
  const plain = ({ value: _, boxes: __, ...port }: Placed): Port =>
    layouts ? { ...port, axes: axesOf(layouts, port.shape) } : port;
  return { text, arguments: args.map(plain), results: results.map(plain) };
}

/** Arguments and results: inputs and variables; outputs and new values of variables. */
function portsOf(program: LocalProgram, body: Body): [Placed[], Placed[]] {
  const port = (kind: Port['kind'], key: string, value: LocalValue): Placed => {
    const { shape, dtype, own: boxes } = value;
    const sizes = body.sizes({ value, boxes });
    const cut = shape.map((_, dim) =>
      cutOf(
        program.mesh,
        boxes.map((box) => box[dim]),
        sizes[dim],
      ),
    );
    const [axes, places] = [cut.map(({ axis }) => axis), cut.map((one) => one.places)];
    return { name: key, kind, dtype, shape, axes, places, boxes, value };
  };
  const args = [
    ...[...program.inputs].map(([key, value]) => port('input', key, value)),
    ...[...program.variables].map(([key, value]) => port('variable', key, value)),
  ];
  const assigned = new Map(program.nodes.filter(({ op }) => op.role === 'assign').map(named));
  const changed = args.flatMap((arg): Placed[] => {
    const value = arg.kind === 'variable' ? assigned.get(arg.name) : undefined;
    return value === undefined ? [] : [{ ...arg, value }];
  });
  return [args, [...[...program.outputs].map(([key, value]) => port('output', key, value)), ...changed]];
}

/** The axis of a mesh over which a dimension is cut, by the ranges that ranks have of it, and what stands in the blocks side by side. */
function cutOf(
  mesh: Mesh,
  ranges: readonly Range[],
  size: number,
): { readonly axis: string | undefined; readonly places: readonly number[] } {
  const held = ({ start, end }: Range): number[] =>
    Array.from({ length: size }, (_, n) => (start + n < end ? start + n : -1));
  if (ranges.every((range) => sameRange(range, ranges[0])))
    return { axis: undefined, places: held(ranges[0]) };
  const coordinates = ranges.map((_, rank) => meshCoordinates(mesh, rank));
  for (const [a, axis] of mesh.axes.entries()) {
    const first = Array.from({ length: axis.size }, (_, n) => coordinates.findIndex((at) => at[a] === n));
    if (ranges.every((range, rank) => sameRange(range, ranges[first[coordinates[rank][a]]])))
      return { axis: axis.name, places: first.flatMap((rank) => held(ranges[rank])) };
  }
  throw new Error(`a dimension is cut over no axis of ${showMesh(mesh)}`);
}

const sameRange = (a: Range, b: Range): boolean => a.start === b.start && a.end === b.end;

type Blocks = readonly [tensor: Tensor, port: Port];
const paired =
  (ports: readonly Port[]) =>
  (tensor: Tensor, i: number): Blocks => [tensor, ports[i]];

/** What stands around a program of blocks: tensors of all devices in and out, and the lines before and after its own. */
interface Around {
  readonly takes: readonly Tensor[];
  readonly gives: readonly Tensor[];
  readonly before: readonly string[];
  readonly after: readonly string[];
}

function manualOf(mesh: Mesh, taken: readonly Blocks[], given: readonly Blocks[]): Around {
  const whole = ([{ element }, { places }]: Blocks, id: string): Tensor => ({
    ...{ id, element },
    sizes: places.map(({ length }) => length),
  });
  const takes = taken.map((block, i) => whole(block, `%arg${i}`));
  const gives = given.map((block, i) => whole(block, given.length === 1 ? '%all' : `%all#${i}`));
  const shardings = (blocks: readonly Blocks[]): string =>
    list(blocks.map(([, { axes }]) => blockText(axes)));
  const types = (tensors: readonly Tensor[]): string => `(${tensors.map(typeOf).join(', ')})`;
  const axes = mesh.axes.map(({ name }) => JSON.stringify(name)).join(', ');
  const all = `%all${given.length > 1 ? `:${given.length}` : ''} = `;
  const operands = takes.map(({ id }) => id).join(', ');
  const inner = taken.map(([tensor]) => `${tensor.id}: ${typeOf(tensor)}`).join(', ');
  const placed = `in_shardings=${shardings(taken)} out_shardings=${shardings(given)} manual_axes={${axes}}`;
  return {
    takes,
    gives,
    before: [`${given.length === 0 ? '' : all}sdy.manual_computation(${operands}) ${placed} (${inner}) {`],
    after: [
      `  sdy.return${returned(given.map(([tensor]) => tensor))}`,
      `} : ${types(takes)} -> ${types(gives)}`,
    ],
  };
}

const named = ({ call, outputs }: LocalNode): [string, LocalValue] => [String(call.attrs.name), outputs[0]];
const portText = ({ kind, name, dtype, shape }: Port): string =>
  printable(`${kind} ${name} ${dtype}${showShape(shape)}`);
