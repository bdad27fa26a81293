import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNifti } from '../imaging/index.ts';
import { PageFiles, serveView, View, type ViewServer } from './index.ts';
import { ask, SHAPE, WICKED, writeExample } from './view.testing.ts';

let dir: string;
let run: string;
let page: PageFiles;
let view: View;
let server: ViewServer;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'halomesh-view-security-'));
  ({ run } = await writeExample(dir));
  const web = path.join(dir, 'web');
  mkdirSync(path.join(web, 'assets'), { recursive: true });
  writeFileSync(path.join(web, 'index.html'), '<html><body></body></html>');
  writeFileSync(path.join(web, 'assets/a.js'), '1');
  page = new PageFiles(web);
  view = await View.open({ paths: [run] });
  server = await serveView(view, page);
});
afterAll(async () => {
  await server.close();
  view.close();
  rmSync(dir, { recursive: true });
});

describe('who is answered', () => {
  it('is no page of another origin and no other name of this machine', async () => {
    const { port, origin } = new URL(server.url);
    const status = async (at: string, headers: Record<string, string>) =>
      (await ask(server.url + at, headers)).status;
    const { images } = view.data.cases[0];
    for (const at of ['', 'api/view', 'assets/a.js', images[0].url, 'api/log?source=9']) {
      const own = at === 'api/log?source=9' ? 404 : 200;
      expect(await status(at, { origin }), at).toBe(own);
      expect(await status(at, { host: `localhost:${port}`, origin: `http://localhost:${port}` }), at).toBe(
        own,
      );
      for (const site of ['same-origin', 'none'])
        expect(await status(at, { 'sec-fetch-site': site })).toBe(own);
      const refused: readonly Record<string, string>[] = [
        { origin: 'https://example.org' },
        { origin: 'null' },
        { origin: `https://127.0.0.1:${port}` },
        { origin: `http://127.0.0.1:${Number(port) + 1}` },
        { origin: `http://localhost:${port}` },
        { origin: `http://127.0.0.1.example.org:${port}` },
        { origin: '' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'same-origin, cross-site' },
        { host: `example.org:${port}` },
        { host: `127.0.0.1.example.org:${port}` },
        { host: `127.0.0.1:${Number(port) + 1}` },
        { host: '127.0.0.1' },
        { host: `[::1]:${port}` },
        { host: `user@127.0.0.1:${port}` },
      ];
      for (const headers of refused)
        expect(await status(at, headers), `${at} ${JSON.stringify(headers)}`).toBe(403);
    }
  });

  it('is nobody without the token, and nobody who would write', async () => {
    const { origin, pathname } = new URL(server.url);
    const token = pathname.slice(1, -1);
    const url = view.data.cases[0].images[0].url;
    for (const at of ['', 'api/view', 'assets/a.js', url])
      for (const given of [
        '/',
        '//',
        `/${'A'.repeat(token.length)}/`,
        `/${token.slice(1)}/`,
        `/${token}A/`,
        `/${token.toLowerCase() === token ? token.toUpperCase() : token.toLowerCase()}/`,
        `/x/../x/${token}/`,
        `/%${token.charCodeAt(0).toString(16)}${token.slice(1)}/`,
        `/?token=${token}&/`,
      ])
        expect([400, 403], given + at).toContain((await ask(origin, {}, 'GET', { path: given + at })).status);
    // The token alone is no address either.
    expect((await ask(`${origin}/${token}`)).status).toBe(403);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])
      expect((await ask(server.url, {}, method)).status, method).toBe(405);
  });

  it('gets pages that may ask nobody else, that nobody may frame, and that no other page may read', async () => {
    for (const at of ['', 'api/view', 'nothing']) {
      const { headers } = await ask(server.url + at);
      const policy = `${headers['content-security-policy']}`.split('; ');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy.find((one) => one.startsWith('script-src'))).toBe("script-src 'self' 'wasm-unsafe-eval'");
      expect(policy.join(' ')).not.toMatch(/https?:|\*/);
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers['cross-origin-resource-policy']).toBe('same-origin');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['cache-control']).toBe('no-store');
    }
  });
});

describe('what is served', () => {
  it('is no path, however it is written', async () => {
    const { origin, pathname } = new URL(server.url);
    const config = path.join(run, 'config.json');
    expect(readFileSync(config, 'utf8').length).toBeGreaterThan(0);
    const ups = [
      '..',
      '%2e%2e',
      '%2E.',
      '..%2f..',
      '..%5c..',
      '..\\..',
      '%252e%252e',
      '%c0%ae%c0%ae',
      '....//',
    ];
    const places = ['', 'files/', 'files/x/', 'assets/', 'api/'];
    for (const place of places)
      for (const up of ups)
        for (const to of ['etc/passwd', 'run/config.json', 'data/dataset.json']) {
          const at = `${pathname}${place}${`${up}/`.repeat(6)}${to}`;
          const { status, bytes } = await ask(origin, {}, 'GET', { path: at });
          expect([403, 404], at).toContain(status);
          expect(bytes.length, at).toBeLessThan(200);
        }
    for (const at of [
      config,
      `file://${config}`,
      '%00',
      'index.html%00',
      'files',
      'files/',
      'files/x',
      'assets',
      'constructor',
      '__proto__',
      'files/__proto__/x',
    ])
      expect([403, 404], at).toContain((await ask(origin, {}, 'GET', { path: `${pathname}${at}` })).status);
    expect((await ask(origin, {}, 'GET', { path: '//[' })).status).toBe(400);
  });

  /** The status and text of each file of the cases of a folder. */
  async function served(folder: string, more: object = {}): Promise<readonly [number, string][]> {
    const other = await View.open({ paths: [folder], ...more });
    const at = await serveView(other, page);
    try {
      const found: [number, string][] = [];
      for (const { images, truth } of other.data.cases)
        for (const file of [...images, ...(truth ? [truth] : [])]) {
          const { status, bytes } = await ask(at.url + file.url);
          found.push([status, bytes.toString('latin1')]);
        }
      return found;
    } finally {
      await at.close();
      other.close();
    }
  }

  it.each([
    ['a link to a file', 'link.nii', (at: string, secret: string) => symlinkSync(secret, at)],
    [
      'a link over a link',
      'link.nii',
      (at: string, secret: string) => {
        symlinkSync(secret, `${at}.other`);
        symlinkSync(`${at}.other`, at);
      },
    ],
    [
      'a header that names voxels elsewhere',
      'scan.mhd',
      (at: string) => writeFileSync(at, mhd('../secret.nii')),
    ],
    [
      'a header that names them by a whole path',
      'scan.mhd',
      (at: string, secret: string) => writeFileSync(at, mhd(secret)),
    ],
    [
      'a header that names a link',
      'scan.mhd',
      (at: string, secret: string) => {
        symlinkSync(secret, path.join(path.dirname(at), 'voxels.raw'));
        writeFileSync(at, mhd('voxels.raw'));
      },
    ],
    [
      'a detached NRRD header',
      'scan.nhdr',
      (at: string) =>
        writeFileSync(
          at,
          `NRRD0004\ntype: uchar\ndimension: 3\nsizes: 16 14 12\nencoding: raw\ndata file: ../secret.nii\n\n`,
        ),
    ],
    [
      'a pair of which one is elsewhere',
      'scan.hdr',
      (at: string, secret: string) => {
        const bytes = Buffer.from(readFileSync(secret).subarray(0, 352));
        bytes.write('ni1\0', 344, 'latin1');
        bytes.writeFloatLE(0, 108);
        writeFileSync(at, bytes);
        symlinkSync(secret, at.replace('.hdr', '.img'));
      },
    ],
  ])('is not what lies elsewhere: %s', async (_, name, lay) => {
    const here = mkdtempSync(path.join(dir, 'elsewhere-'));
    const folder = path.join(here, 'opened');
    mkdirSync(folder);
    const secret = path.join(here, 'secret.nii');
    const data = new Uint8Array(SHAPE[0] * SHAPE[1] * SHAPE[2]).fill(83);
    await writeNifti(secret, {
      shape: SHAPE,
      affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
      data,
    });
    lay(path.join(folder, name), secret);
    const [[status, text]] = await served(folder);
    expect(status).toBe(403);
    expect(text).toContain('lies outside of the opened folders');
    expect(text).toContain('Name that folder on the command line too');
    expect(text).not.toContain('SSSS');
    // So is a label map.
    const scan = path.join(here, 'scan.nii');
    await writeNifti(scan, { shape: SHAPE, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], data });
    const maps = path.join(folder, name.replace('link', 'scan'));
    if (maps !== path.join(folder, name)) symlinkSync(secret, maps);
    const other = await View.open({ paths: [scan], predictions: [folder] });
    const at = await serveView(other, page);
    const [{ labels }] = other.data.cases[0].results;
    const refused = await ask(at.url + labels!.url);
    await at.close();
    other.close();
    expect([refused.status, refused.bytes.toString()]).toEqual([
      403,
      expect.stringContaining('lies outside of the opened folders'),
    ]);
    // With the other folder named too it is.
    const both = await View.open({ paths: [folder, here] });
    const all = await serveView(both, page);
    const { images } = both.data.cases.find(({ id }) => id === name.replace(/\..*/, ''))!;
    expect((await ask(all.url + images[0].url)).status).toBe(200);
    await all.close();
    both.close();
  });

  it('are names as text: what has markup reaches the page as JSON and in no header', async () => {
    const { headers, bytes } = await ask(`${server.url}api/view`);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    const { cases } = JSON.parse(bytes.toString());
    const wicked = cases.find(({ id }: { id: string }) => id === WICKED);
    expect(wicked.images[0].url).not.toMatch(/[<> "]/);
    const scan = await ask(server.url + wicked.images[0].url);
    expect([scan.status, scan.headers['content-type']]).toEqual([200, 'application/octet-stream']);
    const query = new URLSearchParams({ case: '<script>alert(1)</script>', source: '0' });
    const refused = await ask(`${server.url}api/lesions?${query}`);
    expect([refused.status, refused.headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
    expect(refused.bytes.toString()).not.toContain('<script');
  });
});

/** A MetaImage header of bytes in another file. */
const mhd = (file: string): string =>
  `ObjectType = Image\nNDims = 3\nDimSize = 16 14 12\nElementType = MET_UCHAR\nElementSpacing = 1 1 1\nHeaderSize = -1\nElementDataFile = ${file}\n`;
