/** A process that was started beside others. */
export interface Launched {
  readonly rank: number;
  /** Processes started together. */
  readonly size: number;
}

/** Where launchers say which process this is, and of how many. */
const SAYINGS: readonly (readonly [string, string])[] = [
  ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE'], // mpirun of Open MPI
  ['PMI_RANK', 'PMI_SIZE'], // mpiexec of MPICH and of Intel MPI, srun --mpi=pmi2
  ['PMIX_RANK', 'SLURM_STEP_NUM_TASKS'], // srun --mpi=pmix
];

/** What the launcher of MPI programs said to this process; undefined where it was started alone. */
export function launched(env: NodeJS.ProcessEnv = process.env): Launched | undefined {
  for (const [rankName, sizeName] of SAYINGS) {
    const [rank, size] = [number(env[rankName]), number(env[sizeName])];
    if (rank !== undefined && size !== undefined) return size > 1 ? { rank, size } : undefined;
  }
  return undefined;
}

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
