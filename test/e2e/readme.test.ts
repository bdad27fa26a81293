import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

it('the example in the README is the one that is tested', () => {
  const [, shown] = read('README.md').match(/```js\n([\s\S]*?)```/) ?? [];
  expect(shown).toBe(read('examples/quickstart.mjs'));
});
