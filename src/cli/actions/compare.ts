import {
  compareImageRuns,
  compareRuns,
  comparisonMarkdown,
  imageComparisonMarkdown,
  isOfImages,
} from '../../train/index.ts';
import { say, sayJson } from '../terminal/say.ts';

export interface Flags {
  readonly json?: boolean;
}

/** Runs `halomesh compare`. */
export async function compareAction(first: string, second: string, { json }: Flags): Promise<void> {
  if (isOfImages(first) && isOfImages(second)) {
    const found = compareImageRuns(first, second);
    if (json) sayJson(found);
    else say(imageComparisonMarkdown(found));
    return;
  }
  const found = compareRuns(first, second);
  if (json) sayJson(found);
  else say(comparisonMarkdown(found));
}
