import type { ShownFile, ShownSlide } from '../../../src/view/protocol.ts';
import { ask, held, saved } from '../data.ts';

// What is known of slides and their tiles, from the server or, in a saved page, from the page itself.

const idOf = ({ url }: ShownFile): string => url.split('/')[1];

export async function slideOf(file: ShownFile): Promise<ShownSlide> {
  const text = held(`slide-${idOf(file)}`);
  if (text !== undefined) return JSON.parse(text);
  if (saved) throw new Error(`${file.name} is not in this page`);
  return (await ask(file.url)).json();
}

/** The bytes of a tile as they are sent; `level`: counted from the largest. */
export async function tileOf(file: ShownFile, level: number, column: number, row: number): Promise<Blob> {
  const text = held(`tile-${idOf(file)}-${level}-${column}-${row}`);
  if (text !== undefined)
    return new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))]);
  return (await ask(`${file.url}/${level}/${column}/${row}`)).blob();
}

/** The classes of a tile of a label map, a byte each. */
export async function classesOf(packed: Blob): Promise<Uint8Array<ArrayBuffer>> {
  const stream = packed.stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
