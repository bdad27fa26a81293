import { describe, expect, it } from 'vitest';
import type { KernelSource } from '../../src/machine/cuda/driver.ts';
import { emulatedDriver } from '../../src/machine/cuda/emulated.ts';
import { nativeText } from '../../src/machine/cuda/library.ts';
import { named } from '../../src/machine/cuda/print/printer.ts';
import { CACHE } from './emulated.ts';

// The emulated GPU finds what threads do at the same time to the same memory; kernels that are right pass.

const THREADS = 64;
const driver = emulatedDriver({ cache: CACHE, races: true });

function kernel(body: string, barriers = true): KernelSource {
  const text = `${nativeText('matrix.h')}struct Args { float *x; i64 more; };
HM_KERNELS(${THREADS}, 1) KERNEL(const HM_CONST Args a) {
${body}}
`;
  return { ...named(text, barriers), threads: THREADS };
}

/** What goes wrong in a launch of two blocks over numbers 0, 1, 2, ... */
function run(source: KernelSource): string | undefined {
  const numbers = Float32Array.from({ length: 4 * THREADS }, (_, i) => i);
  const at = driver.allocate(numbers.byteLength);
  try {
    driver.upload(at, new Uint8Array(numbers.buffer));
    driver.kernel(source).launch(2, new Uint8Array(BigInt64Array.of(BigInt(at), 0n).buffer))();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    driver.free(at);
  }
}

const shared = (first: string, then: string) =>
  kernel(`  HM_SHARED(float, room, ${2 * THREADS});
  const int t = threadIdx.x;
  const float own = a.x[blockIdx.x * ${THREADS} + t];
  room[t] = own;
${first}  const float other = room[(t + 1) % ${THREADS}];
${then}  a.x[blockIdx.x * ${THREADS} + t] = other;
`);
const SYNC = '  __syncthreads();\n';

describe('races in shared memory', () => {
  it('are none where a barrier stands between a write and a read', () => {
    expect(run(shared(SYNC, ''))).toBeUndefined();
    expect(run(shared(SYNC, `${SYNC}  room[t] = other;\n`))).toBeUndefined();
  });

  it('are found where none does', () => {
    expect(run(shared('', ''))).toMatch(
      /a race: (reads|writes) byte \d+ of shared memory, which thread \d+ (reads|writes)/,
    );
    expect(run(shared(SYNC, '  room[t] = other;\n'))).toMatch(
      /a race: writes byte \d+ of shared memory, which thread \d+ reads/,
    );
  });

  const lines = (writer: string, reader: string) =>
    kernel(`  HM_SHARED(float, room, 32);
  const int t = threadIdx.x;
  if (t < 32) {
    room[t] = 1;
    ${writer}
    return;
  }
  ${reader}
  a.x[blockIdx.x * ${THREADS} + t] = room[t - 32];
`);

  it('are none where the reader waits for the writer at a barrier by number', () => {
    expect(run(lines(`come_to(1, ${THREADS});`, `wait_at(1, ${THREADS});`))).toBeUndefined();
  });

  it('are found where only the writer waits', () => {
    expect(run(lines(`wait_at(1, ${THREADS});`, `come_to(1, ${THREADS});`))).toMatch(
      /reads byte \d+ of shared/,
    );
  });

  const copied = (wait: string) =>
    kernel(`  HM_SHARED(Four, room, ${THREADS});
  const int t = threadIdx.x;
  copy_four(room + t, (const Four *)a.x + t % 16);
  ${wait}
  __syncthreads();
  a.x[128 * blockIdx.x + 128 + t] = (float)room[(t + 1) % ${THREADS}].x[0];
  wait_copies();
`);

  it('are found where a copy has not been waited for', () => {
    expect(run(copied(''))).toMatch(/a race: writes byte \d+ of shared memory/);
  });
});

describe('races in the memory of the device', () => {
  const moved = (from: string) =>
    kernel(
      `  const int i = blockIdx.x * ${THREADS} + threadIdx.x;
  a.x[i] = a.x[${from}] + 1;
`,
      false,
    );

  it('are none where each thread has its own', () => {
    expect(run(moved('i'))).toBeUndefined();
    expect(run(moved('128 + i'))).toBeUndefined();
  });

  it('are found where a thread reads what another one writes', () => {
    expect(run(moved('i + 1'))).toMatch(/byte \d+ of the device's memory, which thread \d+ reads/);
  });
});
