import { type BenchResult, markdownTable } from 'halomesh';
import type { Section } from './document.ts';
import { BASE, runSteps } from './halomesh.ts';
import type { Bench, PartResult } from './part.ts';
import { digits, gib, spread } from './statistics.ts';

// Training steps of growing volumes, whole and split: their time per voxel, and their memory.

interface Run {
  readonly size: number;
  readonly split: string;
  /** Fastest of the counted steps, seconds. */
  readonly seconds: number;
  readonly measured: number;
  readonly predicted: number;
  readonly failed?: string;
}

const WHOLE = 'none';
const SPLITS = [WHOLE, 'width=3', 'depth=2,height=2,width=2'];

/** Time per voxel may differ by this share over the sizes and still be called flat. */
const FLAT = 0.15;

/** The same runs serve the parts voxel and memory where both are measured. */
let done: Promise<Run[]> | undefined;

async function measure(bench: Bench): Promise<Run[]> {
  const { quick, sizes } = bench.options;
  const steps = quick ? 2 : 3;
  const runs: Run[] = [];
  for (const split of SPLITS) {
    const usual = split === WHOLE ? [96, 128, 160, 192, 224, 256] : [96, 128, 192, 256];
    for (const size of sizes ?? (quick ? [48, 64] : usual)) {
      bench.say(`sizes: ${size}^3, split ${split}`);
      const outcome = await runSteps({ size, steps, split: split === WHOLE ? undefined : split });
      if (!outcome.ok) bench.say(outcome.detail);
      runs.push({ size, split, ...(outcome.ok ? numbersOf(outcome.value) : failure(outcome.reason)) });
    }
  }
  return runs;
}

const numbersOf = (result: BenchResult) => ({
  seconds: result.secondsPerStep.min,
  measured: result.peakRssBytes,
  predicted: result.predictedPeakBytes,
});
const failure = (failed: string) => ({
  seconds: Number.NaN,
  measured: Number.NaN,
  predicted: Number.NaN,
  failed,
});

export async function voxelPart(bench: Bench): Promise<PartResult> {
  done ??= measure(bench);
  const runs = await done;
  return { sections: [voxelSection(runs)], data: { sizes: runs } };
}

export async function memoryPart(bench: Bench): Promise<PartResult> {
  done ??= measure(bench);
  const runs = await done;
  return { sections: [memorySection(runs)], data: { sizes: runs } };
}

const perVoxel = ({ seconds, size }: Run): number => (1e9 * seconds) / size ** 3;

function voxelSection(runs: readonly Run[]): Section {
  const sizes = [...new Set(runs.map((run) => run.size))];
  const cells = sizes.map((size) => [
    `${size}^3`,
    ...SPLITS.flatMap((split) => {
      const run = runs.find((other) => other.size === size && other.split === split);
      if (run === undefined) return ['', ''];
      return [run.failed ?? digits(run.seconds), digits(perVoxel(run))];
    }),
  ]);
  const columns = [
    { title: 'volume' },
    ...SPLITS.flatMap((split) => [
      { title: `split ${split}: s/step`, right: true },
      { title: 'ns/voxel', right: true },
    ]),
  ];
  const verdicts = SPLITS.map((split) => {
    const costs = runs.filter((run) => run.split === split && run.failed === undefined).map(perVoxel);
    if (costs.length < 2) return `split ${split}: too few sizes to say`;
    const wide = spread(costs);
    const flat = wide <= FLAT ? `flat within ${100 * FLAT} %` : `**not flat within ${100 * FLAT} %**`;
    return `split ${split}: the dearest voxel costs ${(100 * wide).toFixed(0)} % more than the cheapest, ${flat}`;
  });
  const body = `Training steps as above (base ${BASE}, batch 1, float32), all ranks in one process on all cores; the fastest of the counted steps.

${verdicts.map((verdict) => `- ${verdict}`).join('\n')}

${markdownTable(columns, cells)}`;
  return { key: 'voxel', title: 'Cost of a voxel', body };
}

function memorySection(runs: readonly Run[]): Section {
  const rows = runs.map(({ size, split, measured, predicted, failed }) => [
    `${size}^3`,
    split,
    failed ?? gib(measured),
    Number.isFinite(predicted) ? gib(predicted) : '',
    Number.isFinite(predicted) ? `${((100 * (measured - predicted)) / predicted).toFixed(1)} %` : '',
    Number.isFinite(measured) ? digits(measured / size ** 3) : '',
  ]);
  const columns = [
    { title: 'volume' },
    { title: 'split' },
    ...['measured', 'predicted', 'difference', 'bytes/voxel'].map((title) => ({ title, right: true })),
  ];
  const body = `Highest resident memory of the whole process, all ranks together, against what \`halomesh plan\` says before anything runs; training steps as above.

${markdownTable(columns, rows)}`;
  return { key: 'memory', title: 'Memory', body };
}
