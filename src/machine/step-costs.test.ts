import { expect, it } from 'vitest';
import { speedsOf } from '../train/index.ts';
import { costsOf, DEVICES, loadDevice, stepCosts } from './index.ts';

it('predicts steps on the processor by its speeds, on other devices by what they tell of themselves', async () => {
  const speeds = speedsOf();
  const here = stepCosts('cpu', DEVICES.cpu.target(), () => speeds);
  expect(here.link).toEqual(costsOf(speeds).link);
  await loadDevice('cuda');
  const target = DEVICES.cuda.target();
  const asked = () => expect.fail('the GPU is asked for, not the host');
  expect(stepCosts('cuda', target, asked)).toBe(target.costs);
});
