import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Packs the package of a folder, as built by the set-up, into `out`; the path of the tarball. */
export function pack(out: string, from = root): string {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', out];
  const [{ filename }] = JSON.parse(
    execFileSync('npm', args, { cwd: from, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  return path.join(out, filename);
}

/** Unpacks a tarball of npm as a package of a project. */
export function install(project: string, name: string, tarball: string): string {
  const folder = path.join(project, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  return folder;
}

/**
 * A project with the packed halomesh as npm would install it. What it depends on is what is installed here, so that no registry is asked;
 * nothing else can be found from there.
 */
export function projectWith(dir: string, tarball: string): string {
  const project = path.join(dir, 'project');
  const halomesh = install(project, 'halomesh', tarball);
  writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'project', type: 'module' }));
  const all = new Set<string>();
  const add = (name: string): void => {
    if (all.has(name)) return;
    all.add(name);
    const from = path.join(root, 'node_modules', name);
    mkdirSync(path.dirname(path.join(project, 'node_modules', name)), { recursive: true });
    symlinkSync(from, path.join(project, 'node_modules', name));
  };
  for (const name of Object.keys(manifest(halomesh).dependencies ?? {})) add(name);
  return project;
}

export function manifest(folder: string): {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
} {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
}

/** Runs a program of Node.js in a project, with the given programs alone on the PATH. */
export function node(project: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, args, {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, NODE_PATH: '', ...env },
  });
}

/** Files below a folder, as paths from there. */
export const filesBelow = (folder: string): string[] => readdirSync(folder, { recursive: true }) as string[];
