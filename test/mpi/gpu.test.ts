import { it } from 'vitest';
import { describeMpi } from './launch.ts';
import { expectCases } from './on-gpu.ts';

describeMpi('processes with a CUDA device', () => {
  it('3 ranks get what one process gets, over every transport', () => expectCases(3));
});
