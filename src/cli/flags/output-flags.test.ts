import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { run } from '../program.ts';

const folder = temporaryFolder();
const file = path.join(folder, 'file');
writeFileSync(file, 'a file');

/** Every command that writes, with an output in a place of which nothing is read before it is refused. */
const commands = (place: string): readonly (readonly [flag: string, ...args: string[]])[] => [
  ['--out', 'phantom', '--out', place],
  ['--out', 'train', '--data', 'none', '--out', place],
  ['--trace', 'train', '--data', 'none', '--out', path.join(folder, 'run'), '--trace', place],
  ['--output', 'predict', '--run', 'none', '--input', 'none.nii', '--output', `${place}.nii`],
  ['--out', 'evaluate', '--run', 'none', '--out', place],
  ['--out', 'preprocess', '--data', 'none', '--out', place],
  ['--out', 'fake-lesions', '--data', 'none', '--out', place],
  ['--out', 'fingerprint', 'none', '--out', place],
  ['--onnx', 'export', '--run', 'none', '--onnx', place],
  ['--safetensors', 'export', '--run', 'none', '--safetensors', place],
  ['--web', 'export', '--run', 'none', '--web', place],
  ['--out', 'app', '--out', place],
  ['--out', 'import', '--nnunet', 'none', '--out', place],
  ['--trace', 'bench', '--trace', place],
  ['--out', 'scale', '--out', place],
  ['--save', 'view', 'none', '--save', place],
  ['--out', 'info', '--calibrate', '--out', place],
];

it.each([
  ['below a file', path.join(file, 'x'), `expected a folder ${file}, found a file`],
  ['far below a file', path.join(file, 'x', 'y', 'z'), `expected a folder ${file}, found a file`],
  [
    'in /proc',
    '/proc/halomesh/x',
    'in /proc, there is no such file or folder (ENOENT). Choose a folder on a disk',
  ],
])('an output %s is refused by its flag before any work', async (_name, place, problem) => {
  for (const [flag, ...args] of commands(place)) {
    let said = '';
    const code = await run(args, (text) => {
      said += text;
    });
    const [, shown] = said.match(/^halomesh: (--\S+ \S+): cannot be written/) ?? [];
    expect(shown, `${args.join(' ')}: ${said}`).toBe(`${flag} ${args[args.indexOf(flag) + 1]}`);
    expect(said).toContain(problem);
    expect(code).toBe(1);
  }
  expect(readdirSync(folder)).toEqual(['file']);
});
