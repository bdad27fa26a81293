import { expect, it } from 'vitest';
import { markdownTable, markdownText } from './table.ts';

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

it('shows names as they are, those that look like emphasis too', () => {
  for (const [name, shown] of [
    ['__proto__', '\\_\\_proto\\_\\_'],
    ['_a_b__c_', '\\_a_b__c\\_'],
    ['Leber_größe_7', 'Leber_größe_7'],
    ['a _ b', 'a \\_ b'],
    ['**a** ~~b~~ *', '\\*\\*a\\*\\* \\~\\~b\\~\\~ \\*'],
    ['# a #', '\\# a #'],
  ])
    expect(markdownText(name)).toBe(shown);
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
