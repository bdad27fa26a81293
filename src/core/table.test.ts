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

it('makes no markup of what files give', () => {
  const rows = [['<img src=x onerror=alert(1)>', 'a\\|b`c`', '[x](http://y)', 'a\n\x1b[2Jb & c']];
  const table = markdownTable(
    ['one', '<b>', 'three', 'four'].map((title) => ({ title })),
    rows,
  );
  const [head, , row] = table.split('\n');
  expect(head).toContain('| &lt;b>');
  expect(row.split(/ +\| /)).toEqual([
    '| &lt;img src=x onerror=alert(1)>',
    'a\\\\\\|b\\`c\\`',
    '[x\\](http://y)',
    'a\\\\n\\\\x1b[2Jb &amp; c |',
  ]);
  expect(table.split('\n')).toHaveLength(3);
});
