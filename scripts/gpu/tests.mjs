import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../setup/common.mjs';

/** Arguments of Node.js that run a file of test/cuda, whose report goes to a file. */
export function suiteArgs(name, report) {
  const long = name.endsWith('.long') ? ['--config', 'vitest.long.config.ts'] : [];
  const vitest = join(packageRoot, 'node_modules/vitest/vitest.mjs');
  const flags = ['--reporter=json', `--outputFile=${report}`];
  return [vitest, 'run', ...long, ...flags, `test/cuda/${name}.test.ts`];
}

/** What came of it: whether all is well, a line for all, and one for each test that failed; undefined without a report. */
export function suiteResult(report) {
  if (!existsSync(report)) return undefined;
  const found = JSON.parse(readFileSync(report, 'utf8'));
  rmSync(report);
  const failures = found.testResults.flatMap(({ assertionResults, message }) => {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const lines = failed.map(
      ({ fullName, failureMessages: [first = ''] }) => `${fullName}: ${first.split('\n')[0]}`,
    );
    return lines.length === 0 && message ? [message.split('\n')[0]] : lines;
  });
  return {
    good: found.success,
    summary: `${found.numPassedTests} of ${found.numTotalTests} tests`,
    failures,
  };
}
