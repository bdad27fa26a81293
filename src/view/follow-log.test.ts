import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { followLog } from './follow-log.ts';

it('tells of a checkpoint when it is there, and of each that takes its place', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-follow-'));
  const [log, checkpoint] = ['log.jsonl', 'latest.safetensors'].map((name) => path.join(folder, name));
  writeFileSync(log, '{"kind":"step","step":1}\n');
  const put = (text: string): void => {
    writeFileSync(`${checkpoint}.new`, text);
    renameSync(`${checkpoint}.new`, checkpoint);
  };
  const server = createServer((_, response) => {
    followLog({ log, checkpoint }, response).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let got = '';
  await new Promise<void>((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    get({ host: '127.0.0.1', port }, (response) => {
      response.setEncoding('utf8').on('data', (text: string) => {
        got += text;
        const told = got.split('event: checkpoint\n').length - 1;
        if (told === 2) {
          response.destroy();
          resolve();
        } else if (told === 1 && text.includes('checkpoint')) put('two');
        else if (told === 0 && got.includes('"step":1')) put('one');
      });
    }).on('error', reject);
  });
  expect(got).toMatch(
    /^retry[\s\S]*event: lines[\s\S]*event: checkpoint\ndata:\n\nevent: checkpoint\ndata:\n\n$/,
  );
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});
