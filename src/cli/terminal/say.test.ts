import { afterEach, expect, it, vi } from 'vitest';
import { showProgress } from './progress.ts';
import { reportError } from './report-error.ts';
import { jsonText, say, tell } from './say.ts';

afterEach(() => vi.restoreAllMocks());

const evil = 'a\x1b[2J\x07\x9bb\u202e';
const shown = 'a\\x1b[2J\\x07\\x9bb\\u202e';

it('shows control characters instead of obeying them, in lines', () => {
  const out = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  say(`${evil}\nnext`);
  tell(evil);
  expect(out).toHaveBeenCalledWith(`${shown}\nnext`);
  expect(err).toHaveBeenCalledWith(`${shown}\n`);
});

it('writes JSON that reads back and moves no cursor', () => {
  const value = { [evil]: `${evil}\n肝臓 é` };
  const text = jsonText(value);
  expect(JSON.parse(text)).toEqual(value);
  expect(text).toContain('肝臓 é');
  for (const character of evil.replaceAll(/[a-z[0-9]/gi, '')) expect(text).not.toContain(character);
});

it('holds for progress too', () => {
  let written = '';
  const output = { write: (text: string) => (written += text) } as unknown as NodeJS.WritableStream;
  const progress = showProgress({ unit: 'case', total: 1, output });
  progress.note(evil);
  progress.update(1, [evil]);
  expect(written).toBe(`${shown}\ncase 1/1, ${shown}\n`);
});

it('writes traces of errors so that a terminal does not obey them', () => {
  process.env.HALOMESH_DEBUG = '1';
  let text = '';
  const cause = new Error('c\x1b[2J');
  reportError(new Error('a\x1b[2Jb', { cause }), (more) => {
    text += more;
  });
  delete process.env.HALOMESH_DEBUG;
  expect(text).toMatch(/Error: a\\x1b\[2Jb\n +at [\s\S]*\ncaused by Error: c\\x1b\[2J\n +at /);
  expect(text).not.toContain('\x1b');
});
