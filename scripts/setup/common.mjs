// What every step of the set-up shares: errors, hashes, atomic files, child processes, finding programs.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Something that the user must mend; its message is all that is printed. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** Tests, and what only they use (*.testing.ts): tsconfig.build.json leaves both out of dist/. */
export const isTestFile = (file) => /\.(test|testing)\.ts$/.test(file);

export const hashOf = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 32);
};

/** The text of a file, or null when there is none. */
export function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  }
}

/** The parsed JSON of a file, or null when there is none or it was cut off. */
export function readJson(path) {
  const text = readText(path);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null; // a stamp that cannot be read is a stamp that does not match: the step runs again
  }
}

/** Writes to a temporary name and renames, so that no reader sees half a file. */
export function writeAtomic(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

/** Every file below a folder as sorted paths relative to it, with forward slashes; empty when it is missing. */
export function walk(folder, prefix = '') {
  let entries;
  try {
    entries = readdirSync(join(folder, prefix), { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  const found = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    if (entry.isDirectory()) found.push(...walk(folder, path));
    else if (entry.isFile()) found.push(path);
  }
  return found;
}

/** The full path of a program on PATH, or null. */
export function which(program) {
  const candidates = program.includes('/')
    ? [program]
    : (process.env.PATH ?? '')
        .split(delimiter)
        .filter(Boolean)
        .map((folder) => join(folder, program));
  for (const candidate of candidates) {
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {}
  }
  return null;
}

const children = new Set();

/** Ends every program that the set-up has running; for when it is itself told to stop. */
export function stopChildren() {
  for (const child of children) child.kill('SIGTERM');
}

/** Runs a program without a terminal; resolves to { code, output } with stdout and stderr together. */
export function run(program, args, { cwd, env, echo = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    let output = '';
    const take = (chunk) => {
      output += chunk;
      if (echo) process.stderr.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', (error) => {
      children.delete(child);
      reject(new SetupError(`${program} could not be started: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve({ code: code ?? 1, output: signal ? `${output}\n(ended by ${signal})` : output });
    });
  });
}

/** Seconds since `start` (of performance.now()), for progress lines. */
export const secondsSince = (start) => `${((performance.now() - start) / 1000).toFixed(1)} s`;
