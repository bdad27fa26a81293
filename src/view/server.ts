import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { HalomeshError } from '../core/index.ts';
import { systemErrorCode, systemErrorText } from '../files/index.ts';
import { followLog } from './follow-log.ts';
import { PageFiles } from './page-files.ts';
import { rangeOf } from './ranges.ts';
import type { View } from './view.ts';

export interface ViewServer {
  /** With its token. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * What a page may do: its own scripts, styles, pictures and workers, and nothing of another place. NiiVue compiles WebAssembly and
 * starts workers from text.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page of the app shares memory with threads, which browsers allow where nothing of other places can be loaded. */
const ISOLATED = { 'cross-origin-embedder-policy': 'require-corp' };

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/**
 * Serves a view on this machine alone (127.0.0.1), to whoever knows the random token in its address. Requests of pages of other
 * origins, and those that came by another name of this machine, are refused.
 */
export async function serveView(view: View, page: PageFiles, port = 0): Promise<ViewServer> {
  const token = randomBytes(24).toString('base64url');
  const server = createServer((request, response) => {
    answer(view, page, token, request, response).catch((error: unknown) => {
      // The reader has gone: there is nobody to tell.
      if (response.destroyed || systemErrorCode(error) === 'ERR_STREAM_PREMATURE_CLOSE') return;
      if (response.headersSent) response.destroy();
      else refuse(response, error instanceof HalomeshError ? 403 : 500, problemOf(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: at } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${at}/${token}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  view: View,
  page: PageFiles,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { host = '', origin } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const port = request.socket.localPort;
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`)
    return refuse(response, 403, 'this server answers to 127.0.0.1 and localhost alone');
  if (
    (origin !== undefined && origin !== `http://${host}`) ||
    (site !== undefined && !OWN_SITES.includes(`${site}`))
  )
    return refuse(response, 403, 'pages of other origins are not answered');
  const address = addressOf(request.url ?? '/', host);
  if (address === undefined) return refuse(response, 400, 'this is no address');
  const { pathname, searchParams } = address;
  const [, given = '', ...rest] = pathname.split('/');
  if (!sameToken(given, token) || rest.length === 0)
    return refuse(response, 403, 'the address needs the token that halomesh view printed');
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return refuse(response, 405, 'only GET and HEAD');
  const [room, id] = rest;
  if (room === 'api') return api(view, id, searchParams, request, response);
  if (room === 'files') return file(view, id ?? '', request, response);
  if (room === 'slides') return slide(view, rest.slice(1), request, response);
  const ofApp = room === 'app' && rest.length > 1;
  const asset = ofApp ? await appPage().read(rest.slice(1).join('/')) : await page.read(rest.join('/'));
  if (asset === undefined) return refuse(response, 404, 'no such page');
  send(request, response, asset.type, asset.bytes, ofApp ? ISOLATED : {});
}

let app: PageFiles | undefined;
function appPage(): PageFiles {
  app ??= PageFiles.ofApp();
  return app;
}

function addressOf(given: string, host: string): URL | undefined {
  return URL.canParse(given, `http://${host}`) ? new URL(given, `http://${host}`) : undefined;
}

/** What browsers say of requests that no other page made. */
const OWN_SITES = ['same-origin', 'none'];

async function api(
  view: View,
  name: string | undefined,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const source = Number(query.get('source') ?? -1);
  if (name === 'view') return sendJson(request, response, view.data);
  if (name === 'lesions') {
    const places = await view.lesions(query.get('case') ?? '', source);
    return places === undefined
      ? refuse(response, 404, 'this case has no two label maps to compare')
      : sendJson(request, response, places);
  }
  if (name === 'run' || name === 'sample') {
    const found = await (name === 'run' ? view.run(source) : view.sample(source));
    return found === undefined ? refuse(response, 404, 'no such run') : sendJson(request, response, found);
  }
  if (name === 'problem') {
    const found = view.opened.problemOf(query.get('file') ?? '');
    return found === undefined
      ? refuse(response, 404, 'no problem is known')
      : sendJson(request, response, found);
  }
  const followed = view.followedOf(source);
  if (name === 'log' && followed !== undefined) {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' });
    return followLog(followed, response);
  }
  return refuse(response, 404, 'no such question');
}

/** A file or, where that can be, a range of it. What fails on the way is told by `api/problem`. */
async function file(
  view: View,
  id: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const opened = await view.opened.open(id);
  if (opened === undefined) return refuse(response, 404, 'no such file');
  const { size, name, byRanges } = opened;
  try {
    const range = byRanges ? rangeOf(request.headers.range, size) : undefined;
    const head = {
      ...HEADERS,
      'content-type': typeOf(name),
      'accept-ranges': byRanges ? 'bytes' : 'none',
    };
    if (range === null) {
      response.writeHead(416, { ...head, 'content-range': `bytes */${size}` }).end();
      return;
    }
    const { start, end } = range ?? { start: 0, end: size - 1 };
    response.writeHead(range === undefined ? 200 : 206, {
      ...head,
      'content-length': end - start + 1,
      ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }),
    });
    if (request.method === 'HEAD' || size === 0) response.end();
    else await pipeline(opened.read(range), response);
  } finally {
    await opened.close();
  }
}

/** What is known of a slide, or a tile of it. */
async function slide(
  view: View,
  [id, ...place]: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (place.length === 0) {
    const shown = await view.slides.shown(id);
    return shown === undefined ? refuse(response, 404, 'no such slide') : sendJson(request, response, shown);
  }
  const [level, column, row] = place.map((text) => (/^\d{1,9}$/.test(text) ? Number(text) : -1));
  const tile = place.length === 3 ? await view.slides.tile(id, level, column, row) : undefined;
  if (tile === undefined) return refuse(response, 404, 'no such tile');
  send(request, response, tile.type, tile.bytes);
}

const typeOf = (name: string): string => (name.endsWith('.png') ? 'image/png' : 'application/octet-stream');

function sendJson(request: IncomingMessage, response: ServerResponse, value: unknown): void {
  send(request, response, 'application/json; charset=utf-8', Buffer.from(JSON.stringify(value)));
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  type: string,
  bytes: Uint8Array,
  more: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(200, { ...HEADERS, ...more, 'content-type': type, 'content-length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function refuse(response: ServerResponse, status: number, problem: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${problem}\n`);
}

function problemOf(error: unknown): string {
  return systemErrorText(error) ?? (error instanceof Error ? error.message : String(error));
}

function sameToken(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
