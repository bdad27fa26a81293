import { pjrtDevice } from '../../src/machine/pjrt/index.ts';
import { describeDevice } from '../conformance/device.ts';
import { LIBRARY } from './stub.ts';

describeDevice('pjrt', () => pjrtDevice(LIBRARY));
