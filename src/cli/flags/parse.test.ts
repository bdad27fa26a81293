import { describe, expect, it } from 'vitest';
import {
  byteCount,
  count,
  heldOut,
  hounsfield,
  layout,
  listOf,
  mesh,
  numberOrNamed,
  oneOf,
  patch,
  positive,
  spacing,
  split,
  UsageError,
} from './parse.ts';
import { labelMapping, lossTerms } from './parse-training.ts';

const message = (parse: () => unknown): string => {
  try {
    return `accepted: ${JSON.stringify(parse())}`;
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
};

describe('flags', () => {
  it('take what they mean', () => {
    expect(count('--steps')('300')).toBe(300);
    expect(count('--seed', 0)('0')).toBe(0);
    expect(positive('--spacing')('1.5')).toBe(1.5);
    expect(positive('--learning-rate')('3e-3')).toBe(0.003);
    expect(oneOf('--precision', ['f32', 'bf16'])('bf16')).toBe('bf16');
    expect(split('--split')('depth=2,height=2,width=3')).toEqual({ depth: 2, height: 2, width: 3 });
    expect(mesh('--mesh')('rows=2, cols=4')).toEqual({ rows: 2, cols: 4 });
    expect(layout('--layout')('depth:rows,height:cols')).toEqual({ depth: 'rows', height: 'cols' });
    expect(hounsfield('--window')('-160,240')).toEqual({ lower: -160, upper: 240 });
    expect(patch('--patch')('96, 128,64')).toEqual([96, 128, 64]);
    expect(heldOut('--validation')('0.2')).toBe(0.2);
    expect(labelMapping('--map-labels')('4=3, 9=ignore')).toEqual({ 4: 3, 9: 'ignore' });
    expect(lossTerms('--loss')('tversky + focal')).toEqual({ terms: ['tversky', 'focal'] });
    expect(numberOrNamed('--tolerance', 'a=1')('2.5')).toBe(2.5);
    expect(numberOrNamed('--tolerance', 'a=1')('liver=3, liver tumour=0')).toEqual({
      liver: 3,
      'liver tumour': 0,
    });
    expect(listOf('--cases', 'a,b')('case7, case9')).toEqual(['case7', 'case9']);
    expect(heldOut('--validation')('splits/fold.json')).toBe('splits/fold.json');
    expect(heldOut('--validation')('case7,case9')).toEqual(['case7', 'case9']);
  });

  it.each([
    [
      hounsfield('--window'),
      '240,-160',
      '--window: value; expected two numbers of HU, the lower one first, such as -512,512, found "240,-160"',
    ],
    [
      patch('--patch'),
      '96,128',
      '--patch: value; expected voxels along depth, height and width, such as 96,128,128, found "96,128"',
    ],
    [
      numberOrNamed('--tolerance', 'liver=3'),
      'liver=-3',
      '--tolerance: value; expected a number of at least 0, or numbers by name such as liver=3, found "liver=-3"',
    ],
    [
      numberOrNamed('--tolerance', 'liver=3'),
      'a=1,a=2',
      '--tolerance: "a" is given twice; expected each name once, found "a=1,a=2"',
    ],
    [
      lossTerms('--loss'),
      'dice+hinge',
      '--loss: value; expected losses of dice, case-dice, batch-dice, tversky, ce, focal, bce, boundary, such as dice+ce, found "dice+hinge"',
    ],
    [
      labelMapping('--map-labels'),
      '4=300',
      '--map-labels: value; expected values from 0 to 255 and what they stand for, such as 4=3,9=ignore, found "4=300"',
    ],
    [
      labelMapping('--map-labels'),
      '4=3,4=2',
      '--map-labels: 4 is given twice; expected each value once, found "4=3,4=2"',
    ],
    [lossTerms('--loss'), 'ce+ce', '--loss: value; expected each loss once, found "ce+ce"'],
    [listOf('--cases', 'a,b'), 'a,', '--cases: value; expected a list such as a,b, found "a,"'],
    [count('--steps'), '0', '--steps: value; expected a whole number of at least 1, found "0"'],
    [count('--steps'), '1e3', '--steps: value; expected a whole number of at least 1, found "1e3"'],
    [
      count('--levels', 1, 10),
      '11',
      '--levels: value; expected a whole number of at least 1 and at most 10, found "11"',
    ],
    [
      count('--steps'),
      '99999999999999999999',
      '--steps: value; expected a whole number of at least 1, found "99999999999999999999"',
    ],
    [positive('--spacing', ' (mm)'), '-1', '--spacing: value; expected a number above 0 (mm), found "-1"'],
    [positive('--spacing'), '', '--spacing: value; expected a number above 0, found ""'],
    [
      oneOf('--device', ['cpu', 'reference']),
      'gpu',
      '--device: value; expected cpu or reference, found "gpu"',
    ],
    [split('--split'), 'depth', '--split: value; expected pairs such as depth=2,height=2, found "depth"'],
    [
      split('--split'),
      'depth=2;height=2',
      '--split: value; expected pairs such as depth=2,height=2, found "depth=2;height=2"',
    ],
    [
      split('--split'),
      'depth=0',
      '--split: parts of "depth"; expected a whole number of at least 1, found "0"',
    ],
    [
      split('--split'),
      'depth=2,depth=3',
      '--split: "depth" is given twice; expected each name once, found "depth=2,depth=3"',
    ],
    [
      split('--split'),
      'heigth=2',
      '--split: no dimension "heigth"; expected depth, height, width, batch, channel, found "heigth=2". Did you mean height?',
    ],
    [
      split('--split'),
      'time=2',
      '--split: no dimension "time"; expected depth, height, width, batch, channel, found "time=2"',
    ],
    [
      layout('--layout'),
      'depth=rows',
      '--layout: value; expected pairs such as depth:rows,height:cols, found "depth=rows"',
    ],
    [
      count('--size', 1, 1290),
      '100000',
      '--size: value; expected a whole number of at least 1 and at most 1290, found "100000"',
    ],
    [
      patch('--patch'),
      '100000,100000,100000',
      '--patch: value; expected at most 2^31 voxels together (1290 along each side), found "100000,100000,100000"',
    ],
    [
      spacing('--spacing'),
      '1e9',
      '--spacing: value; expected a number from 0.0001 to 1000 (mm), found "1e9"',
    ],
    [
      byteCount('--memory-limit', 9e7),
      '1MB',
      '--memory-limit: value; expected at least 90MB, which a process takes before it computes, found "1MB"',
    ],
    [
      heldOut('--validation'),
      '1.5',
      '--validation: value; expected a share of the cases such as 0.2, ids such as case7,case9, or a .json or .txt file, found "1.5"',
    ],
  ])('say what they expected: %#', (parse, text, expected) => {
    expect(message(() => parse(text))).toBe(expected);
  });
});
