import type { Launch } from '../device.ts';
import type { Arrays } from './arrays.ts';
import type { Client, ExecutableAddress } from './client.ts';
import { checkLabels } from './labels.ts';
import type { Programs } from './programs.ts';
import { type Piece, printStretch, type Stretch } from './stretch.ts';
import { emptyTensor, type PjrtMemory } from './tensors.ts';

/** Most launches of one program: compilers take longer for longer ones. */
const MOST_TOGETHER = 2000;

/** A stretch that was compiled. */
interface Compiled extends Stretch {
  readonly executable: ExecutableAddress;
}

/** What runs in the queue. */
export interface Running {
  readonly client: Client;
  readonly arrays: Arrays;
  readonly programs: Programs;
}

/**
 * Launches of kernels, gathered until something else is asked for, and then run as one program. It is compiled when the same launches come
 * for the first time; a piece's number stands for it, so that coming again takes no printing.
 */
export class Launches {
  private readonly ask: (work: (running: Running) => Promise<void>) => void;
  private waiting: Piece[] = [];
  private readonly together = new Set<number>();
  private owner: PjrtMemory | undefined;
  private rank = 0;
  private next = 0;

  constructor(ask: (work: (running: Running) => Promise<void>) => void) {
    this.ask = ask;
  }

  /** A launch whose programs are given back with `owner`. */
  launch(owner: PjrtMemory, known: Known, made: Omit<Piece, 'id'>): Launch {
    const piece: Piece = { ...made, id: this.next++ };
    return {
      run: () => {
        const other = this.owner !== owner || this.rank !== piece.rank || this.together.has(piece.id);
        if (other || this.waiting.length >= MOST_TOGETHER) this.flush();
        this.owner = owner;
        this.rank = piece.rank;
        this.waiting.push(piece);
        this.together.add(piece.id);
        this.known = known;
      },
    };
  }

  private known: Known | undefined;

  /** Hands on what was gathered. */
  flush(): void {
    const { known, owner, rank, waiting } = this;
    if (waiting.length === 0 || known === undefined || owner === undefined) return;
    this.waiting = [];
    this.together.clear();
    this.ask((running) => run(running, known, owner, rank, waiting));
  }
}

/** Stretches that were compiled for an owner, by the numbers of their pieces and their device. */
export type Known = Map<string, Compiled[]>;

async function run(
  { arrays, client, programs }: Running,
  known: Known,
  owner: PjrtMemory,
  rank: number,
  pieces: readonly Piece[],
): Promise<void> {
  const device = rank % client.devices.length;
  const about = aboutOf(pieces, rank);
  const key = pieces.map(({ id }) => id).join();
  const before = known.get(key) ?? [];
  known.set(key, before);
  let stretch = before.find(({ asked }) =>
    [...asked].every(([tensor, present]) => present === (tensor.content !== undefined)),
  );
  if (stretch === undefined) {
    const printed = printStretch(pieces);
    if (printed.outputs.length === 0) return;
    stretch = { ...printed, executable: await programs.compile(printed.text, device, about) };
    owner.programs.add(stretch.executable);
    before.push(stretch);
  }
  for (const piece of pieces) for (const check of piece.labels) checkLabels(check);
  const { executable, inputs, outputs, given, written } = stretch;
  const buffers = [];
  for (const input of inputs) buffers.push(await arrays.on(input, device, about));
  const made = await programs.run(executable, buffers, outputs.length, about);
  for (const input of given) arrays.drop(input);
  for (const tensor of written) if (!emptyTensor(tensor)) arrays.evict(tensor);
  for (const [i, tensor] of outputs.entries()) arrays.set(tensor, { kind: 'array', buffer: made[i], device });
}

function aboutOf(pieces: readonly Piece[], rank: number): string {
  const [first] = pieces;
  const last = pieces[pieces.length - 1];
  const what =
    pieces.length === 1 ? first.what : `${pieces.length} kernels from ${first.what} to ${last.what}`;
  return `${what} on rank ${rank}`;
}
