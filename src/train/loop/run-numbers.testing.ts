import path from 'node:path';
import type { TrainConfig } from '../config/config.ts';
import { readLog } from '../record/log.ts';
import { openSafetensors } from '../record/safetensors.ts';

/** What must be the same wherever a run was trained: the lines of its log but for seconds and bytes, and its latest weights. */
export async function numbersOf({ out }: Pick<TrainConfig, 'out'>): Promise<unknown> {
  const lines = await readLog(path.join(out, 'log.jsonl'));
  const file = await openSafetensors(path.join(out, 'checkpoints', 'latest.safetensors'));
  const weights: Record<string, unknown> = {};
  for (const name of file.tensors.keys()) weights[name] = await file.read(name);
  await file.close();
  const none = { seconds: 0, deviceSeconds: 0, peakRssBytes: 0, bytesSent: 0 };
  return { weights, lines: lines.map((line) => ({ ...line, ...none })) };
}
