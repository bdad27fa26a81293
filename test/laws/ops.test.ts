import { describe, expect, it } from 'vitest';
import {
  type Box,
  contains,
  dimIndex,
  evenCuts,
  fail,
  Graph,
  type Loop,
  showBox,
  showShape,
  type Value,
  volume,
  wholeBox,
} from '../../src/core/index.ts';
import { evaluate, gradients, inputOf, mul, OPS, type OpName, reduceSum } from '../../src/ops/index.ts';
import { loopBoxes, runSplit, splitsOf } from './blocks.ts';
import { type Built, type Sample, spread } from './sample.ts';
import { SAMPLES } from './samples.ts';

// The laws that every operation keeps, on every one of its samples: shapes, loops, splits and gradients.

/** Operations whose values come from outside the graph; their reference refuses to run. */
const FROM_OUTSIDE: readonly string[] = ['input', 'variable'];

/** A sample in a new graph, and the values of its outputs. */
function built(sample: Sample): Built & { readonly graph: Graph; readonly values: Float64Array[] } {
  const graph = new Graph();
  const parts = sample.build(graph);
  return { graph, ...parts, values: evaluate(graph, sample.feeds, parts.outputs) };
}

function expectClose(found: number, expected: number, tolerance: number, what: string): void {
  if (Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected))) return;
  if (found === expected || (Number.isNaN(found) && Number.isNaN(expected))) return;
  fail({ where: what, problem: 'numbers differ', expected: String(expected), found: String(found) });
}

/** Sum of all outputs times fixed weights, which are fed as further inputs. */
function projection(
  graph: Graph,
  outputs: readonly Value[],
): { loss: Value; feeds: Record<string, Float64Array> } {
  const feeds: Record<string, Float64Array> = {};
  const terms = outputs.map((output, i) => {
    const name = `projection${i}`;
    feeds[name] = spread(volume(output.shape), -1, 1, 99 + i);
    const weights = inputOf(graph, name, output.shape, output.dtype === 'f64' ? 'f64' : 'f32');
    const dims = output.shape.map((dim) => dim.name);
    return reduceSum(mul(output, weights), dims, 'f64');
  });
  return { loss: terms.reduce((a, b) => graph.add(OPS.add, {}, [a, b])[0]), feeds };
}

/** A loop that passes reads its own range of every input that has its dimension. */
function checkPasses(
  loops: readonly Loop[],
  loop: Box,
  inputs: readonly Value[],
  reads: readonly Box[],
): void {
  loops.forEach(({ dim, split }, at) => {
    if (split !== 'pass' || loops.filter((l) => l.dim === dim).length > 1) return;
    inputs.forEach(({ shape }, i) => {
      const d = dimIndex(shape, dim);
      if (d >= 0) expect(reads[i][d], `"${dim}" of input ${i}`).toEqual(loop[at]);
    });
  });
}

function checkGradients(sample: Sample): void {
  const graph = new Graph();
  const { inputs, outputs } = sample.build(graph);
  const { loss, feeds } = projection(graph, outputs);
  const all: Record<string, Float64Array> = { ...sample.feeds, ...feeds };
  const grads = gradients(loss, inputs);
  const at = (name: string, direction: (i: number) => number, by: number): number => {
    const moved = all[name].map((x, i) => x + by * direction(i));
    return evaluate(graph, { ...all, [name]: moved }, [loss])[0][0];
  };
  for (const [i, { name, values }] of sample.tensors.entries()) {
    const grad = grads[i];
    if (!sample.differentiable.includes(name)) {
      expect(grad, `gradient of "${name}"`).toBeUndefined();
      continue;
    }
    if (grad === undefined) fail({ where: sample.name, problem: `"${name}" has no gradient` });
    expect(showShape(grad.shape)).toBe(showShape(inputs[i].shape));
    const [g] = evaluate(graph, all, [grad]);
    // Two directions that move every element, then single elements from the first to the last.
    const dense = [1, 2].map((seed) => spread(values.length, -1, 1, seed));
    const picks = [0, 0.3, 0.55, 1].map((share) => Math.round(share * (values.length - 1)));
    const directions = [
      ...dense.map((d) => (k: number) => d[k]),
      ...[...new Set(picks)].map((pick) => (k: number) => (k === pick ? 1 : 0)),
    ];
    directions.forEach((direction, d) => {
      const step = 1e-5;
      const difference = (at(name, direction, step) - at(name, direction, -step)) / (2 * step);
      const slope = g.reduce((sum, x, k) => sum + x * direction(k), 0);
      expectClose(slope, difference, 1e-7, `gradient of "${name}" in direction ${d}`);
    });
  }
}

/** Shapes, loops, writes and cost agree with what stands in the sample and with the reference. */
function checkShapes(sample: Sample): void {
  const { node, values } = built(sample);
  const { op, call, outputs } = node;
  expect(outputs.map((output) => showShape(output.shape))).toEqual(sample.gives);
  const loops = op.loops(call);
  const dims = outputs[0].shape;
  expect(loops.slice(0, dims.length).map(({ dim, size }) => ({ name: dim, size }))).toEqual(dims);
  const whole = loops.map((l) => ({ start: 0, end: l.size }));
  expect(op.writes(call, whole)).toEqual(outputs.map((output) => wholeBox(output.shape)));
  for (const data of values) expect(data.every(Number.isFinite)).toBe(true);
  expect(op.cost(call, whole).flops).toBeGreaterThanOrEqual(0);
  if (op.form === 'pointwise') expect(outputs).toHaveLength(1);
  for (const { size, follows } of loops)
    for (const parts of follows ? [1, 2, 3, 5] : []) {
      const cuts = follows!.cuts(evenCuts(follows!.size, parts));
      expect(cuts).toHaveLength(parts + 1);
      expect([cuts[0], cuts.at(-1)]).toEqual([0, size]);
      expect(cuts.every((cut, i) => Number.isInteger(cut) && (i === 0 || cut >= cuts[i - 1]))).toBe(true);
    }
}

/** Loop boxes that see only the blocks that they read give the unsplit result, each element from one box a sum. */
function checkSplits(sample: Sample): void {
  const { graph, node, inputs, values } = built(sample);
  const fed = inputs.map((input) => evaluate(graph, sample.feeds, [input])[0]);
  const loops = node.op.loops(node.call);
  for (const { name, cuts } of splitsOf(loops)) {
    const judge = (loop: Box, reads: readonly Box[], writes: readonly Box[]): void => {
      expect(reads).toHaveLength(inputs.length);
      expect(writes).toHaveLength(node.outputs.length);
      reads.forEach((box, i) => {
        const { shape } = inputs[i];
        if (!contains(wholeBox(shape), box))
          fail({ where: name, problem: `reads ${showBox(box)} of ${showShape(shape)}` });
      });
      checkPasses(loops, loop, inputs, reads);
    };
    const { data, writers } = runSplit(node.op, node.call, loopBoxes(cuts), fed, judge);
    const sums = loops.reduce((n, l, i) => (l.split === 'sum' ? n * (cuts[i].length - 1) : n), 1);
    values.forEach((expected, i) => {
      for (let k = 0; k < expected.length; k++)
        expectClose(data[i][k], expected[k], 1e-12, `${name}: element ${k} of output ${i}`);
      expect([...new Set(writers[i])], `${name}: writers of each element`).toEqual([sums]);
    });
  }
}

/** An operation without a gradient says so when one is asked for. */
function checkRefusal(sample: Sample, reason: string): void {
  const { graph, inputs, outputs } = built(sample);
  const { loss } = projection(graph, outputs);
  expect(() => gradients(loss, inputs)).toThrow(`has no gradient: ${reason}`);
}

for (const opName of Object.keys(OPS) as OpName[]) {
  describe(opName, () => {
    const { name, doc, grad } = OPS[opName];
    const fromOutside = FROM_OUTSIDE.includes(opName);

    it('stands under its own name and says what it computes', () => {
      expect(name).toBe(opName);
      expect(doc.length).toBeGreaterThan(1);
      expect(SAMPLES[opName].length).toBeGreaterThan(0);
      for (const sample of SAMPLES[opName]) expect(sample.build(new Graph()).node.op).toBe(OPS[opName]);
    });

    for (const sample of SAMPLES[opName])
      describe(sample.name, () => {
        it('infers the shapes that its loops and its reference give', () => checkShapes(sample));
        if (!fromOutside)
          it('computes the same from boxes that see only what they read', () => checkSplits(sample));
        if (typeof grad === 'function')
          it('has the gradient that finite differences have', () => checkGradients(sample));
        else if (sample.tensors.length > 0 && !fromOutside)
          it('refuses to be differentiated and says why', () => checkRefusal(sample, grad.notDifferentiable));
      });
  });
}
