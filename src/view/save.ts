import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';
import { fail } from '../core/index.ts';
import { writeAtomically } from '../files/index.ts';
import type { PageFiles } from './page-files.ts';
import type { ShownCase, ShownFile, ShownSlide, ViewData } from './protocol.ts';
import type { View } from './view.ts';

export interface SaveOptions {
  /** Ids of the cases whose scans go into the page. */
  readonly cases: readonly string[];
}

/**
 * Writes the page with its scripts, styles, data and the files of some cases into one HTML file, which needs no server and asks none. Of
 * the other cases it has the scores. Files pass by piece by piece.
 */
export async function saveView(
  view: View,
  page: PageFiles,
  file: string,
  { cases }: SaveOptions,
): Promise<void> {
  const { data } = view;
  const unknown = cases.find((id) => !data.cases.some((one) => one.id === id));
  if (unknown !== undefined) fail({ where: '--case', problem: 'no such case', found: unknown });
  const chosen = data.cases.filter(({ id }) => cases.includes(id));
  const kept: ViewData = {
    ...data,
    sources: data.sources.map(({ name }) => ({ name, run: false })),
    cases: data.cases.map((one) => (cases.includes(one.id) ? one : withoutFiles(one))),
  };
  const lesions: [string, unknown][] = [];
  for (const { id, results } of chosen)
    for (const { source } of results)
      lesions.push([`${id} ${source}`, (await view.lesions(id, source)) ?? null]);
  const html = (await page.read(''))!.bytes.toString('utf8');
  await writeAtomically(file, async (handle) => {
    const head = await inlined(html, page);
    const end = head.lastIndexOf('</body>');
    await handle.write(head.slice(0, end));
    await handle.write(script('halomesh-view', 'application/json', JSON.stringify(kept)));
    await handle.write(
      script('halomesh-lesions', 'application/json', JSON.stringify(Object.fromEntries(lesions))),
    );
    for (const one of chosen.flatMap(filesOf))
      await (one.url.startsWith('slides/') ? writeSlide(view, one, handle) : writeFile64(view, one, handle));
    await handle.write(head.slice(end));
  });
}

/** Pixels along each side of the largest level of a slide that goes into a page. */
const MOST_SIDE = 4096;

/** The levels of a slide or a label map that are not too large, tile by tile. */
async function writeSlide(view: View, { url }: ShownFile, handle: FileHandle): Promise<void> {
  const id = url.split('/')[1];
  const shown = (await view.slides.shown(id))!;
  const { levels, tile: side } = shown;
  const lowest = levels.findIndex(({ height, width }) => Math.max(height, width) <= MOST_SIDE);
  const kept: ShownSlide = { ...shown, lowest };
  await handle.write(script(`slide-${id}`, 'application/json', JSON.stringify(kept)));
  for (const [level, { height, width }] of levels.entries())
    for (let row = 0; level >= lowest && row * side < height; row++)
      for (let column = 0; column * side < width; column++) {
        const { bytes } = (await view.slides.tile(id, level, column, row))!;
        const name = `tile-${id}-${level}-${column}-${row}`;
        await handle.write(`<script id="${name}" type="text/plain">${bytes.toString('base64')}</script>\n`);
      }
}

function withoutFiles({ truth: _, results, ...rest }: ShownCase): ShownCase {
  return {
    ...rest,
    images: [],
    slide: undefined,
    results: results.map(({ labels: __, overlay: ___, ...scores }) => scores),
  };
}

function filesOf({ images, slide, truth, results }: ShownCase): ShownFile[] {
  const all = [...images, slide, truth, ...results.flatMap(({ labels, overlay }) => [labels, overlay])];
  return all.filter((file) => file !== undefined);
}

/** JSON that no tag can end. */
const script = (id: string, type: string, text: string): string =>
  `<script id="${id}" type="${type}">${text.replaceAll('<', '\\u003c')}</script>\n`;

async function writeFile64(view: View, { url }: ShownFile, handle: FileHandle): Promise<void> {
  const id = url.split('/')[1];
  const opened = (await view.opened.open(id))!;
  try {
    await handle.write(`<script id="file-${id}" type="text/plain">`);
    // What is no file yet is not packed either.
    const bytes = opened.byRanges
      ? opened.read()
      : pipeline(opened.read(), createGzip({ level: 1 }), () => {});
    let rest = Buffer.alloc(0);
    let count = 0;
    for await (const piece of bytes) {
      count += piece.length;
      const all = Buffer.concat([rest, piece]);
      const whole = all.length - (all.length % 3);
      await handle.write(all.toString('base64', 0, whole));
      rest = all.subarray(whole);
    }
    if (opened.byRanges && count < opened.size)
      fail({ where: opened.name, problem: 'became shorter while it was read', hint: 'Try again' });
    await handle.write(`${rest.toString('base64')}</script>\n`);
  } finally {
    await opened.close();
  }
}

/** The page with what its tags name in their places. */
async function inlined(html: string, page: PageFiles): Promise<string> {
  const parts: string[] = [];
  let at = 0;
  const tags =
    /<script type="module"[^>]*? src="\.\/([^"]+)"[^>]*><\/script>|<link rel="stylesheet"[^>]*? href="\.\/([^"]+)"[^>]*>/g;
  for (const match of html.matchAll(tags)) {
    const [tag, source, style] = match;
    const text = (await page.read(source ?? style))!.bytes.toString('utf8');
    parts.push(html.slice(at, match.index));
    parts.push(
      source === undefined
        ? `<style>${text}</style>`
        : `<script type="module">${text.replaceAll('</script', '<\\/script')}</script>`,
    );
    at = match.index + tag.length;
  }
  return [...parts, html.slice(at)].join('');
}
