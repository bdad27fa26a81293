import type { LesionPlaces, ShownFile, ViewData } from '../../src/view/protocol.ts';

// What the page shows comes from the server that it came from or, in a saved page, from the page itself.

const held = (id: string): string | undefined => document.getElementById(id)?.textContent ?? undefined;

/** Whether this is a saved page, which has no server. */
export const saved = held('halomesh-view') !== undefined;

async function ask(address: string): Promise<Response> {
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

/** An address that the page can load a file from. */
export function addressOf({ url }: ShownFile): string {
  const text = held(`file-${url.split('/')[1]}`);
  if (text === undefined) return url;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return URL.createObjectURL(new Blob([bytes]));
}
