import { expect, it } from 'vitest';
import type { Shape3 } from '../../src/imaging/index.ts';
import { type Device, referenceDevice } from '../../src/machine/index.ts';
import { pjrtDevice } from '../../src/machine/pjrt/index.ts';
import { lossesOf } from '../losses.ts';
import { LIBRARY, STUB, settled, stubLive } from './stub.ts';

// Steps of a small training through a PJRT plug-in: as the reference does, on one device and on several, and nothing is left of them.

const SIZE: Shape3 = [4, 6, 5];
const losses = (device: Device, parts?: Record<string, number>) =>
  lossesOf(device, { size: SIZE, steps: 2, config: { base: 2 }, parts });

it('trains as the reference does, on one device and on ranks that take several in turn', async () => {
  const expected = await losses(referenceDevice());
  const before = stubLive();
  for (const parts of [undefined, { depth: 2, width: 2 }]) {
    const device = pjrtDevice(LIBRARY);
    const found = await losses(device, parts);
    found.forEach((loss, step) => {
      expect(Math.abs(loss / expected[step] - 1)).toBeLessThan(1e-5);
    });
    device.close();
    expect(device.held).toBe(0);
  }
  if (LIBRARY === STUB) expect(await settled(stubLive, before)).toBe(before);
});
