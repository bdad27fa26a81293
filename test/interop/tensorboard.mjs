// TensorBoard's reader finds every step of a run once, with the numbers of the log, though the run was cut off and resumed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as hm from '../../dist/index.js';

export const needs = ['tensorboard'];

export async function check({ python, folder }) {
  const data = join(folder, 'data');
  const out = join(folder, 'run');
  await hm.writePhantom({ out: data, size: [12, 12, 12], cases: 2 });
  const settings = {
    data,
    out,
    base: 2,
    levels: 2,
    steps: 6,
    checkpointEvery: 2,
    validation: ['phantom_001'],
  };
  const config = hm.resolveConfig(settings);
  // Ends like a crash after step 3: the log has it, the last checkpoint has not.
  const crash = new Error('crash');
  const onEvent = (event) => {
    if (event.kind === 'step' && event.step === 3) throw crash;
  };
  await assert.rejects(hm.train(config, { onEvent }), crash);
  await hm.train(config, { resume: true });

  const lines = await hm.readLog(join(out, 'log.jsonl'));
  const read = JSON.parse(python('read_events.py', join(out, 'tensorboard')));
  const expected = (kind, value) =>
    lines.filter((line) => line.kind === kind).map((line) => [line.step, Math.fround(value(line))]);
  assert.deepEqual(
    read.scalars['loss/training'],
    expected('step', ({ loss }) => loss),
  );
  assert.deepEqual(
    read.scalars['run/learning_rate'],
    expected('step', ({ learningRate }) => learningRate),
  );
  assert.deepEqual(
    read.scalars['loss/validation'],
    expected('validation', ({ loss }) => loss),
  );
  assert.deepEqual(
    read.scalars['dice_validation/liver'],
    expected('validation', ({ dice }) => dice.liver),
  );
  assert.deepEqual(
    read.scalars['loss/training'].map(([step]) => step),
    [1, 2, 3, 4, 5, 6],
  );
}
