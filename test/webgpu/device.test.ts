import { describe, it } from 'vitest';
import { describeDevice } from '../conformance/device.ts';
import { NO_WEBGPU, webgpu } from './gpu.ts';

if (NO_WEBGPU === undefined) describeDevice('webgpu', webgpu);
else describe('device webgpu', () => it.skip(`is not tested: ${NO_WEBGPU}`, () => undefined));
