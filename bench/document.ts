import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

// docs/benchmarks.md: an introduction and sections. Each part of the bench owns sections, between two marks that Markdown does
// not show, and replaces only these.

/** A section as a part of the bench writes it. */
export interface Section {
  /** Key of its marks. */
  readonly key: string;
  readonly title: string;
  /** Markdown under the title. */
  readonly body: string;
}

/** The order of sections in the document; others, such as profiles, come last. */
export const SECTION_ORDER = ['machine', 'kernels', 'steps', 'pictures', 'voxel', 'memory', 'cuda'] as const;

const begin = (key: string): string => `<!-- begin ${key} -->`;
const end = (key: string): string => `<!-- end ${key} -->`;

/** The document with these sections in place of its own ones; the others stay as they are. */
export function replaceSections(
  document: string,
  introduction: string,
  sections: readonly Section[],
): string {
  const texts = readSections(document);
  for (const { key, title, body } of sections) texts.set(key, `## ${title}\n\n${body.trim()}`);
  const place = (key: string): number => {
    const at = (SECTION_ORDER as readonly string[]).indexOf(key);
    return at < 0 ? SECTION_ORDER.length : at;
  };
  const sorted = [...texts].sort(([a], [b]) => place(a) - place(b));
  const shown = sorted.map(([key, text]) => `${begin(key)}\n${text}\n${end(key)}\n`);
  return [`${introduction.trim()}\n`, ...shown].join('\n');
}

/** What stands between the marks of a document, by key. */
function readSections(document: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, key, text] of document.matchAll(/<!-- begin (\w+) -->\n([\s\S]*?)\n<!-- end \1 -->/g))
    found.set(key, text);
  return found;
}

/** Replaces sections of a file; the file is the old or the whole new one at any time. */
export function writeSections(file: string, introduction: string, sections: readonly Section[]): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeWhole(file, replaceSections(readIfThere(file), introduction, sections));
}

export function writeWhole(file: string, text: string): void {
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, text);
  renameSync(partial, file);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
