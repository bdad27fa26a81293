import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Tracer } from '../../run/index.ts';
import { checkTraceFile, writeTrace } from './trace-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'halomesh-trace-'));
afterAll(() => rmSync(dir, { recursive: true }));

const partials = (): string[] => readdirSync(dir).filter((name) => name.includes('partial'));

it('writes a trace whole, also over an older one', () => {
  const file = join(dir, 'good.json');
  checkTraceFile(file);
  expect(existsSync(file)).toBe(false);
  for (const runs of [0, 1]) {
    const tracer = new Tracer();
    for (let n = 0; n < runs; n++) tracer.beginRun('step');
    writeTrace(file, tracer);
    const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: { ph: string }[] };
    expect(traceEvents.map(({ ph }) => ph)).toEqual(['M', 'M', 'M', ...Array<string>(runs).fill('X')]);
  }
  expect(partials()).toEqual([]);
});

it('refuses a trace that cannot be written in a sentence, and leaves nothing behind', () => {
  const away = join(dir, 'none', 'trace.json');
  expect(() => checkTraceFile(away)).toThrow(`trace ${away}: cannot be written: its folder is not there`);
  expect(() => writeTrace(away, new Tracer())).toThrow('its folder is not there');
  expect(() => checkTraceFile(dir)).toThrow(`trace ${dir}: cannot be written: it is a folder`);
  expect(partials()).toEqual([]);
});

it('keeps the older file, and nothing else, where a trace ends on the way', () => {
  const file = join(dir, 'kept.json');
  writeTrace(file, new Tracer());
  const before = readFileSync(file, 'utf8');
  const tracer = new Tracer();
  tracer.text = function* () {
    yield '{';
    throw new Error('no more');
  };
  expect(() => writeTrace(file, tracer)).toThrow('no more');
  expect(readFileSync(file, 'utf8')).toBe(before);
  expect(partials()).toEqual([]);
});
