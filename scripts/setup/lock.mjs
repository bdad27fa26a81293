// One set-up at a time in one folder. The lock is a directory that holds the owner's process id and start time,
// so that a lock left behind by a process that was killed is recognised, also after its id was given out again.
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJson, readText } from './common.mjs';

/** When the kernel started this process (clock ticks since boot), or null where /proc does not tell. */
function startTime(pid) {
  const stat = readText(`/proc/${pid}/stat`);
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function isAlive(owner) {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return owner.start === null || owner.start === startTime(owner.pid);
}

/** Makes the lock appear at once with its owner in it, by renaming; false when somebody holds it. */
function tryAcquire(path) {
  const mine = `${path}.${process.pid}`;
  rmSync(mine, { recursive: true, force: true });
  mkdirSync(mine, { recursive: true });
  const owner = { pid: process.pid, start: startTime(process.pid), host: hostname() };
  writeFileSync(join(mine, 'owner.json'), JSON.stringify(owner));
  try {
    renameSync(mine, path);
    return true;
  } catch (error) {
    rmSync(mine, { recursive: true, force: true });
    if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST' || error.code === 'EPERM') return false;
    throw error;
  }
}

/** Removes the lock in one step: a lock that lost its owner's file but still stands could be taken by another. */
function remove(path) {
  const away = `${path}.${process.pid}.gone`;
  renameSync(path, away);
  rmSync(away, { recursive: true, force: true });
}

/** Removes the lock when its owner is gone. Only one process at a time may look and remove. */
function removeIfStale(path) {
  const breaker = `${path}.breaking`;
  try {
    mkdirSync(breaker);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const since = statSync(breaker, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > 10_000) rmSync(breaker, { recursive: true, force: true });
    return;
  }
  try {
    const owner = readJson(join(path, 'owner.json'));
    if (owner && !isAlive(owner)) remove(path);
  } finally {
    rmSync(breaker, { recursive: true, force: true });
  }
}

/** Waits for the lock at `path` and returns the function that releases it. */
export async function acquireLock(path, say) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryAcquire(path)) {
    removeIfStale(path);
    const owner = readJson(join(path, 'owner.json'));
    if (owner && !told && isAlive(owner)) {
      say(`waiting for another set-up of this folder (process ${owner.pid}; remove ${path} if it is gone)`);
      told = true;
    }
    await sleep(100);
  }
  return () => remove(path);
}
