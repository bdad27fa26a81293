import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A new data set below `root`: empty files of these names, and dataset.json if it is given, as text or a value. */
export function datasetFolder(root: string, files: readonly string[], json?: unknown): string {
  const dir = mkdtempSync(path.join(root, 'set-'));
  for (const file of files) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), '');
  }
  if (json !== undefined)
    writeFileSync(path.join(dir, 'dataset.json'), typeof json === 'string' ? json : JSON.stringify(json));
  return dir;
}
