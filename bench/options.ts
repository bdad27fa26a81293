import { parseArgs } from 'node:util';

/** What can be measured alone. */
export const PARTS = ['kernels', 'steps', 'pictures', 'voxel', 'memory', 'profile', 'cuda'] as const;
export type PartName = (typeof PARTS)[number];

export interface BenchOptions {
  readonly quick: boolean;
  readonly parts: readonly PartName[];
  /** Markdown file whose sections are replaced. */
  readonly out: string;
  /** File for all numbers. */
  readonly json?: string;
  /** Python that has PyTorch. */
  readonly python: string;
  /** Sides of the volumes of whole training steps, in place of the usual ones. */
  readonly sizes?: readonly number[];
  /** More flags for the halomesh of the profile. */
  readonly flags: readonly string[];
}

export const HELP = `npm run bench -- [options]

Measures this machine, the kernels, whole training steps beside PyTorch and oneDNN, and cost and memory against size; writes the
tables into a Markdown file. All of it takes about 40 minutes; nothing else should run meanwhile.

  --quick           small sizes and few repetitions: under 3 minutes, to see that everything works
  --only <part>     measure one part: ${PARTS.join(', ')}; repeat it for more
  --sizes <list>    sides of the volumes in steps, voxel, memory and profile, such as 64,128
  --out <file>      Markdown file (default: docs/benchmarks.md; build/benchmarks-quick.md with --quick)
  --json <file>     all numbers as JSON
  --python <file>   Python that has PyTorch (default: HALOMESH_BENCH_PYTHON, else python3)
  --flags <text>    more flags for the step that is profiled, such as "--split depth=2 --precision bf16"
  --help            this text

Parts:
  kernels   peaks of the processor and the memory; convolutions against them, and oneDNN's (Debian: libdnnl-dev)
  steps     training steps of the U-Net beside PyTorch's
  pictures  training steps on pictures (2048^2) beside steps on volumes (128^3), by operations a second
  voxel     time of a step per voxel, for growing volumes and splits
  memory    memory of a step, measured and predicted, for growing volumes and splits
  profile   the kernels of a training step by time
  cuda      training steps on the GPU of this machine, beside PyTorch's where it runs there; left out without a GPU
`;

/** A mistake on the command line. */
export class UsageError extends Error {}

/** The options of a command line; undefined where only the help is wanted. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  const parts = (values.only ?? []).flatMap((list) => list.split(','));
  for (const part of parts)
    if (!(PARTS as readonly string[]).includes(part))
      throw new UsageError(`--only: expected ${PARTS.join(', ')}, found "${part}"`);
  const quick = values.quick ?? false;
  return {
    quick,
    parts: parts.length === 0 ? PARTS : PARTS.filter((part) => parts.includes(part)),
    out: values.out ?? (quick ? 'build/benchmarks-quick.md' : 'docs/benchmarks.md'),
    json: values.json,
    python: values.python ?? process.env.HALOMESH_BENCH_PYTHON ?? 'python3',
    sizes: values.sizes === undefined ? undefined : sizesOf(values.sizes),
    flags: (values.flags ?? '').split(' ').filter((flag) => flag !== ''),
  };
}

function parse(given: readonly string[]) {
  // What follows --flags begins with dashes itself.
  const at = given.indexOf('--flags');
  const args =
    at < 0 ? given : [...given.slice(0, at), `--flags=${given[at + 1] ?? ''}`, ...given.slice(at + 2)];
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        sizes: { type: 'string' },
        out: { type: 'string' },
        json: { type: 'string' },
        python: { type: 'string' },
        flags: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function sizesOf(text: string): number[] {
  const sizes = text.split(',').map(Number);
  if (sizes.every((size) => Number.isSafeInteger(size) && size >= 8)) return sizes;
  throw new UsageError(`--sizes: expected whole numbers of at least 8 such as 64,128, found "${text}"`);
}
