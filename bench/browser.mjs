// A trained network in a page of Chromium: seconds and processor time of a scan by the kernels in WebAssembly, layer by layer, and by ONNX
// Runtime Web where an exported model is given. Where other work runs on the same cores, processor time is what counts.
//
//   npx halomesh export --run RUN --web run.safetensors --onnx net.onnx
//   node bench/browser.mjs --run run.safetensors --scan scan.nii.gz [--onnx net.onnx] [--threads 1,2] [--repeats 3] [--layers]
//   node bench/browser.mjs --run run.safetensors --scan scan.nii.gz --budget 2     # once as the page of halomesh app does it, within so many GiB
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { build } from 'vite';

const { values: flags } = parseArgs({
  options: {
    run: { type: 'string' },
    scan: { type: 'string' },
    onnx: { type: 'string' },
    threads: { type: 'string', default: '1,2' },
    repeats: { type: 'string', default: '3' },
    layers: { type: 'boolean', default: false },
    budget: { type: 'string' },
  },
});
if (flags.run === undefined || flags.scan === undefined) throw new Error('--run and --scan are needed');
const CHROMIUM = [process.env.HALOMESH_CHROMIUM ?? '', '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (file) => existsSync(file),
);
if (CHROMIUM === undefined)
  throw new Error('no Chromium here: apt-get install chromium, or HALOMESH_CHROMIUM=FILE');

const folder = mkdtempSync(join(tmpdir(), 'halomesh-page-'));
const root = resolve(import.meta.dirname, 'browser');
await build({
  ...{ root, configFile: false, logLevel: 'error' },
  build: { outDir: folder, emptyOutDir: true },
  worker: { format: 'es' },
});
const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
const files = { '/run.safetensors': flags.run, '/scan.nii.gz': flags.scan, '/net.onnx': flags.onnx };
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://127.0.0.1');
  const file = pathname.startsWith('/ort/')
    ? join(ort, pathname.slice(5))
    : (files[pathname] ?? join(folder, pathname === '/' ? 'index.html' : pathname));
  if (!existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, {
    'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  });
  response.end(readFileSync(file));
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));

const statOf = (pid) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');

/** Whether a process comes of this one. */
function isOurs(pid) {
  for (let at = pid; at > 1; at = Number(statOf(at)[1])) if (at === process.pid) return true;
  return false;
}

/** Processes of the browser that render pages. */
function renderers() {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer') &&
        isOurs(Number(pid))
      );
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

/** Their processor seconds; ticks are hundredths. */
const cpuSeconds = () =>
  renderers().reduce((sum, pid) => sum + Number(statOf(pid)[11]) + Number(statOf(pid)[12]), 0) / 100;

const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** The most that was resident of a process, bytes. */
const peakOf = (pid) => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.locator('body[data-ready]').waitFor({ state: 'attached' });
  const measure = async (name, asked) => {
    await page.evaluate(() => window.begin());
    const { shape } = await page.evaluate((what) => window.ask(what), { kind: 'open', ...asked });
    const found = [];
    for (let n = 0; n < Number(flags.repeats); n++) {
      const before = cpuSeconds();
      const one = await page.evaluate(() => window.ask({ kind: 'pass' }));
      found.push({ ...one, cpu: cpuSeconds() - before });
    }
    const least = (key) => Math.min(...found.map((one) => one[key])).toFixed(2);
    console.log(
      `${name}, ${asked.threads} threads, ${shape.join(' x ')}: ${least('seconds')} s, ${least('cpu')} s of processors (least of ${found.length})`,
    );
    if (!flags.layers) return;
    for (const { name: kernel, scope, milliseconds, share, gflopsPerSecond } of found.at(-1).kernels)
      console.log(
        `  ${kernel.padEnd(16)}${scope.padEnd(24)}${milliseconds.toFixed(1).padStart(9)} ms ${(100 * share).toFixed(1).padStart(5)} %  ${gflopsPerSecond.toFixed(1).padStart(6)} GFLOP/s`,
      );
  };
  if (flags.budget !== undefined) {
    page.on('console', (message) => console.log(message.text()));
    const threads = Number(flags.threads.split(',').at(-1));
    const asked = { kind: 'segment', threads, budget: Number(flags.budget) * 2 ** 30 };
    const before = cpuSeconds();
    const { shape, seconds, passes, most } = await page.evaluate((what) => window.ask(what), asked);
    const [scan, network] = seconds.map((n) => n.toFixed(1));
    console.log(
      `${shape.join(' x ')}, ${threads} threads: scan ${scan} s, network ${network} s in ${passes} passes`,
    );
    console.log(
      `  ${(cpuSeconds() - before).toFixed(1)} s of processors; ${gib(most)} of ${flags.budget} GiB`,
    );
    for (const pid of renderers()) console.log(`  a tab's process held ${gib(peakOf(pid))} at most`);
  } else for (const threads of flags.threads.split(',').map(Number)) await measure('halomesh', { threads });
  if (flags.onnx !== undefined)
    for (const threads of flags.threads.split(',').map(Number))
      await measure('ONNX Runtime Web', { threads, onnx: true });
} finally {
  await browser.close();
  server.close();
  rmSync(folder, { recursive: true });
}
