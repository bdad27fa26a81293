import { expect, it } from 'vitest';
import { launched, localRank } from './launched.ts';

it.each([
  ['Open MPI', { OMPI_COMM_WORLD_RANK: '2', OMPI_COMM_WORLD_SIZE: '4', PMIX_RANK: '2' }],
  ['MPICH', { PMI_RANK: '2', PMI_SIZE: '4' }],
  ['Slurm with PMIx', { PMIX_RANK: '2', SLURM_STEP_NUM_TASKS: '4' }],
])('knows its rank under %s', (_name, env) => {
  expect(launched(env)).toEqual({ rank: 2, size: 4 });
});

it('takes a process alone for no rank of several', () => {
  expect(launched({})).toBeUndefined();
  expect(launched({ OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '1' })).toBeUndefined();
  // A batch script of Slurm, which no srun has started.
  expect(launched({ SLURM_NTASKS: '8', SLURM_PROCID: '0' })).toBeUndefined();
});

it('knows which of the processes of its machine it is', () => {
  const beside = { OMPI_COMM_WORLD_RANK: '5', OMPI_COMM_WORLD_SIZE: '8' };
  expect(localRank({ ...beside, OMPI_COMM_WORLD_LOCAL_RANK: '1' })).toBe(1);
  expect(localRank({ PMI_RANK: '5', PMI_SIZE: '8', MPI_LOCALRANKID: '3' })).toBe(3);
  expect(localRank(beside)).toBe(0);
  // Of a batch script, which no srun has started.
  expect(localRank({ SLURM_LOCALID: '2' })).toBe(0);
});
