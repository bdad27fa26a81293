import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { install, manifest, node, projectWith, root } from './packed.ts';

// The tarballs of `npm run build:packages` in an empty project, on a machine where no program is found: no compiler, no shell.

const kind = `${process.platform}-${process.arch}`;
const name = `@halomesh/kernels-${kind}`;
let dir: string;
let tarballs: string[];
let project: string;
let kernels: string;
let halomesh: string;

beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'halomesh-packages-'));
  const script = path.join(root, 'scripts/build-packages.mjs');
  execFileSync(process.execPath, [script, '--only', kind, '--out', dir], { stdio: 'pipe' });
  tarballs = ['halomesh-0', `halomesh-kernels-${kind}`].map((start) =>
    path.join(dir, readdirSync(dir).find((file) => file.startsWith(start)) ?? 'none'),
  );
  const [tarball, of] = tarballs;
  project = projectWith(dir, tarball);
  halomesh = path.join(project, 'node_modules/halomesh');
  kernels = install(project, name, of);
  mkdirSync(path.join(dir, 'empty'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Runs the command as installed, where the PATH leads nowhere. */
function command(...args: string[]) {
  const bin = path.join(halomesh, 'bin/halomesh.js');
  return node(project, [bin, ...args], { PATH: path.join(dir, 'empty') });
}

const losses = (run: string) =>
  readFileSync(path.join(run, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter((line) => line.kind === 'step')
    .map((line) => line.loss);

describe(`halomesh with ${name}`, () => {
  it('depends on it by its own version, without having to', () => {
    expect(manifest(halomesh).optionalDependencies).toEqual({ [name]: manifest(kernels).version });
    expect(manifest(kernels)).toMatchObject({ version: manifest(root).version, os: [process.platform] });
    expect(existsSync(path.join(halomesh, 'build'))).toBe(false);
  });

  it('trains and predicts without a compiler, to the same bits as the kernels that were built here', () => {
    const scan = 'data/imagesTr/phantom_001.nii.gz';
    const small = ['--base', '4', '--levels', '2', '--steps', '3', '--threads', '1'];
    for (const args of [
      ['phantom', '--out', 'data', '--size', '16', '--cases', '2'],
      ['train', '--data', 'data', '--out', 'run', ...small],
      ['predict', '--run', 'run', '--input', scan, '--output', 'seg.nii.gz'],
    ]) {
      const { status, stderr } = command(...args);
      expect(status, stderr).toBe(0);
    }
    expect(existsSync(path.join(project, 'seg.nii.gz'))).toBe(true);
    const here = path.join(dir, 'here');
    const args = ['train', '--data', path.join(project, 'data'), '--out', here, ...small];
    expect(node(dir, [path.join(root, 'bin/halomesh.js'), ...args]).status).toBe(0);
    expect(losses(path.join(project, 'run'))).toEqual(losses(here));
    expect(losses(here)).toHaveLength(3);
  });

  it('is installed by npm from both tarballs, and predicts by its kernels at once', () => {
    const given = path.join(dir, 'given');
    mkdirSync(given);
    writeFileSync(path.join(given, 'package.json'), JSON.stringify({ name: 'given', private: true }));
    // What was installed here lies in npm's cache.
    const args = [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--install-links',
    ];
    execFileSync('npm', [...args, ...tarballs], { cwd: given, stdio: 'pipe' });
    const packages = path.join(given, 'node_modules');
    expect(manifest(path.join(packages, name)).version).toBe(manifest(root).version);
    const bin = path.join(packages, 'halomesh/bin/halomesh.js');
    const scan = path.join(project, 'data/imagesTr/phantom_001.nii.gz');
    const from = ['--run', path.join(project, 'run'), '--input', scan, '--output', 'seg.nii.gz'];
    const { status, stdout, stderr } = node(given, [bin, 'predict', ...from], {
      PATH: path.join(dir, 'empty'),
    });
    expect(status, stderr).toBe(0);
    expect(`${stdout}${stderr}`).not.toContain('WebAssembly');
    expect(readFileSync(path.join(given, 'seg.nii.gz'))).toEqual(
      readFileSync(path.join(project, 'seg.nii.gz')),
    );
  });

  it('has nothing left to set up, unless the kernels shall be compiled', () => {
    const { status, stdout } = command('setup');
    expect(stdout).toContain(
      `set-up: the kernels of ${name} ${manifest(kernels).version} are installed (--compile builds them here)`,
    );
    expect(status).toBe(0);
    const compile = command('setup', '--compile');
    expect(compile.stderr).toContain('no C++ compiler was found');
    expect(compile.status).toBe(1);
  });

  it('is refused where it is of another version, or damaged', () => {
    const file = path.join(kernels, 'package.json');
    const content = readFileSync(file, 'utf8');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(content), version: '9.9.9' }));
    const other = command('bench', '--size', '16', '--device', 'cpu');
    expect(other.stderr).toContain(
      `${name}: is of another version than halomesh; expected ${manifest(root).version}, found 9.9.9. Build the kernels here: `,
    );
    expect(other.stderr).toContain('setup --compile');
    expect(other.status).toBe(1);
    writeFileSync(file, content);
    for (const library of readdirSync(kernels).filter((entry) => entry.endsWith('.so')))
      writeFileSync(path.join(kernels, library), 'no library');
    const damaged = command('bench', '--size', '16', '--device', 'cpu');
    expect(damaged.stderr).toMatch(/libhalomesh_\w+\.so: cannot be loaded: .*Build the kernels here: /s);
    expect(damaged.status).toBe(1);
  });
});
