import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../imaging/nifti-fixture.ts';

const root = temporaryFolder();
const bin = path.resolve('bin/halomesh.js');
const CASES = 150;

function writeNrrd(file: string, type: string, voxels: Uint8Array): void {
  const header = [
    'NRRD0004',
    `type: ${type}`,
    'dimension: 3',
    'space: left-posterior-superior',
    'sizes: 4 4 4',
    'space directions: (1,0,0) (0,1,0) (0,0,1)',
    'space origin: (0,0,0)',
    'endian: little',
    'encoding: raw',
  ];
  writeFileSync(file, Buffer.concat([Buffer.from(`${header.join('\n')}\n\n`), voxels]));
}

/** A data set of {@link CASES} tiny scans. */
function writeSet(dir: string): void {
  for (const folder of ['imagesTr', 'labelsTr']) mkdirSync(path.join(dir, folder), { recursive: true });
  const labels = Uint8Array.from({ length: 64 }, (_, n) => n % 2);
  for (let n = 0; n < CASES; n++) {
    const hu = Int16Array.from(labels, (label) => 100 * label + n);
    writeNrrd(path.join(dir, `imagesTr/case${n}_0000.nrrd`), 'int16', new Uint8Array(hu.buffer));
    writeNrrd(path.join(dir, `labelsTr/case${n}.nrrd`), 'uint8', labels);
  }
  const names = { background: 0, organ: 1 };
  writeFileSync(
    path.join(dir, 'dataset.json'),
    JSON.stringify({ channel_names: { 0: 'CT' }, labels: names, numTraining: CASES, file_ending: '.nrrd' }),
  );
}

it('needs no more open files for more cases: a data set of more files than a process may open', () => {
  const [data, run] = [path.join(root, 'data'), path.join(root, 'run')];
  writeSet(data);
  const limited = (...args: string[]): void => {
    const command = ['ulimit -n 128; exec "$@"', 'sh', process.execPath, bin, ...args];
    const { status, stderr } = spawnSync('sh', ['-c', ...command], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
  };
  const network = ['--base', '2', '--levels', '2', '--threads', '1', '--steps', '1'];
  limited('train', '--data', data, '--out', run, ...network);
  limited(
    'predict',
    '--run',
    run,
    '--input',
    path.join(data, 'imagesTr'),
    '--output',
    path.join(root, 'out'),
  );
});
