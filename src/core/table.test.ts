import { expect, it } from 'vitest';
import { markdownTable } from './table.ts';

it('writes Markdown that lines up as plain text', () => {
  const table = markdownTable(
    [{ title: 'name' }, { title: 'n', right: true }],
    [['a|b', '1'], ['longer'], ['', '12345']],
  );
  expect(table.split('\n')).toEqual([
    '| name   |     n |',
    '| ------ | ----: |',
    '| a\\|b   |     1 |',
    '| longer |       |',
    '|        | 12345 |',
  ]);
});
