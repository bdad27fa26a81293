import { closeSync, fstatSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';
import { systemErrorCode } from '../../files/system-errors.ts';
import { EXIT } from './report-error.ts';

// What becomes of a command whose output cannot be written: its reader has gone, its terminal is lost, the disk is full.

let goesOn = false;

/** From now on the process works on where nobody reads what it says: what counts is in the files that it writes. */
export function workUnread(): void {
  goesOn = true;
}

/** Decides so for the whole process. Standard error is no reason to end: there is nowhere left to say so. */
export function watchOutputs(): void {
  process.stderr.on('error', () => undefined);
  let told = false;
  process.stdout.on('error', (error) => {
    const code = systemErrorCode(error);
    // A reader that has seen enough (`halomesh plan | head`) is no error.
    if (code === 'EPIPE' && !goesOn) process.exit();
    if (told) return;
    told = true;
    const rest = goesOn ? '; the work goes on, and its files have everything' : '';
    if (code !== 'EPIPE')
      process.stderr.write(`halomesh: standard output cannot be written: ${code}${rest}\n`);
    if (!goesOn) process.exit(EXIT.failed);
  });
  process.on('exit', () => [0, 1, 2].forEach(leaveLost));
}

/**
 * Puts nothing in the place of a terminal that is gone: Node.js gives terminals their settings back as it ends, and aborts where that
 * fails.
 */
function leaveLost(fd: number): void {
  // One that is gone is a device still, but no terminal.
  if (isatty(fd) || !fstatSync(fd).isCharacterDevice()) return;
  closeSync(fd);
  // The lowest number that is free is this one.
  openSync(devNull, 'r+');
}
