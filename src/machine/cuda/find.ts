import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';

// Where the libraries of NVIDIA are: the driver in the path of the loader; NVRTC there, in a toolkit, or in the folders of Python wheels.

/** Names of NVRTC, newest first. */
const NVRTC = ['libnvrtc.so.13', 'libnvrtc.so.12', 'libnvrtc.so'];

/** A library that was opened, and where it was found. */
export interface Opened {
  readonly library: LibraryHandle;
  readonly file: string;
}

/** The library of the driver: HALOMESH_CUDA names it, else that of the loader's path; undefined where there is none. */
export function openDriver(): Opened | undefined {
  const named = process.env.HALOMESH_CUDA;
  return firstOf(named !== undefined && named !== '' ? [named] : ['libcuda.so.1', 'libcuda.so']);
}

/** NVRTC: HALOMESH_NVRTC names it, else the first one found. */
export function openNvrtc(): Opened | undefined {
  const named = process.env.HALOMESH_NVRTC;
  if (named !== undefined && named !== '') return firstOf([named]);
  const folders = [...toolkits(), ...wheels()];
  const found = folders.flatMap((folder) => NVRTC.map((name) => path.join(folder, name))).filter(existsSync);
  return firstOf([...NVRTC, ...found]);
}

function firstOf(files: readonly string[]): Opened | undefined {
  for (const file of files) {
    try {
      openBeside(file);
      return { library: koffi.load(file), file };
    } catch {
      // The next place may have it.
    }
  }
  return undefined;
}

/** What NVRTC asks the loader for by name alone, which finds it once it is open: the library of its built-in functions. */
function openBeside(file: string): void {
  const folder = path.dirname(file);
  if (folder === '.') return;
  for (const name of list(folder))
    if (/^libnvrtc-builtins\.so\.[\d.]+$/.test(name)) koffi.load(path.join(folder, name), { global: true });
}

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

function toolkits(): string[] {
  const { CUDA_HOME, CUDA_PATH } = process.env;
  const installed = list('/usr/local')
    .filter((name) => name.startsWith('cuda'))
    .sort()
    .reverse();
  const roots = [CUDA_HOME, CUDA_PATH, ...installed.map((name) => `/usr/local/${name}`)];
  return roots.filter((root) => root !== undefined && root !== '').map((root) => path.join(root!, 'lib64'));
}

/** `nvidia/NAME/lib` of the environments that Python would look into. */
function wheels(): string[] {
  const { VIRTUAL_ENV, CONDA_PREFIX } = process.env;
  const prefixes = [VIRTUAL_ENV, CONDA_PREFIX, path.join(homedir(), '.local'), '/usr/local', '/usr'];
  const packages = prefixes
    .filter((prefix) => prefix !== undefined && prefix !== '')
    .flatMap((prefix) =>
      list(path.join(prefix!, 'lib'))
        .filter((name) => name.startsWith('python3'))
        .flatMap((name) =>
          ['site-packages', 'dist-packages'].map((kind) => path.join(prefix!, 'lib', name, kind)),
        ),
    );
  return packages.flatMap((folder) => {
    const nvidia = path.join(folder, 'nvidia');
    return list(nvidia).map((name) => path.join(nvidia, name, 'lib'));
  });
}
