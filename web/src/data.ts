import type { LesionPlaces, ShownFile, ViewData } from '../../src/view/protocol.ts';

// What the page shows comes from the server that it came from or, in a saved page, from the page itself.

/** What a saved page holds by some name. */
export const held = (id: string): string | undefined => document.getElementById(id)?.textContent ?? undefined;

/** Whether this is a saved page, which has no server. */
export const saved = held('halomesh-view') !== undefined;

/** The answer of the server. Throws its text where it refuses. */
export async function ask(address: string): Promise<Response> {
  const response = await fetch(address);
  if (!response.ok) throw new Error((await response.text()).trim() || `${response.status}`);
  return response;
}

export async function viewData(): Promise<ViewData> {
  const text = held('halomesh-view');
  return text === undefined ? (await ask('api/view')).json() : JSON.parse(text);
}

/** Null where there are no two label maps. */
export async function lesionsOf(id: string, source: number): Promise<LesionPlaces | null> {
  const text = held('halomesh-lesions');
  if (text !== undefined) return JSON.parse(text)[`${id} ${source}`] ?? null;
  const query = new URLSearchParams({ case: id, source: `${source}` });
  const response = await fetch(`api/lesions?${query}`);
  if (response.status === 404) return null;
  if (!response.ok) throw new Error((await response.text()).trim());
  return response.json();
}

/** The bytes of a file as they come. */
export async function bytesOf({ url }: ShownFile): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const text = held(`file-${url.split('/')[1]}`);
  if (text === undefined) return (await ask(url)).body!;
  return new Blob([Uint8Array.from(atob(text), (character) => character.charCodeAt(0))]).stream();
}

/** Why a file did not come to its end; undefined where nobody knows. */
export async function problemOf({ url }: ShownFile): Promise<string | undefined> {
  if (saved) return undefined;
  const response = await fetch(`api/problem?${new URLSearchParams({ file: url.split('/')[1] })}`);
  return response.ok ? response.json() : undefined;
}
