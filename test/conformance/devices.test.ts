import { cpuDevice, referenceDevice, wasmHere } from '../../src/machine/index.ts';
import { describeDevice } from './device.ts';

describeDevice('cpu', () => cpuDevice({ threads: 1 }));
describeDevice('wasm', () => wasmHere());
describeDevice('reference', () => referenceDevice());
