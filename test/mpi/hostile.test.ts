import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeMpi, mpirun } from './launch.ts';

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

describeMpi('the shim for MPI', () => {
  it('refuses arguments that cannot be right, and goes on', async () => {
    const library = path('../../build/native/libhalomesh_mpi.so');
    const { code, stdout, stderr } = await mpirun(1, [path('hostile.mjs'), library]);
    expect(code, stderr).toBe(0);
    const alone = (name: string) => `${name} 1 hmpi_${name}: this process has not joined others`;
    const message = (name: string) =>
      [
        'no batch',
        'no memory',
        'a number of bytes of -8',
        'memory that wraps around, of 9223372036854775807',
        'no rank -1',
        'no rank 1',
        'a tag of -1',
      ].map((what) => `${name} 1 hmpi_${name}: ${what}`);
    expect(JSON.parse(stdout)).toEqual([
      ...['send', 'receive', 'barrier', 'all_gather', 'test', 'near', 'finish'].map(alone),
      'rank 0',
      'start 1 hmpi_start: chunks of 0',
      'start 1 hmpi_start: chunks of -1',
      'start 1 hmpi_start: chunks of 2147483648',
      expect.stringMatching(/^start 1 hmpi_start: a silence of -1/),
      expect.stringMatching(/^start 1 hmpi_start: a silence of -?nan/),
      'start 0',
      'start 1 hmpi_start: this process has joined others already',
      'enter 1 hmpi_enter: no label',
      ...[-1, 1, 2147483647].map((rank) => `near 1 hmpi_near: no rank ${rank}`),
      ...['allocate 0', 'allocate 0', 'allocate 0'],
      ...message('send'),
      ...message('receive'),
      'barrier 1 hmpi_barrier: no batch',
      'all_gather 1 hmpi_all_gather: no batch',
      'all_gather 1 hmpi_all_gather: no memory',
      'all_gather 1 hmpi_all_gather: no memory',
      'all_gather 1 hmpi_all_gather: a number of bytes of -8',
      'test 1 hmpi_test: no batch',
      'test 1 hmpi_test: a wait of -1',
      ...['receive 0', 'send 0', 'test 0', 'finish 0'],
      alone('finish'),
      'start 1 hmpi_start: this process has left the others',
    ]);
  });
});
