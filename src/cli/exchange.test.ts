import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readScanHeader, writePhantom } from '../imaging/index.ts';
import { run } from './program.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../test/fixtures/exchange/${name}`, import.meta.url));

let folder = '';
let printed = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'halomesh-exchange-'));
  vi.spyOn(console, 'log').mockImplementation((text: string) => {
    printed += `${text}\n`;
  });
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

async function halomesh(...args: string[]): Promise<{ code: number; complaint: string }> {
  let complaint = '';
  printed = '';
  const code = await run(args, (text) => {
    complaint += text;
  });
  return { code, complaint };
}

it('a result of nnU-Net becomes a run that predicts', async () => {
  const out = path.join(folder, 'run');
  expect(await halomesh('import', '--nnunet', fixture('nnunet'), '--out', out)).toEqual({
    code: 0,
    complaint: '',
  });
  expect(printed).toContain('3d_fullres, 3 resolutions');
  expect(printed).toContain('classes background, liver, tumour; voxels of 3 x 3 x 3 mm');
  const scans = path.join(folder, 'scans');
  await writePhantom({ out: scans, size: 16, cases: 1, spacing: 6 });
  const [scan, output] = [
    path.join(scans, 'imagesTr/phantom_000.nii.gz'),
    path.join(folder, 'labels.nii.gz'),
  ];
  expect(existsSync(scan)).toBe(true);
  expect((await halomesh('predict', '--run', out, '--input', scan, '--output', output)).code).toBe(0);
  expect((await readScanHeader(output)).shape).toEqual([16, 16, 16]);
});

it('a run that segments by patches is refused as one for pages, and nothing is written', async () => {
  const [onnx, web] = ['other.onnx', 'web.safetensors'].map((name) => path.join(folder, name));
  const { code, complaint } = await halomesh(
    'export',
    '--run',
    path.join(folder, 'run'),
    '--onnx',
    onnx,
    '--web',
    web,
  );
  expect(code).toBe(1);
  expect(complaint).toMatch(/web.safetensors: a run that was imported from nnU-Net segments by patches/);
  expect(existsSync(onnx) || existsSync(web)).toBe(false);
});

it('a run is exported as a model and as weights', async () => {
  const [onnx, safetensors] = ['net.onnx', 'net.safetensors'].map((name) => path.join(folder, name));
  const flags = ['export', '--run', path.join(folder, 'run'), '--onnx', onnx, '--safetensors', safetensors];
  expect(await halomesh(...flags)).toEqual({ code: 0, complaint: '' });
  expect(printed).toContain('classes background, liver, tumour');
  expect(existsSync(onnx) && existsSync(safetensors)).toBe(true);
  expect((await halomesh(...flags)).complaint).toMatch(/net.onnx: the output is there already/);
  expect(await halomesh('export', '--run', path.join(folder, 'run'))).toEqual({
    code: 2,
    complaint: 'halomesh: --onnx: expected it, --safetensors, --web or --stablehlo, found none\n',
  });
});

it('what cannot be imported is refused in one line', async () => {
  const { code, complaint } = await halomesh(
    'import',
    '--nnunet',
    folder,
    '--out',
    path.join(folder, 'none'),
  );
  expect(code).toBe(1);
  expect(complaint).toMatch(
    /^halomesh: \S+: is no folder of a result of nnU-Net; expected plans\.json, .*, found no plans\.json\. Give the folder of a trainer, .*\n$/,
  );
});
