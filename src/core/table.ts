/** A column of a table: its title, and whether it holds numbers, which stand on the right. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** A Markdown table that also reads well as plain text: cells are padded to the width of their column. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => columns.map((_, i) => (row[i] ?? '').replaceAll('|', '\\|')));
  const widths = columns.map(({ title }, i) =>
    Math.max(3, title.length, ...clean.map((row) => row[i].length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (columns[i].right ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`;
  const rule = columns.map(({ right }, i) =>
    right ? `${'-'.repeat(widths[i] - 1)}:` : '-'.repeat(widths[i]),
  );
  return [line(columns.map(({ title }) => title)), line(rule), ...clean.map(line)].join('\n');
}
