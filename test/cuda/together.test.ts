import { expect, it } from 'vitest';
import { type Box, shape } from '../../src/core/index.ts';
import { copySteps, fillSteps } from '../../src/machine/cuda/bind.ts';
import { emulatedDriver } from '../../src/machine/cuda/emulated.ts';
import type { Step } from '../../src/machine/cuda/maker.ts';
import { cudaTensor } from '../../src/machine/cuda/tensors.ts';
import { together } from '../../src/machine/cuda/together.ts';
import { plainFormat } from '../../src/machine/formats/index.ts';
import { CACHE } from './emulated.ts';

// Small launches of one kernel become one, where none needs what lies between them.

const driver = emulatedDriver({ cache: CACHE });
const COUNT = 300;
const BOX: Box = [{ start: 0, end: COUNT }];
const TYPE = { shape: shape({ x: COUNT }), dtype: 'f32' } as const;

function tensors(count: number) {
  return Array.from({ length: count }, () => {
    const format = plainFormat(TYPE);
    const address = driver.allocate(format.bytes(BOX));
    const home = { bytes: 0, taken: 0, address: 0, kept: [], graphs: [] };
    return cudaTensor(home, address, { ...TYPE, format }, BOX);
  });
}

const keep = (data: Uint8Array): number => {
  const address = driver.allocate(data.byteLength);
  driver.upload(address, data);
  return address;
};

/** Runs launches; gives the first and the last number of each tensor. */
async function numbersAfter(steps: readonly Step[], of: ReturnType<typeof tensors>) {
  for (const { source, blocks, args } of steps) driver.kernel(source).launch(blocks, args)();
  return Promise.all(
    of.map(async ({ address, bytes }) => {
      const numbers = new Float32Array((await driver.download(address, bytes)).buffer);
      return [numbers[0], numbers[COUNT - 1]];
    }),
  );
}

it('joins launches that use different memory, and leaves what they do', async () => {
  const all = tensors(6);
  const steps = [
    ...fillSteps(all[0], BOX, 1),
    ...fillSteps(all[1], BOX, 2),
    ...copySteps(all[2], all[0], BOX),
    ...fillSteps(all[3], [{ start: 7, end: COUNT }], 4),
    ...copySteps(all[4], all[1], BOX),
    ...fillSteps(all[3], [{ start: 0, end: 7 }], 5),
  ];
  const joined = together(steps, keep);
  // All fills but the last one, which writes where another one does; both copies.
  expect(joined.map(({ source: { name } }) => name.replace(/_[0-9a-f]+$/, ''))).toEqual([
    'hm_fill_several',
    'hm_copy_several',
    'hm_fill',
  ]);
  const found = await numbersAfter(joined, all.slice(0, 5));
  expect(found).toEqual([
    [1, 1],
    [2, 2],
    [1, 1],
    [5, 4],
    [2, 2],
  ]);
});

it('keeps launches in order that need each other, or whose memory is not told', async () => {
  const [x, y] = tensors(2);
  const chain = [
    ...fillSteps(x, BOX, 1),
    ...copySteps(y, x, BOX),
    ...fillSteps(x, BOX, 3),
    ...copySteps(x, y, BOX),
  ];
  expect(together(chain, keep)).toEqual(chain);
  expect(await numbersAfter(together(chain, keep), [x, y])).toEqual([
    [1, 1],
    [1, 1],
  ]);
  const [first, last] = [...fillSteps(x, BOX, 1), ...fillSteps(y, BOX, 2)];
  const { uses: _, ...between } = chain[1];
  expect(together([first, between, last], keep)).toEqual([first, between, last]);
});
