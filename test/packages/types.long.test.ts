import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installTools } from '../../scripts/packages/tools.mjs';
import { node, pack, projectWith, root } from './packed.ts';

// Projects that use the packed types under the strictest settings, without the types of Node.js.

const uses = `
import { type Dim, explainPlan, Graph, type HostArray, type Mesh, openRun, predict, Session, shape, train } from 'halomesh';
import type { Case, PreparedCase, PreprocessOptions, TorchNumbers, TrainConfig, TrainOptions } from 'halomesh';

export const graph: Graph = new Graph();
export const type = shape({ batch: 1, channel: 2 });
export const begin: (config: TrainConfig, options: TrainOptions) => Promise<unknown> = train;
export const steps = (config: TrainConfig): number => config.steps;
export const numbers = (from: TorchNumbers): number => from.length;
export const stop = (options: PreprocessOptions): boolean => options.signal?.aborted ?? false;
import type { GivenFiles } from 'halomesh/browser';
export const given = (files: GivenFiles): number => files.size;
export type All = Case | Dim | HostArray | Mesh | PreparedCase;
export const functions = [explainPlan, openRun, predict, Session];
// @ts-expect-error a text is no number of steps: the types are there, and not of anything
export const wrong: TrainConfig['steps'] = 'many';
`;

let dir: string;
let project: string;
let tools: string;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'halomesh-types-'));
  tools = await installTools();
  project = projectWith(dir, pack(dir));
  writeFileSync(path.join(project, 'uses.ts'), uses);
});
afterAll(() => rmSync(dir, { recursive: true }));

const compilers = [
  ['TypeScript 5.4', () => path.join(tools, 'typescript-5.4')],
  ['TypeScript 5.9', () => path.join(tools, 'typescript')],
  ['the TypeScript of this project', () => path.join(root, 'node_modules/typescript')],
] as const;
const settings = [
  { moduleResolution: 'bundler', module: 'es2022', lib: ['es2022'] },
  { moduleResolution: 'nodenext', module: 'nodenext', lib: ['es2022'] },
  { moduleResolution: 'nodenext', module: 'nodenext', lib: ['es2022', 'dom', 'dom.iterable'] },
];

describe.each(compilers)('%s', (_name, compiler) => {
  it.each(settings)('takes the packed types, found by $moduleResolution, beside $lib', (setting) => {
    const compilerOptions = {
      ...{ strict: true, noEmit: true, skipLibCheck: false, types: [], target: 'es2022' },
      ...setting,
    };
    const config = path.join(project, 'tsconfig.json');
    writeFileSync(config, JSON.stringify({ compilerOptions, files: ['uses.ts'] }));
    const { stdout, stderr, status } = node(project, [path.join(compiler(), 'bin/tsc'), '-p', config]);
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  });
});
