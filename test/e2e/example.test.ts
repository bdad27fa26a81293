import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const example = fileURLToPath(new URL('../../examples/quickstart.mjs', import.meta.url));

it('the example trains its network on the mesh', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [example], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const losses = [...stdout.matchAll(/loss (-?\d+\.\d+)/g)].map(([, loss]) => Number(loss));
  expect(losses).toHaveLength(30);
  expect(losses[29]).toBeLessThan(losses[0] - 0.3);
});
