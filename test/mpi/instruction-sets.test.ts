import { expect, it } from 'vitest';
import { COMMAND, describeMpi, launch } from './launch.ts';

const bench = [
  COMMAND,
  'bench',
  '--size',
  '8',
  '--base',
  '2',
  '--levels',
  '2',
  '--steps',
  '1',
  '--split',
  'depth=2',
];

/** One process for each list of settings of the environment. */
const ranks = (...settings: readonly (readonly string[])[]) =>
  launch(
    settings.flatMap((own, i) => [
      ...(i === 0 ? [] : [':']),
      ...['-n', '1', 'env', ...own, process.execPath, ...bench, '--json'],
    ]),
  );

describeMpi('instruction sets of ranks', () => {
  it('are one: that which any of them is told to take', async () => {
    const { code, stdout, stderr } = await ranks([], ['HALOMESH_ISA=base']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).instructionSet).toBe('base');
  });

  it('are refused where they are told different ones, and so are ways to convolve', async () => {
    const sets = await ranks(['HALOMESH_ISA=base'], ['HALOMESH_ISA=avx2']);
    expect(sets.code).toBe(1);
    expect(sets.stderr).toMatch(
      /they cannot compute with one instruction set; expected HALOMESH_ISA=base, as on rank 0, found HALOMESH_ISA=avx2 on rank 1/,
    );
    const ways = await ranks(['HALOMESH_CONV=direct'], []);
    expect(ways.code).toBe(1);
    expect(ways.stderr).toMatch(
      /HALOMESH_CONV of rank 1 differs from that of rank 0; expected direct, found auto/,
    );
  });
});
