import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { assumedSpeeds } from '../../machine/index.ts';
import { readMachineFile, speedsOf, writeMachineFile } from './machine-file.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-machine-'));
afterAll(() => rmSync(folder, { recursive: true }));
const speeds = assumedSpeeds(8);
const written = (value: unknown): string => {
  const file = path.join(folder, 'bad.json');
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return file;
};

it('reads what it has written, and leaves nothing else', async () => {
  const file = path.join(folder, 'machine.json');
  await writeMachineFile(file, speeds);
  expect(readMachineFile(file)).toEqual(speeds);
  expect(speedsOf(file)).toEqual(speeds);
  expect(readdirSync(folder)).toEqual(['machine.json']);
});

it.each<[unknown, string]>([
  [
    { ...speeds, cores: 0 },
    '"cores": expected a whole number of at least 1 (threads that run at a time), found 0',
  ],
  [{ ...speeds, link: undefined }, '"link": expected an object, found nothing'],
  [
    { ...speeds, link: { ...speeds.link, latencySeconds: -1 } },
    '"link.latencySeconds": expected a number of at least 0 (seconds), found -1',
  ],
  [
    { ...speeds, kernels: { ...speeds.kernels, conv: { flopsPerSecond: '3e11', bytesPerSecond: 1 } } },
    '"kernels.conv.flopsPerSecond": expected a number above 0 (floating-point operations a second of one thread), found "3e11"',
  ],
  [{ ...speeds, bandwith: 3 }, '"bandwith": unknown key'],
  ['{"name":', 'is not JSON'],
])('refuses a file by name and key', (value, message) => {
  const file = written(value);
  expect(() => readMachineFile(file)).toThrow(message);
  expect(() => readMachineFile(file)).toThrow(file);
});

it('names a file that is not there', () => {
  expect(() => readMachineFile(path.join(folder, 'none.json'))).toThrow(/none\.json.*cannot be read/);
});
