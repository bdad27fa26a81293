import path from 'node:path';
import { writeApp } from '../../view/index.ts';
import { say } from '../terminal/say.ts';
import { relative } from '../terminal/words.ts';

export interface AppFlags {
  readonly out: string;
  readonly overwrite?: boolean;
}

/** Runs `halomesh app`. */
export async function appAction({ out, overwrite }: AppFlags): Promise<void> {
  const files = await writeApp(out, { overwrite });
  say(`${files.length} files written; the page is ${relative(path.join(out, 'index.html'))}`);
}
