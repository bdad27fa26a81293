/**
 * Loads the program's modules room by room, each before those that import it. Node opens all files of an import at the same time,
 * which for the whole program are more than some systems let a process open (`ulimit -n 128`). The rooms that one or two commands
 * need are few files above these, so those commands load them.
 */
export async function loadRooms(): Promise<void> {
  await import('../core/index.ts');
  await import('../files/index.ts');
  await import('../ops/index.ts');
  await import('../imaging/index.ts');
  await import('../plan/index.ts');
  await import('../machine/index.ts');
  await import('../nn/index.ts');
  await import('../run/index.ts');
  await import('../train/index.ts');
}
