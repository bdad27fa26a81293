import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const place = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** What an example prints, which ends without an error. */
function run(example: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [place(`examples/${example}`), ...args], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

it('the example trains its network on the mesh', () => {
  const losses = [...run('quickstart.mjs').matchAll(/loss (-?\d+\.\d+)/g)].map(([, loss]) => Number(loss));
  expect(losses).toHaveLength(30);
  expect(losses[29]).toBeLessThan(losses[0] - 0.3);
});

it.each([[], ['encoder.stages.0.0.convs.1.conv.weight']])(
  'the example of weights from PyTorch runs them as they are: %s',
  (...name) => {
    const saved = place('test/fixtures/exchange/nnunet/fold_0/checkpoint_final.pth');
    const said = run('torch-weights.mjs', saved, ...name);
    expect(said).toContain('encoder.stages.0.0.convs.0.conv.weight: float32 [2,1,3,3,3]');
    const [, found, byHand] = /: (\S+) in the middle, (\S+) by hand/.exec(said) ?? [];
    expect(Number(found)).toBeCloseTo(Number(byHand), 5);
    expect(Math.abs(Number(found))).toBeGreaterThan(1e-3);
  },
);
