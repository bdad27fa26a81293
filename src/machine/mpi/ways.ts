import { hostname } from 'node:os';
import { fail, HalomeshError } from '../../core/index.ts';
import { type FarRooms, HANDLE_BYTES, type HostRoom } from '../device.ts';
import type { Processes } from '../world.ts';
import { TRANSPORTS, type TransportChoice } from './transports.ts';

// How messages in memory of a device reach each other process.

/**
 * `mpi`: MPI takes them from there; `ipc`: the receiver opens the sender's memory and copies; `pinned`: through memory of the host
 * on both sides.
 */
export type Way = 'mpi' | 'ipc' | 'pinned';

/** Of one running system: what processes share memory in. */
export const machineName = (): string => hostname();

/** What HALOMESH_TRANSPORT asks for. */
export function transportAsked(text = process.env.HALOMESH_TRANSPORT): TransportChoice {
  if (text === undefined || text === '') return 'auto';
  const known = TRANSPORTS.find((one) => one === text);
  return (
    known ??
    fail({
      where: 'HALOMESH_TRANSPORT',
      problem: 'no such transport',
      expected: TRANSPORTS.join(', '),
      found: `"${text}"`,
    })
  );
}

/** What a process tells the others. */
interface Offer {
  readonly choice: TransportChoice;
  readonly machine: string;
  /** MPI takes memory of this device. */
  readonly mpi: boolean;
  /** What its trial room is opened by, in base 64; absent where it cannot be opened. */
  readonly handle?: string;
  readonly problem?: string;
}

/** Bytes of the room that others try to read: different for each process. */
const TRIAL = 256;
const trialByte = (rank: number, i: number): number => (31 * rank + 7 * i + 1) % 251;

interface Trial {
  readonly processes: Processes;
  readonly rooms: FarRooms;
  readonly machine: string;
  readonly choice: TransportChoice;
  readonly takesGpuMemory: boolean;
}

/** The way to each process, the same seen from both sides; all call it. What is called `ipc` was tried. */
export async function findWays(trial: Trial): Promise<readonly Way[]> {
  const { processes, rooms } = trial;
  const { index } = processes;
  const far = rooms.room(TRIAL);
  const near = rooms.staged.room(TRIAL);
  try {
    near.view(TRIAL).set(Uint8Array.from({ length: TRIAL }, (_, i) => trialByte(index, i)));
    await rooms.copy(far.address, near.address, TRIAL).wait();
    const offers = await told<Offer>(processes, 'transports', offerOf(trial, far));
    const choices = offers.map(({ choice }) => choice);
    const other = choices.findIndex((choice) => choice !== choices[0]);
    if (other > 0)
      fail({
        where: 'transport',
        problem: `rank 0 is told ${choices[0]} and rank ${other} ${choices[other]}`,
        hint: 'Give all the same --transport, or HALOMESH_TRANSPORT',
      });
    const [choice] = choices;
    const everyMpi = offers.every(({ mpi }) => mpi);
    if (choice === 'mpi' && !everyMpi)
      fail({
        where: 'transport mpi',
        problem: 'this MPI does not say that it takes memory of GPUs',
        hint: 'Use an Open MPI or MPICH that was built with CUDA, or --transport auto',
      });
    if (choice === 'mpi' || (choice === 'auto' && offers.every(({ mpi }) => mpi) && !rooms.ofHost))
      return offers.map(() => 'mpi');
    if (choice === 'pinned') return offers.map(() => 'pinned');
    const found: (string | undefined)[] = [];
    for (const [rank, offer] of offers.entries())
      found.push(rank === index ? undefined : await tried(trial, rank, offer, near));
    const all = await told(
      processes,
      'tried transports',
      found.map((text) => text ?? ''),
    );
    const problems = (a: number, b: number): string => all[a][b] || all[b][a];
    if (choice === 'ipc') checkIpc(offers, problems);
    return offers.map((_, rank) => (rank === index || problems(index, rank) !== '' ? 'pinned' : 'ipc'));
  } finally {
    // Nobody reads it any more: all have told what they found, or one has failed and ends all.
    rooms.free(far);
    rooms.staged.free(near);
  }
}

function offerOf({ rooms, machine, choice, takesGpuMemory }: Trial, far: HostRoom): Offer {
  const mpi = takesGpuMemory || rooms.ofHost;
  try {
    return { choice, machine, mpi, handle: Buffer.from(rooms.handle(far)).toString('base64') };
  } catch (error) {
    return { choice, machine, mpi, problem: words(error) };
  }
}

const OTHER_MACHINE = 'is on another machine';

/** Why the memory of another process cannot be read from here; undefined where it can. */
async function tried(
  { rooms, machine }: Trial,
  rank: number,
  offer: Offer,
  near: HostRoom,
): Promise<string | undefined> {
  if (offer.machine !== machine) return OTHER_MACHINE;
  if (offer.handle === undefined) return offer.problem;
  try {
    const address = rooms.open(Uint8Array.from(Buffer.from(offer.handle, 'base64')).slice(0, HANDLE_BYTES));
    try {
      await rooms.copy(near.address, address, TRIAL).wait();
    } finally {
      rooms.shut(address);
    }
    const right = near.view(TRIAL).every((byte, i) => byte === trialByte(rank, i));
    return right ? undefined : 'other bytes come than were sent';
  } catch (error) {
    return words(error);
  }
}

/** `ipc` was asked for: at least two processes share a machine, and all that do can. */
function checkIpc(offers: readonly Offer[], problems: (a: number, b: number) => string): void {
  const pairs = offers.flatMap((_, b) => offers.slice(0, b).map((_, a) => [a, b] as const));
  const near = pairs.filter(([a, b]) => offers[a].machine === offers[b].machine);
  const hint = 'Use --transport auto, which takes it where it can';
  if (near.length === 0)
    fail({ where: 'transport ipc', problem: 'no two processes are on one machine', hint });
  for (const [a, b] of near)
    if (problems(a, b) !== '')
      fail({
        where: 'transport ipc',
        problem: `ranks ${a} and ${b} do not reach each other's memory: ${problems(a, b)}`,
        hint,
      });
}

const words = (error: unknown): string => (error instanceof HalomeshError ? error.message : String(error));

async function told<T>(processes: Processes, label: string, what: T): Promise<readonly T[]> {
  const texts = await processes.share(label, JSON.stringify(what));
  return texts.map((text) => JSON.parse(text) as T);
}

/** Ways in words: which this process sends by. */
export function showWays(ways: readonly Way[], index: number): string {
  const others = ways.filter((_, rank) => rank !== index);
  const names = { mpi: 'memory of GPUs by MPI', ipc: 'CUDA IPC', pinned: 'pinned memory' } as const;
  const kinds = (['mpi', 'ipc', 'pinned'] as const).filter((way) => others.includes(way));
  if (kinds.length === 1) return names[kinds[0]];
  return kinds.map((way) => `${names[way]} to ${others.filter((one) => one === way).length}`).join(', ');
}
