import { describeFailures } from './every-call-fails.ts';
import { failuresOfMemory } from './failing-memory.ts';

describeFailures(failuresOfMemory(1));
