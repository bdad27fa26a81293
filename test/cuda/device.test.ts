import { describeDevice } from '../conformance/device.ts';
import { emulated } from './emulated.ts';

describeDevice('cuda, emulated', emulated);
