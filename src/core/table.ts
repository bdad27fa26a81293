import { printable } from './printable.ts';

/** A column of a table: its title, and whether it holds numbers, which stand on the right. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/**
 * A text as Markdown that shows it as it is, on one line: no emphasis, code, HTML or link comes of it, nor a heading where it begins
 * one. Underscores within a word mean nothing and stay, so that names such as case_7 read well.
 */
export function markdownText(text: string): string {
  return printable(text)
    .replaceAll(/[\\`|*~]|^#|(?<![\p{L}\p{N}]_*)_|_(?!_*[\p{L}\p{N}])/gu, '\\$&')
    .replaceAll('](', '\\](')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;');
}

/** A Markdown table that also reads well as plain text: cells, which are plain texts, are padded to the width of their column. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const titles = columns.map(({ title }) => markdownText(title));
  const clean = rows.map((row) => columns.map((_, i) => markdownText(row[i] ?? '')));
  const widths = titles.map((title, i) => Math.max(3, title.length, ...clean.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (columns[i].right ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`;
  const rule = columns.map(({ right }, i) =>
    right ? `${'-'.repeat(widths[i] - 1)}:` : '-'.repeat(widths[i]),
  );
  return [line(titles), line(rule), ...clean.map(line)].join('\n');
}
