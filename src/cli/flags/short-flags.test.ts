import { afterEach, expect, it, vi } from 'vitest';
import { run } from '../program.ts';

afterEach(() => vi.restoreAllMocks());

it('help and version have short flags, for every command', async () => {
  let printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  for (const args of [['-h'], ['train', '-h'], ['info', '-h']]) {
    printed = '';
    expect(await run(args)).toBe(0);
    expect(printed).toMatch(/^Usage: halomesh/);
  }
  printed = '';
  expect(await run(['-v'])).toBe(0);
  expect(printed).toMatch(/^\d+\.\d+\.\d+\n$/);
});
