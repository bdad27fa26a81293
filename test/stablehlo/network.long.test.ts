import { expect, it } from 'vitest';
import { type Graph, mesh, shape, uniform, volume } from '../../src/core/index.ts';
import { referenceDevice } from '../../src/machine/index.ts';
import { buildPrediction, buildTraining } from '../../src/nn/index.ts';
import { Session } from '../../src/run/index.ts';
import { type Answer, describeJax, type Job, type Numbers, runJax } from './jax.ts';
import { layoutOf, printed } from './programs.ts';

// A small U-Net under JAX, beside the reference device: prediction and five training steps with dropout, in one piece and over eight
// devices, split by the compiler after our annotations and by our own partitioner.

const PARTS = { depth: 2, height: 2, width: 2 };
const STEPS = 5;
const image = shape({ batch: 1, depth: 8, height: 8, width: 8, channel: 1 });
const voxels = volume(image);
const network = { base: 2, levels: 2, classes: 3, norm: 'batch', keep: 0.5 } as const;
const step = (): Graph => buildTraining({ image, network, optimizer: { kind: 'adam' } }).graph;
const predict = (): Graph => buildPrediction({ image, network, probabilities: true }).graph;

const feeds = (n: number): Record<string, Float64Array> => ({
  image: Float64Array.from({ length: voxels }, (_, i) => uniform(1, 2, n, i)),
  labels: Float64Array.from({ length: voxels }, (_, i) => Math.floor(3 * uniform(4, 5, n, i))),
  step: Float64Array.of(n),
  learning_rate: Float64Array.of(0.01),
});

/** What the reference makes of a graph: the variables that it begins with, and the outputs of every run. */
async function byReference(graph: Graph, runs: readonly Numbers[]) {
  const session = new Session({ device: referenceDevice(), seed: 3 });
  const program = await session.load(graph);
  session.variables.ready();
  const variables: Record<string, Float64Array> = {};
  for (const name of session.variables.names())
    variables[name] = Float64Array.from(await session.variables.get(name));
  const outputs: Record<string, Float64Array>[] = [];
  for (const run of runs) {
    const given = Object.fromEntries(
      [...program.plan.program.inputs.keys()].map((name) => [name, Float64Array.from(run[name])]),
    );
    const made = await program.run(given);
    outputs.push(Object.fromEntries(Object.entries(made).map(([k, data]) => [k, Float64Array.from(data)])));
  }
  const after: Record<string, Float64Array> = {};
  for (const name of session.variables.names())
    after[name] = Float64Array.from(await session.variables.get(name));
  session.close();
  return { variables, outputs, after };
}

/** The ways in which a graph is to run. */
function jobs(graph: Graph, runs: readonly Numbers[]): Job[] {
  const m = mesh(PARTS);
  const layout = layoutOf(m);
  const annotated = (style: 'shardy' | 'gspmd'): Job => ({
    name: style,
    printed: printed(graph, {}, { layouts: { style, mesh: m, layout } }),
    devices: m.size,
    shardy: style === 'shardy',
    runs,
  });
  return [
    { name: 'one device', printed: printed(graph), devices: 1, shardy: true, runs },
    annotated('shardy'),
    annotated('gspmd'),
    { name: 'our own split', printed: printed(graph, PARTS), devices: m.size, shardy: true, runs },
    { name: 'uneven blocks', printed: printed(graph, { depth: 3 }), devices: 3, shardy: true, runs },
  ];
}

const norm = (x: Float64Array): number => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));

/** How far a tensor is from what is expected, relative to its norm; what is zero by symmetry counts absolutely. */
const far = (found: Float64Array, expected: Float64Array): number =>
  norm(expected.map((x, i) => x - found[i])) / Math.max(norm(expected), 1e-2);

/** The runs of an answer, of a program that devices share where they are several. */
function runsOf(answer: Answer, { name, devices }: Job): readonly Record<string, Float64Array>[] {
  if ('error' in answer) throw new Error(`${name}: ${answer.error}`);
  expect(answer.sends, name).toBe(devices > 1);
  return answer.runs;
}

describeJax('a U-Net as StableHLO', () => {
  it('predicts under JAX what the reference predicts, however it is split', async () => {
    const { image: given } = feeds(0);
    const { variables, outputs } = await byReference(predict(), [{ image: given }]);
    const all = jobs(predict(), [{ ...variables, image: given }]);
    for (const [i, answer] of runJax(all).entries()) {
      const [found] = runsOf(answer, all[i]);
      expect(far(found.probabilities, outputs[0].probabilities), all[i].name).toBeLessThan(1e-5);
      expect(found.labels, all[i].name).toEqual(outputs[0].labels);
    }
  }, 600_000);

  it('trains under JAX as by the reference, however it is split', async () => {
    const runs = Array.from({ length: STEPS }, (_, n) => feeds(n));
    const { variables, outputs, after } = await byReference(step(), runs);
    const all = jobs(
      step(),
      runs.map((run, n) => (n === 0 ? { ...variables, ...run } : run)),
    );
    for (const [i, answer] of runJax(all).entries()) {
      const found = runsOf(answer, all[i]);
      for (const [n, expected] of outputs.entries())
        for (const [name, data] of Object.entries(expected))
          expect(far(found[n][name], data), `${all[i].name}, step ${n}: ${name}`).toBeLessThan(1e-5);
      // Adam divides small gradients by small ones.
      for (const [name, data] of Object.entries(after))
        expect(far(found[STEPS - 1][name], data), `${all[i].name}: ${name}`).toBeLessThan(1e-4);
    }
  }, 600_000);
});
