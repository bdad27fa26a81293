import { cpuDevice, referenceDevice } from '../../src/machine/index.ts';
import { describeDevice } from './device.ts';

describeDevice('cpu', () => cpuDevice({ threads: 1 }));
describeDevice('reference', () => referenceDevice());
