import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { root } from './packed.ts';

const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
/** The instructions of a stage, with lines that go on joined. */
const stages = read('Dockerfile')
  .replaceAll(/\\\n\s*/g, '')
  .split(/^(?=FROM )/m)
  .slice(1)
  .map((text) => text.split('\n').filter((line) => line !== ''));

it('the Dockerfile builds by scripts that there are, for a Node.js that is taken', () => {
  const { scripts, engines } = JSON.parse(read('package.json'));
  expect(stages).toHaveLength(2);
  const named = stages.flat().flatMap((line) => [...line.matchAll(/npm run (\S+)/g)].map(([, name]) => name));
  expect(named).toEqual(['build:packages']);
  for (const name of named) expect(scripts[name], name).toBeDefined();
  const version = Number(/^>=(\d+)/.exec(engines.node)?.[1]);
  for (const [from] of stages) expect(Number(/^FROM node:(\d+)/.exec(from)?.[1])).toBe(version);
});

it('its last stage has what was installed alone, and runs as a user without rights', () => {
  const [, last] = stages;
  const words = last.map((line) => line.split(' ')[0]);
  expect(last[words.indexOf('COPY')]).toBe('COPY --from=build /opt/halomesh /opt/halomesh');
  expect(words.filter((word) => word === 'COPY' || word === 'ADD')).toHaveLength(1);
  expect(last[words.lastIndexOf('USER')]).toBe('USER node');
  expect(words.lastIndexOf('RUN')).toBeLessThan(words.indexOf('USER'));
  expect(last.at(-2)).toBe('ENTRYPOINT ["halomesh"]');
});

it('takes nothing that was installed or built outside', () => {
  expect(read('.dockerignore').split('\n')).toEqual(
    expect.arrayContaining(['**/node_modules', 'build', 'dist', '.git']),
  );
});
