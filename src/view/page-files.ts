import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../core/index.ts';
import { inNaturalOrder } from '../files/index.ts';

/** A file of the page. */
export interface PageFile {
  /** Its media type. */
  readonly type: string;
  readonly bytes: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Where `npm run build` lays a page, beside the compiled sources. */
const built = (name: string): string => path.resolve(import.meta.dirname, '..', '..', 'dist', name);

/** The built page: its files by their names, and no others. */
export class PageFiles {
  private readonly dir: string;
  private readonly names: ReadonlySet<string>;

  /** Throws HalomeshError where the page is not built. */
  constructor(dir = built('web')) {
    if (!existsSync(path.join(dir, 'index.html')))
      fail({ where: dir, problem: 'the page is not built', hint: 'Run: npm run build' });
    this.dir = dir;
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    this.names = new Set(
      files
        .map((one) => path.relative(dir, path.join(one.parentPath, one.name)).split(path.sep).join('/'))
        .sort(inNaturalOrder),
    );
  }

  /** The page that segments scans. Throws as the constructor does. */
  static ofApp(): PageFiles {
    return new PageFiles(built('web-app'));
  }

  /** Of all files, the page itself last. */
  get all(): readonly string[] {
    return [...[...this.names].filter((name) => name !== 'index.html'), 'index.html'];
  }

  /** `''` is the page itself. Undefined for what is no file of it. */
  async read(name: string): Promise<PageFile | undefined> {
    const known = name === '' ? 'index.html' : name;
    if (!this.names.has(known)) return undefined;
    const type = TYPES[path.extname(known)] ?? 'application/octet-stream';
    return { type, bytes: await readFile(path.join(this.dir, known)) };
  }
}
