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

/** Variables of a process. */
type Environment = Readonly<Record<string, string | undefined>>;

/** What the launcher of MPI programs said to this process; undefined where it was started alone. */
export function launched(env: Environment = process.env): Launched | undefined {
  for (const [rankName, sizeName] of SAYINGS) {
    const [rank, size] = [number(env[rankName]), number(env[sizeName])];
    if (rank !== undefined && size !== undefined) return size > 1 ? { rank, size } : undefined;
  }
  return undefined;
}

/** Where launchers say which of the processes on its machine this is. */
const LOCAL_RANKS = ['OMPI_COMM_WORLD_LOCAL_RANK', 'MPI_LOCALRANKID', 'PMI_LOCAL_RANK', 'SLURM_LOCALID'];

/** Which of the processes on its machine this is, by the launcher; 0 where it says nothing. */
export function localRank(env: Environment = process.env): number {
  if (launched(env) === undefined) return 0;
  return LOCAL_RANKS.map((name) => number(env[name])).find((rank) => rank !== undefined) ?? 0;
}

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
