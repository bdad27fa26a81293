import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { cudaPart } from './cuda.ts';
import { type Section, writeSections, writeWhole } from './document.ts';
import { kernelsPart } from './kernels.ts';
import { machine, showMachine } from './machine.ts';
import { HELP, type PartName, readOptions, UsageError } from './options.ts';
import { type Bench, type PartResult, threadCounts } from './part.ts';
import { picturesPart } from './pictures.ts';
import { profilePart } from './profile.ts';
import { memoryPart, voxelPart } from './sizes.ts';
import { stepsPart } from './steps.ts';

// The benchmark: measures parts one after the other and writes each into its own sections of a Markdown file.

const PART: { readonly [P in PartName]: (bench: Bench) => Promise<PartResult> } = {
  kernels: kernelsPart,
  steps: stepsPart,
  pictures: picturesPart,
  voxel: voxelPart,
  memory: memoryPart,
  profile: profilePart,
  cuda: cudaPart,
};

const INTRODUCTION = `# Benchmarks

Written by \`npm run bench\`; no number is typed by hand. Every section says when and on what it was measured, and is replaced alone by \`npm run bench -- --only <part>\` (kernels, steps, pictures, voxel, memory, profile, cuda). \`npm run bench -- --help\` tells the rest.`;

/** Runs the benchmark of a command line; gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options === undefined) {
      console.log(HELP);
      return 0;
    }
    const start = performance.now();
    const say = (line: string): void => {
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      process.stderr.write(`${seconds.padStart(5)} s  ${line}\n`);
    };
    const bench: Bench = { options, threads: threadCounts(), say };
    const numbers: Record<string, unknown> = { ...heading(options.quick), machine: machine() };
    for (const part of options.parts) {
      const { sections, data } = await PART[part](bench);
      Object.assign(numbers, data);
      // After each part, so that what is measured stays when a later one is interrupted.
      writeSections(
        options.out,
        INTRODUCTION,
        sections.map((section) => dated(section, options.quick)),
      );
      if (options.json !== undefined) writeWhole(options.json, `${JSON.stringify(numbers, null, 2)}\n`);
    }
    say(`written to ${options.out}`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`bench: ${error.message}. See npm run bench -- --help`);
    return 2;
  }
}

/** When and with what a run is made. */
function heading(quick: boolean) {
  // build/bench lies two folders below the root of the package.
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return {
    date: new Date().toISOString().slice(0, 10),
    quick,
    halomesh: version,
    node: process.versions.node,
  };
}

/** A section with the line that says how it came about. */
function dated(section: Section, quick: boolean): Section {
  const { date, halomesh, node } = heading(quick);
  const warning = quick ? ' **A quick run, of small sizes and few repetitions: not to be quoted.**' : '';
  const line = `*Measured ${date} with halomesh ${halomesh}, Node.js ${node}, on ${showMachine(machine())}.*${warning}`;
  return { ...section, body: `${line}\n\n${section.body}` };
}
