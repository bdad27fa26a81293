import { readFileSync } from 'node:fs';

/** The version of the package. */
export function version(): string {
  // src/cli and dist/cli both lie two folders below the root of the package.
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
