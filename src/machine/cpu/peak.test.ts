import { describe, expect, it } from 'vitest';
import { library } from './library.ts';
import { MEMORY_KINDS, peakFlops, peakMemory } from './peak.ts';

describe('peaks of the machine', () => {
  it('are positive, and leave the threads as they were', () => {
    const before = library().threads;
    expect(peakFlops(1, 0.001)).toBeGreaterThan(1e8);
    expect(peakFlops(2, 0.001)).toBeGreaterThan(1e8);
    for (const kind of MEMORY_KINDS) expect(peakMemory(kind, 2, 2 ** 22, 0.001), kind).toBeGreaterThan(1e7);
    expect(library().threads).toBe(before);
  });

  it('refuse what cannot be measured', () => {
    const before = library().threads;
    expect(() => peakMemory('read', 2, 100, 0)).toThrow('at least a page a thread');
    expect(() => peakFlops(1, -1)).toThrow('a time of 0 to 3600 s');
    expect(library().threads).toBe(before);
  });
});
