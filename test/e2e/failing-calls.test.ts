import { describeFailures } from './every-call-fails.ts';
import { failuresOfCalls } from './failing-calls.ts';

describeFailures(failuresOfCalls(23));
