import { once } from 'node:events';
import { statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { LogTail } from './log-tail.ts';

/** How often a log is looked at, in milliseconds. */
const EVERY = 500;

/**
 * Sends the lines of a log as server-sent events for as long as somebody listens: `lines`, some at a time, and `again` where they
 * begin anew; and `checkpoint` where there is one, and whenever another one has taken its place.
 */
export async function followLog(
  { log, checkpoint }: { readonly log: string; readonly checkpoint: string },
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const tail = new LogTail(log);
  let seen: string | undefined;
  const write = async (text: string): Promise<void> => {
    if (!response.write(text)) await once(response, 'drain', { signal: gone.signal });
  };
  try {
    await write('retry: 2000\n\n');
    while (!gone.signal.aborted) {
      await tail.read(
        async (lines) => {
          // A line of a log is JSON and holds no line break of its own.
          await write(
            `event: lines\n${lines.map((line) => `data: ${line.replaceAll('\r', '')}\n`).join('')}\n`,
          );
        },
        () => response.write('event: again\ndata:\n\n'),
      );
      const found = markOf(checkpoint);
      if (found !== undefined && found !== seen) await write('event: checkpoint\ndata:\n\n');
      seen = found;
      await wait(EVERY, undefined, { signal: gone.signal });
    }
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
}

/** Tells one file of a name from the next; undefined where there is none. */
function markOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && `${found.ino} ${found.mtimeMs}`;
}
