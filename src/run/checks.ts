import { fail, type Mesh, showMesh } from '../core/index.ts';
import type { Processes } from '../machine/index.ts';
import { bytes as showBytes } from '../plan/index.ts';

/** Refuses what the system would end without a word: a program that takes more memory than this process may have. */
export function checkMemory(
  peak: number,
  granted: number | undefined,
  whose = 'of the machine or container, shared by all processes in it, or of ulimit -v',
): void {
  if (granted === undefined || peak <= granted) return;
  fail({
    where: 'memory',
    problem: 'a process would take more than it may have here',
    expected: `at most ${showBytes(granted)} (${whose})`,
    found: `${showBytes(peak)} predicted`,
    hint: 'Give --memory-limit, which recomputes and spills, or split the work over more machines',
  });
}

/** Refuses processes that do not match the mesh: where there are several, each runs one of its ranks. */
export function checkSize(processes: Processes, mesh: Mesh): void {
  const ranks = processes.ranks.flat().length;
  if (ranks === mesh.size) return;
  fail({
    where: 'mesh',
    problem: `${mesh.size === 1 ? 'it has 1 rank, since nothing is split,' : `${showMesh(mesh)} has ${mesh.size} ranks`} and ${ranks} processes were started`,
    expected: 'one process for each rank',
    hint: `Start ${mesh.size}, or give a --split whose parts multiply to ${ranks}`,
  });
}
