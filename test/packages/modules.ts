import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A specifier of an import or export, in code as the compiler writes it; those of types are gone from it. */
const SPECIFIERS =
  /^\s*(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

/** All modules that a module loads, at once or later, itself included, and the packages that they name. */
export function modulesFrom(entry: string): {
  readonly modules: readonly string[];
  readonly packages: readonly string[];
} {
  const modules = new Set([entry]);
  const packages = new Set<string>();
  for (const file of modules)
    for (const [, from, effect, later] of readFileSync(file, 'utf8').matchAll(SPECIFIERS)) {
      const specifier = from ?? effect ?? later;
      if (specifier.startsWith('.')) modules.add(path.resolve(path.dirname(file), specifier));
      else packages.add(specifier);
    }
  return { modules: [...modules], packages: [...packages] };
}
