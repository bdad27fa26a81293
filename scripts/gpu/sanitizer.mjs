import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** compute-sanitizer of the path or of a toolkit. */
export function sanitizer() {
  const { CUDA_HOME, CUDA_PATH } = process.env;
  const roots = [CUDA_HOME, CUDA_PATH, '/usr/local/cuda'].filter((root) => root);
  const places = ['compute-sanitizer', ...roots.map((root) => join(root, 'bin/compute-sanitizer'))];
  return places.find(
    (place) =>
      (place.includes('/') ? existsSync(place) : true) && spawnSync(place, ['--version']).status === 0,
  );
}

/** Its flags: every finding is told, and the exit code tells of them. */
export const sanitizerArgs = (tool) => [
  ...['--tool', tool, '--error-exitcode', '9', '--print-limit', '100000'],
  ...(tool === 'racecheck' ? ['--racecheck-report', 'all'] : []),
];

/** Arguments of halomesh for the training step that is looked at. */
export const sanitizedStep = (precision) => [
  ...['bench', '--device', 'cuda', '--size', '32', '--base', '16', '--steps', '1', '--precision', precision],
];

/** How often each kernel is named by an error, a hazard or a warning, and the tool's own last line. */
export function summaryOf(text) {
  const kernels = new Map();
  let kind = '';
  for (const line of text.split('\n')) {
    const begins =
      /=========\s+(Error|Warning|ERROR|WARN(?:ING)?)?:?\s*(Race reported|Potential \w+ hazard|\w+ hazard|Invalid \w+)/.exec(
        line,
      );
    if (begins) kind = begins[2];
    // Of a report the first line that names a kernel counts.
    const [kernel] = /\bhm_\w+/.exec(line) ?? [];
    if (kernel === undefined || kind === '') continue;
    const key = `${kind} in ${kernel}`;
    kernels.set(key, (kernels.get(key) ?? 0) + 1);
    kind = '';
  }
  const last = text.split('\n').filter((line) => /SUMMARY/.test(line));
  const sorted = [...kernels].sort((a, b) => b[1] - a[1]);
  return [...sorted.map(([key, count]) => `${String(count).padStart(7)} times ${key}`), ...last];
}
