/** What loads each room, lowest first. The rooms that one or two commands need are few files above these: those commands load them. */
const ROOMS = {
  core: () => import('../core/index.ts'),
  files: () => import('../files/index.ts'),
  imaging: () => import('../imaging/index.ts'),
  ops: () => import('../ops/index.ts'),
  plan: () => import('../plan/index.ts'),
  machine: () => import('../machine/index.ts'),
  nn: () => import('../nn/index.ts'),
  run: () => import('../run/index.ts'),
  train: () => import('../train/index.ts'),
};

export type Room = keyof typeof ROOMS;

/** The highest room of commands that do not need all; `plan` and `predict` take of `train` the files that they need. */
const HIGHEST: Readonly<Record<string, Room>> = {
  setup: 'files',
  completion: 'core',
  verify: 'imaging',
  fingerprint: 'imaging',
  phantom: 'imaging',
  'fake-lesions': 'imaging',
  preprocess: 'imaging',
  plan: 'run',
  predict: 'run',
};

/** The rooms that a command needs, lowest first. */
export function roomsOf(command: string): readonly Room[] {
  const rooms = Object.keys(ROOMS) as Room[];
  return rooms.slice(0, rooms.indexOf(HIGHEST[command] ?? 'train') + 1);
}

/**
 * Loads the rooms of a command one by one, each before those that import it. Node opens all files of an import at the same time,
 * which for the whole program are more than some systems let a process open (`ulimit -n 128`).
 */
export async function loadRooms(command: string): Promise<void> {
  for (const room of roomsOf(command)) await ROOMS[room]();
}
