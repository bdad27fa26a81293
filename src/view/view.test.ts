import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PageFiles, saveView, serveView, View, type ViewData, type ViewServer, writeApp } from './index.ts';
import { LogTail } from './log-tail.ts';
import { rangeOf } from './ranges.ts';
import { ask, stepLine, WICKED, writeExample } from './view.testing.ts';

let dir: string;
let run: string;
let data: string;
let view: View;
let page: PageFiles;
let server: ViewServer;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'halomesh-view-test-'));
  ({ run, data } = await writeExample(dir));
  const web = path.join(dir, 'web');
  mkdirSync(path.join(web, 'assets'), { recursive: true });
  writeFileSync(
    path.join(web, 'index.html'),
    '<html><head><script type="module" crossorigin src="./assets/a.js"></script><link rel="stylesheet" crossorigin href="./assets/a.css"></head><body></body></html>',
  );
  writeFileSync(path.join(web, 'assets/a.js'), 'const text = "</script>$&";');
  writeFileSync(path.join(web, 'assets/a.css'), 'p { color: red }');
  page = new PageFiles(web);
  view = await View.open({ paths: [run] });
  server = await serveView(view, page);
});
afterAll(async () => {
  await server.close();
  view.close();
  rmSync(dir, { recursive: true });
});

const viewData = async (): Promise<ViewData> =>
  JSON.parse((await ask(`${server.url}api/view`)).bytes.toString('utf8'));

const caseOf = async (id: string): Promise<ViewData['cases'][number]> =>
  (await viewData()).cases.find((one) => one.id === id)!;

describe('a view', () => {
  it('has the cases of a run with scores, truth and segmentations', async () => {
    const { classes, sources, cases, channels } = await viewData();
    expect(classes).toEqual(['background', 'liver', 'tumour']);
    expect(sources).toEqual([{ name: 'run', run: true }]);
    expect(channels).toEqual([{ name: 'CT', window: [-160, 240] }]);
    expect(cases.map(({ id, kind }) => [id, kind])).toEqual(
      [
        [WICKED, 'held out'],
        ['case1', 'held out'],
      ].sort(),
    );
    const [{ scores, labels, lesions }] = (await caseOf('case1')).results;
    expect(scores).toEqual({ liver: { dice: 0.9, hd95: 4 }, tumour: { dice: 0.45, hd95: null } });
    expect(lesions).toEqual({ trueLesions: 2, found: 1, predictedLesions: 2, matched: 1 });
    expect(labels?.name).toBe('case1.nii.gz');
  });

  it('serves a scan as a NIfTI file of its voxels, and label maps as bytes, by ranges', async () => {
    const { images, truth } = await caseOf('case1');
    const scan = await ask(server.url + images[0].url, { range: 'bytes=10-19' });
    expect([scan.status, scan.headers['accept-ranges']]).toEqual([200, 'none']);
    expect(scan.headers['content-length']).toBe(`${scan.bytes.length}`);
    const file = gunzipSync(readFileSync(path.join(data, 'imagesTr/case1.nii.gz')));
    expect(scan.bytes.equals(file)).toBe(true);
    const head = await ask(server.url + images[0].url, {}, 'HEAD');
    expect([head.status, head.headers['content-length'], head.bytes.length]).toEqual([
      200,
      `${file.length}`,
      0,
    ]);

    const whole = await ask(server.url + truth!.url);
    const labels = gunzipSync(whole.bytes);
    // NIfTI-1: datatype 2 is unsigned bytes.
    expect([labels.readInt16LE(70), labels.length]).toEqual([2, 352 + 12 * 14 * 16]);
    const part = await ask(server.url + truth!.url, { range: 'bytes=10-19' });
    expect([part.status, part.headers['content-range']]).toEqual([206, `bytes 10-19/${whole.bytes.length}`]);
    expect(part.bytes.equals(whole.bytes.subarray(10, 20))).toBe(true);
    expect((await ask(server.url + truth!.url, { range: `bytes=${whole.bytes.length}-` })).status).toBe(416);
  });

  it('tells where lesions are: found, missed and false ones', async () => {
    const query = new URLSearchParams({ case: 'case1', source: '0' });
    const { label, places, more } = JSON.parse(
      (await ask(`${server.url}api/lesions?${query}`)).bytes.toString('utf8'),
    );
    expect([label, more]).toEqual(['tumour', 0]);
    const ml = (voxels: number) => (voxels * 12) / 1000;
    expect(places).toEqual([
      { of: 'truth', met: true, ml: ml(8), mm: [-8, -8, -9] },
      { of: 'prediction', met: true, ml: ml(8), mm: [-8, -8, -9] },
      { of: 'truth', met: false, ml: ml(1), mm: [-2, 0, 3] },
      { of: 'prediction', met: false, ml: ml(1), mm: [4, 6, 12] },
    ]);
    expect((await ask(`${server.url}api/lesions?case=none&source=0`)).status).toBe(404);
  });

  it('follows a log while it grows, and from its beginning where it is another one', async () => {
    const log = path.join(run, 'log.jsonl');
    writeFileSync(log, stepLine(1));
    const got: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const asked = request(`${server.url}api/log?source=0`, (response) => {
        expect(response.headers['content-type']).toContain('text/event-stream');
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          got.push(text);
          const all = got.join('');
          if (all.includes('"step":1,') && !all.includes('"step":2,')) appendFileSync(log, stepLine(2));
          else if (all.includes('"step":2,') && !all.includes('event: again')) {
            writeFileSync(`${log}.new`, stepLine(7));
            renameSync(`${log}.new`, log);
          } else if (all.includes('"step":7,')) {
            asked.destroy();
            resolve();
          }
        });
      });
      asked.on('error', reject).end();
    });
    expect(got.join('')).toMatch(/"step":1,[\s\S]*"step":2,[\s\S]*event: again[\s\S]*"step":7,/);
    expect((await ask(`${server.url}api/log?source=5`)).status).toBe(404);
  });

  it('tells what is known of a run beside its log, with what was planned where the run has it', async () => {
    const asked = async (name: string) => {
      const { status, bytes } = await ask(`${server.url}api/${name}`);
      return [status, status === 200 ? JSON.parse(bytes.toString()) : bytes.toString()];
    };
    expect(await asked('run?source=0')).toEqual([200, { steps: 40 }]);
    const layers = [{ layer: 'down0/conv0', seconds: 0.25 }];
    writeFileSync(
      path.join(run, 'plan.json'),
      JSON.stringify({ predictedPeakBytes: 5e9, flops: 1, ranks: 1, layers }),
    );
    expect(await asked('run?source=0')).toEqual([200, { steps: 40, predictedPeakBytes: 5e9, layers }]);
    expect((await asked('run?source=1'))[0]).toBe(404);
    const [status, problem] = await asked('sample?source=0');
    expect(status).toBe(403);
    expect(problem).toContain('has no checkpoint yet. Ask again after the first one');
  });

  it('is written into one file that has scan, label maps and data, and lets none of them end its tag', async () => {
    const file = path.join(dir, 'saved.html');
    await saveView(view, page, file, { cases: [WICKED] });
    const html = readFileSync(file, 'utf8');
    expect(html).toContain('const text = "<\\/script>$&";');
    expect(html).toContain('<style>p { color: red }</style>');
    expect(html).not.toContain('<img');
    expect(html).not.toMatch(/<(script|link)[^>]*(src|href)=/);
    const held = JSON.parse(
      /id="halomesh-view" type="application\/json">(.*?)<\/script>/s.exec(html)![1],
    ) as ViewData;
    const kept = held.cases.find(({ id }) => id === WICKED)!;
    const id = kept.images[0].url.split('/')[1];
    const base64 = new RegExp(`id="file-${id}" type="text/plain">(.*?)</script>`, 's').exec(html)![1];
    const scan = gunzipSync(readFileSync(path.join(data, `imagesTr/${WICKED}.nii.gz`)));
    expect(gunzipSync(Buffer.from(base64, 'base64')).equals(scan)).toBe(true);
    const other = held.cases.find(({ id }) => id === 'case1')!;
    expect([other.images.length, other.results[0].labels, other.results[0].scores!.liver.dice]).toEqual([
      0,
      undefined,
      0.9,
    ]);
    await expect(saveView(view, page, file, { cases: ['none'] })).rejects.toThrow(
      '--case: no such case; found none',
    );
  });

  it('opens a scan with truth and segmentation, and refuses what does not fit', async () => {
    const scan = path.join(data, 'imagesTr/case1.nii.gz');
    const truth = path.join(data, 'labelsTr/case1.nii.gz');
    const one = await View.open({ paths: [scan], truth, predictions: [truth] });
    expect(one.data.cases).toHaveLength(1);
    expect(one.data.cases[0].truth?.name).toBe('case1.nii.gz');
    one.close();
    await expect(View.open({ paths: [path.join(dir, 'nothing')] })).rejects.toThrow('no such file or folder');
    await expect(View.open({ paths: [data], predictions: [truth] })).rejects.toThrow(
      'one label map belongs to one scan; found 2 scans. Give a folder with a label map for each case',
    );
    expect(() => new PageFiles(dir)).toThrow('the page is not built. Run: npm run build');
  });
});

describe('the page that segments', () => {
  it('is served isolated, so that threads can share memory, and is written for other servers', async () => {
    const got = await ask(`${server.url}app/`);
    expect(got.status).toBe(200);
    expect(got.headers['cross-origin-embedder-policy']).toBe('require-corp');
    expect(got.headers['cross-origin-opener-policy']).toBe('same-origin');
    const html = got.bytes.toString('utf8');
    const [, script] = html.match(/src="\.\/([^"]+)"/)!;
    expect((await ask(`${server.url}app/${script}`)).headers['content-type']).toMatch(/^text\/javascript/);
    expect((await ask(`${server.url}app/../../package.json`)).status).not.toBe(200);

    const folder = path.join(dir, 'app');
    const files = await writeApp(folder);
    expect(files.at(-1)).toBe(path.join(folder, 'index.html'));
    expect(readFileSync(files.at(-1)!, 'utf8')).toBe(html);
    expect(files.map((file) => path.extname(file)).sort()).toEqual([
      '.css',
      '.html',
      '.js',
      '.wasm',
      '.wasm',
    ]);
    await expect(writeApp(folder)).rejects.toThrow(/the output is there already/);
    await writeApp(folder, { overwrite: true });
  });
});

describe('parts of it', () => {
  it('understand ranges', () => {
    expect(rangeOf(undefined, 10)).toBeUndefined();
    expect(rangeOf('bytes=2-4', 10)).toEqual({ start: 2, end: 4 });
    expect(rangeOf('bytes=2-', 10)).toEqual({ start: 2, end: 9 });
    expect(rangeOf('bytes=-3', 10)).toEqual({ start: 7, end: 9 });
    expect(rangeOf('bytes=-30', 10)).toEqual({ start: 0, end: 9 });
    expect(rangeOf('bytes=4-99', 10)).toEqual({ start: 4, end: 9 });
    for (const bad of ['bytes=10-', 'bytes=-0']) expect(rangeOf(bad, 10)).toBeNull();
    for (const odd of ['bytes=-', 'bytes=4-2', 'bytes=0-1,3-4', 'lines=1-2'])
      expect(rangeOf(odd, 10)).toBeUndefined();
  });

  it('give whole lines alone, however the bytes of a log arrive', async () => {
    const file = path.join(dir, 'tail.jsonl');
    const lines: string[] = [];
    let again = 0;
    const tail = new LogTail(file);
    const read = () =>
      tail.read(
        async (some) => void lines.push(...some),
        () => again++,
      );
    await read();
    writeFileSync(file, 'one\ntw');
    await read();
    expect(lines).toEqual(['one']);
    const [first, second] = [...Buffer.from('ö')];
    appendFileSync(file, Buffer.from([0x6f, first]));
    await read();
    appendFileSync(file, Buffer.from([second, 10]));
    await read();
    expect(lines).toEqual(['one', 'twoö']);
    writeFileSync(file, 'x\n');
    await read();
    expect([lines.at(-1), again]).toEqual(['x', 1]);
  });
});
