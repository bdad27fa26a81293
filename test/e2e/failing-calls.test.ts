import { describeFailingCalls } from './every-call-fails.ts';

describeFailingCalls(11);
