import { expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import { partition } from '../../src/plan/index.ts';
import { printProgram } from '../../src/stablehlo/index.ts';
import { type Prepared, prepare, tolerance32 } from '../laws/judge.ts';
import { meshFor, type Parts } from '../laws/sample.ts';
import { SAMPLES } from '../laws/samples.ts';
import { type Answer, describeJax, type Job, runJax } from './jax.ts';

// Every sample of every operation with its gradients, whole and over the last of its splits (three parts, or two along several
// dimensions), or over all of them where HALOMESH_JAX_OPS names the operation: HALOMESH_JAX_OPS=conv,max_pool.

const named = process.env.HALOMESH_JAX_OPS?.split(',');

interface Judged extends Job {
  readonly prepared: Prepared;
}

function jobOf(name: string, prepared: Prepared, parts: Parts): Judged {
  const split = Object.keys(parts).length === 0 ? { mesh: mesh({}), layout: {} } : meshFor(parts);
  const printed = printProgram(partition(prepared.graph, split.mesh, split.layout));
  return {
    name: `${name} over ${JSON.stringify(parts)}`,
    ...{ printed, prepared },
    devices: split.mesh.size,
    shardy: true,
    runs: [prepared.feeds],
  };
}

/** The first number that is wrong. */
function faultOf(answer: Answer, prepared: Prepared): string | undefined {
  if ('error' in answer) return answer.error;
  for (const [name, numbers] of Object.entries(prepared.expected)) {
    const scale = Math.max(1, ...numbers.filter(Number.isFinite).map(Math.abs));
    const found = answer.runs[0][name];
    const near = (x: number, y: number): boolean => Math.abs(x - y) <= tolerance32(prepared) * scale;
    const at = numbers.findIndex((x, k) => !near(x, found[k]) && !Object.is(x, found[k]));
    if (at >= 0) return `element ${at} of ${name}: expected ${numbers[at]}, found ${found[at]}`;
  }
  return undefined;
}

describeJax('operations printed as StableHLO', () => {
  it('give the numbers of the reference under JAX, whole and over ranks', () => {
    const jobs = Object.entries(SAMPLES)
      .filter(([op]) => named?.includes(op) ?? true)
      .flatMap(([op, samples]) =>
        samples.flatMap((sample) => {
          const prepared = prepare(sample);
          const splits = [{}, ...(named ? sample.parts : sample.parts.slice(-1))];
          return splits.map((parts) => jobOf(`${op}: ${sample.name}`, prepared, parts));
        }),
      );
    const answers = runJax(jobs);
    const faults = jobs.flatMap(({ name, prepared }, i) => {
      const fault = faultOf(answers[i], prepared);
      return fault === undefined ? [] : [`${name}: ${fault}`];
    });
    expect(faults).toEqual([]);
    expect(jobs.length).toBeGreaterThan(0);
  }, 600_000);
});
