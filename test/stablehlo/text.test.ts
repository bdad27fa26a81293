import { describe, expect, it } from 'vitest';
import { Graph, mesh, shape } from '../../src/core/index.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { type LocalProgram, partition } from '../../src/plan/index.ts';
import { printProgram } from '../../src/stablehlo/index.ts';
import { shardingText } from '../../src/stablehlo/shardings.ts';
import { meshFor } from '../laws/sample.ts';
import { SAMPLES } from '../laws/samples.ts';
import { layoutOf, printed, smallPrediction, smallStep } from './programs.ts';

// Programs as text. `npx vitest run test/stablehlo -u` writes the files anew; what changes in them must run under JAX again
// (network.long.test.ts, with HALOMESH_JAX).

const split = { depth: 2, height: 2, width: 2 };

describe('StableHLO', () => {
  it.each([
    ['predict', smallPrediction, {}],
    ['predict.depth-2', smallPrediction, { depth: 2 }],
    ['step', smallStep, {}],
    ['step.depth-2', smallStep, { depth: 2 }],
  ] as const)('of %s is this text', async (name, graph, parts) => {
    await expect(printed(graph(), parts).text).toMatchFileSnapshot(`./text/${name}.mlir`);
  });

  it.each(['shardy', 'gspmd'] as const)('says a layout in the words of %s', async (style) => {
    const m = mesh(split);
    const { text } = printed(smallPrediction(), {}, { layouts: { style, mesh: m, layout: layoutOf(m) } });
    const told = text.split('\n').filter((line) => /^module|sdy\.mesh|^ {4}%arg[01]:|^ {2}\) ->/.test(line));
    await expect(`${told.join('\n')}\n`).toMatchFileSnapshot(`./text/predict.${style}.txt`);
  });
});

it.each<[sizes: Record<string, number>, layout: Record<string, string>, text: string]>([
  [{ a: 2, b: 4 }, { x: 'b', y: 'a' }, '{devices=[4,2]<=[2,4]T(1,0)}'],
  [{ a: 2, b: 4 }, { x: 'a', y: 'b' }, '{devices=[2,4]<=[8]}'],
  [{ a: 2, b: 4 }, { x: 'b' }, '{devices=[4,1,2]<=[2,4]T(1,0) last_tile_dim_replicate}'],
  [
    { a: 2, one: 1, b: 3, c: 2 },
    { x: 'b', y: 'c' },
    '{devices=[3,2,2]<=[2,6]T(1,0) last_tile_dim_replicate}',
  ],
  [{ a: 2 }, {}, '{replicated}'],
])('GSPMD has one spelling of a layout: %o, %o', (sizes, layout, text) => {
  const dims = shape({ x: 12, y: 12 });
  expect(shardingText({ style: 'gspmd', mesh: mesh(sizes), layout }, dims)).toBe(`mhlo.sharding = "${text}"`);
});

/** Names that operations of a text have. */
const SSA = /%[A-Za-z]?[A-Za-z0-9]*/g;

/** What is used and was not made before, and what was made twice. */
function strayNames(text: string): string[] {
  const known = new Set<string>();
  const stray: string[] = [];
  const define = (name: string): void => {
    if (known.has(name)) stray.push(`${name} twice`);
    known.add(name);
  };
  for (const line of text.split('\n').map((each) => each.replace(/\/\/.*/, ''))) {
    const [, made, rest] = /^\s*(?:(%\w+)(?::\d+)? = )?(.*)$/.exec(line)!;
    const declared = [...rest.matchAll(/(%\w+): tensor/g)].map(([, name]) => name);
    for (const [name] of rest.matchAll(SSA))
      if (!declared.includes(name) && !known.has(name)) stray.push(`${name} in: ${line.trim()}`);
    for (const name of declared) define(name);
    if (made) define(made);
  }
  return stray;
}

/** Whether the ranks of a program send each other anything. */
const crosses = ({ nodes }: LocalProgram): boolean =>
  nodes.some(
    ({ collective: c }) => c && (c.kind === 'all_reduce' || c.transfers.some(({ from, to }) => from !== to)),
  );

describe('printed operations', () => {
  it.each(Object.keys(OPS) as OpName[])('%s: names are made once and before they are used', (name) => {
    for (const sample of SAMPLES[name].slice(0, 3))
      for (const parts of [{}, ...sample.parts.slice(-2)]) {
        const graph = new Graph();
        sample.build(graph).outputs.forEach((value, i) => {
          graph.output(`output ${i}`, value);
        });
        const { mesh: m, layout } = meshFor(parts);
        const program = partition(graph, m, layout);
        const { text, arguments: takes, results } = printProgram(program);
        expect(strayNames(text)).toEqual([]);
        expect(/collective_permute|all_reduce/.test(text)).toBe(crosses(program));
        // Blocks side by side hold every place of the whole tensor once, in order.
        for (const { shape, places } of [...takes, ...results])
          expect(places.map((at) => at.filter((place) => place >= 0))).toEqual(
            shape.map(({ size }) => Array.from({ length: size }, (_, place) => place)),
          );
      }
  });
});
