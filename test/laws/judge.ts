import { expect } from 'vitest';
import { fail, Graph, type Value } from '../../src/core/index.ts';
import type { Device, HostArray } from '../../src/machine/index.ts';
import { evaluate, gradients, inputOf, mul, OPS, reduceSum } from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';
import { checkMemory } from './arena.ts';
import { meshFor, type Parts, type Sample, spread } from './sample.ts';

// What judges a device: samples with their gradients against the unsplit reference.

/** A sample in a graph, with what comes out of it. */
export interface Prepared {
  readonly graph: Graph;
  readonly feeds: Record<string, Float64Array>;
  readonly expected: Record<string, Float64Array>;
}

/** The sample with the gradients of a fixed projection of its outputs as further outputs. */
export function prepare(sample: Sample): Prepared {
  const graph = new Graph();
  const { outputs, inputs, node } = sample.build(graph);
  const feeds: Record<string, Float64Array> = { ...sample.feeds };
  const wanted: Record<string, Value> = {};
  outputs.forEach((value, i) => {
    wanted[`output ${i}`] = value;
  });
  if (typeof node.op.grad === 'function') {
    let loss: Value | undefined;
    outputs.forEach((value, i) => {
      if (value.dtype === 'u8') return;
      const weights = inputOf(graph, `weights ${i}`, value.shape);
      feeds[`weights ${i}`] = spread(
        value.shape.reduce((n, d) => n * d.size, 1),
        -1,
        1,
        5 + i,
      );
      const part = reduceSum(
        mul(value, weights),
        value.shape.map((d) => d.name),
        'f64',
      );
      loss = loss === undefined ? part : graph.add(OPS.add, {}, [loss, part])[0];
    });
    if (loss !== undefined)
      gradients(loss, inputs).forEach((gradient, i) => {
        if (gradient !== undefined) wanted[`gradient ${i}`] = gradient;
      });
  }
  const names = Object.keys(wanted);
  for (const name of names) graph.output(name, wanted[name]);
  const values = evaluate(
    graph,
    feeds,
    names.map((name) => wanted[name]),
  );
  return { graph, feeds, expected: Object.fromEntries(names.map((name, i) => [name, values[i]])) };
}

/** Runs it on a device over a mesh: right results, bytes that the plan says, no two live buffers in one place. */
export async function check(
  { graph, feeds, expected }: Prepared,
  parts: Parts,
  device: Device,
  tolerance: number,
): Promise<void> {
  const session = new Session({ device, ...meshFor(parts) });
  const program = await session.load(graph, { idleRanks: true });
  checkMemory(program.plan);
  const given: Record<string, HostArray> = {};
  for (const [name, data] of Object.entries(feeds))
    if (program.plan.program.variables.has(name)) session.variables.set(name, data);
    else given[name] = data;
  const found = await program.run(given);
  const { exchange, allReduce } = program.plan.bytesSent;
  expect([session.traffic.exchangeBytes, session.traffic.allReduceBytes]).toEqual([exchange, allReduce]);
  for (const [name, numbers] of Object.entries(expected)) {
    const scale = Math.max(1, ...numbers.filter(Number.isFinite).map(Math.abs));
    numbers.forEach((x, k) => {
      const y = found[name][k];
      if (Math.abs(x - y) <= tolerance * scale || x === y) return;
      fail({
        where: `${device.target.name} on ${JSON.stringify(parts)}`,
        problem: `element ${k} of ${name}`,
        expected: String(x),
        found: String(y),
      });
    });
  }
  program.free();
}

/** Uses that devices of calls refuse when the plan is made, with the reason. */
export const REFUSED: Readonly<Record<string, string>> = {
  'softmax: over space': 'is not the last dimension',
  'softmax: over an outer dimension': 'is not the last dimension',
  'argmax: over space': 'is not the last dimension',
  'argmax: over an outer dimension': 'is not the last dimension',
  'cross_entropy: per case and slice': 'sums that keep more than the first dimension',
  'cross_entropy_grad: per case and slice': 'sums that keep more than the first dimension',
  'class_sums: per case and slice': 'sums that keep more than the first dimension',
  'class_sums_grad: per case and slice': 'sums that keep more than the first dimension',
};

/** Of devices in float32. The reference ignores element types; bfloat16 keeps 8 bits. */
export const tolerance32 = ({ graph }: Prepared): number =>
  graph.nodes.some((node) => node.outputs.some((value) => value.dtype === 'bf16')) ? 1e-2 : 2e-5;
