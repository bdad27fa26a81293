import { describeDevice } from '../conformance/device.ts';
import { onWebGpu, webgpu } from './gpu.ts';

onWebGpu('webgpu', () => describeDevice('webgpu', webgpu));
