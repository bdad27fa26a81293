import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { assumedSpeeds } from '../../machine/index.ts';
import { writeMachineFile } from '../../train/index.ts';
import { run } from '../program.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-scale-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

async function halomesh(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void out.push(line));
  const code = await run(args, (text) => void err.push(text));
  return { code, out: out.join('\n'), err: err.join('') };
}

const SMALL = [
  'scale',
  '--size',
  '16',
  '--base',
  '4',
  '--levels',
  '2',
  '--block',
  '8',
  '--ranks',
  '1,2,8,1024',
  '--tries',
  '2',
];

it('tells the best split of each number of ranks, and why some have none', async () => {
  const machine = path.join(folder, 'machine.json');
  await writeMachineFile(machine, assumedSpeeds(2));
  const picture = path.join(folder, 'scale.png');
  const { code, out, err } = await halomesh(...SMALL, '--machine', machine, '--out', picture);
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(out.replace(/picture in .*/, 'picture')).toMatchInlineSnapshot(`
    "step       U-Net of base 4, 2 levels, batch 1, f32
    machine    assumed, 2 cores: not measured: an AVX-512 core of a server of 2024
    link       1.10 GB/s, 100 us: not measured: 10 Gbit/s Ethernet; start with mpirun -n 2 to measure it

    16^3 over more and more ranks

    | ranks | best split | block        |  s/step | over all | waits | efficiency | memory a rank | sent by a rank | sent by all |
    | ----: | ---------- | ------------ | ------: | -------: | ----: | ---------: | ------------: | -------------: | ----------: |
    |     1 | none       | 16 x 16 x 16 | 0.00111 |  0.00111 | 0.0 % |    100.0 % |     138.7 MiB |            0 B |         0 B |
    |     2 | 1: none    | 16 x 16 x 16 | 0.00111 |  0.00447 | 0.0 % |     50.0 % |     138.7 MiB |            0 B |         0 B |
    |     8 | 1: none    | 16 x 16 x 16 | 0.00111 |  0.00876 | 0.0 % |     12.5 % |     138.7 MiB |            0 B |         0 B |

    The best of 8 ranks is to start 1 alone: all together would take 0.00876 s a step, as they wait for each other.

    8^3 voxels a rank

    | ranks | best split                | block     |   s/step |  waits | efficiency | memory a rank | sent by a rank | sent by all |
    | ----: | ------------------------- | --------- | -------: | -----: | ---------: | ------------: | -------------: | ----------: |
    |     1 | none                      | 8 x 8 x 8 | 0.000687 |  0.0 % |    100.0 % |     138.2 MiB |            0 B |         0 B |
    |     2 | depth=2                   | 8 x 8 x 8 |  0.00432 | 83.7 % |     15.9 % |     154.3 MiB |       9.00 KiB |    93.6 KiB |
    |     8 | depth=2,height=2,width=2  | 8 x 8 x 8 |  0.00902 | 92.2 % |      7.6 % |     154.5 MiB |       31.3 KiB |   930.7 KiB |
    |  1024 | depth=16,height=8,width=8 | 8 x 8 x 8 |   0.0262 | 97.1 % |      2.6 % |     155.4 MiB |       71.9 KiB |   175.8 MiB |

    left out: 1024 ranks, no split of 1024 has blocks of at least 2 voxels along each axis

    picture"
  `);
  expect(statSync(picture).size).toBeGreaterThan(5000);
});

it('refuses a machine file that is not one', async () => {
  const { code, err } = await halomesh(
    'scale',
    '--machine',
    path.join(folder, 'none.json'),
    '--out',
    path.join(folder, 'none.png'),
  );
  expect(code).not.toBe(0);
  expect(err).toMatch(/none\.json: cannot be read/);
});

it.each([
  ['8-h100-400gbit.json', '8', 450],
  ['4-a100-200gbit.json', '4', 300],
  ['1-rtx4090-10gbit.json', '1', undefined],
])('tells steps on the cluster of %s, and that it is assumed', async (file, ranks, inside) => {
  const machine = fileURLToPath(new URL(`../../../examples/machines/${file}`, import.meta.url));
  const out = path.join(folder, `${file}.png`);
  const flags = [
    '--machine',
    machine,
    '--ranks-per-machine',
    ranks,
    '--ranks',
    '1,16',
    '--size',
    '32',
    '--out',
    out,
  ];
  const found = await halomesh('scale', '--base', '4', '--levels', '2', '--tries', '1', ...flags);
  expect(found.err).toBe('');
  expect(found.out).toContain('assumed from data sheets');
  if (inside === undefined) expect(found.out).not.toContain('within a machine');
  else expect(found.out).toContain(`${inside} GB/s, 10.0 us within a machine`);
  expect(found.out.match(/^\| +16 /gm)).toHaveLength(2);
});

it.each([
  ['tpu-v4', 'TPU v4 chip, 32 GiB', '50.0'],
  ['tpu-v5e', 'TPU v5e chip, 16 GB', '50.0'],
  ['tpu-v5p', 'TPU v5p chip, 95 GB', '100'],
  ['tpu-v6e', 'TPU v6e chip, 32 GB', '100'],
])('knows %s by its name', async (machine, name, link) => {
  const out = path.join(folder, `${machine}.png`);
  const small = 'scale --base 4 --levels 2 --tries 1 --size 32 --ranks 1,8 --precision bf16'.split(' ');
  const found = await halomesh(...small, '--machine', machine, '--device', 'cuda', '--out', out);
  expect(found.err).toBe('');
  expect(found.out).toContain(`machine    ${name}`);
  expect(found.out).toContain("assumed from Google Cloud's figures");
  expect(found.out).toContain(`${link} GB/s`);
});

it('tells steps on GPUs, of assumed speeds or those of a machine file, with a rank for each GPU', async () => {
  const small = 'scale --device cuda --base 16 --levels 2 --tries 1 --size 32'.split(' ');
  const plain = await halomesh(...small, '--ranks', '1,2', '--out', path.join(folder, 'gpu.png'));
  expect(plain.err).toBe('');
  expect(plain.out).toContain('machine    a GPU, 1 GPU: not measured');
  const machine = fileURLToPath(new URL('../../../examples/machines/8-h100-400gbit.json', import.meta.url));
  const known = await halomesh(
    ...small,
    ...['--machine', machine, '--ranks', '8', '--out', path.join(folder, 'h100.png')],
  );
  const one = await halomesh(
    ...small,
    ...['--machine', machine, '--ranks', '8', '--ranks-per-machine', '1'],
    ...['--out', path.join(folder, 'h100-far.png')],
  );
  const secondsOf = ({ out }: { out: string }): number =>
    Number(/^\| +8 \|[^|]*\|[^|]*\| *([\d.]+) /m.exec(out)![1]);
  // Messages of eight GPUs of one machine take NVLink.
  expect(secondsOf(known)).toBeLessThan(secondsOf(one));
  const refused = await halomesh('scale', '--device', 'cuda', '--measure');
  expect(refused.err).toContain('--measure: runs the step on processors alone');
});
