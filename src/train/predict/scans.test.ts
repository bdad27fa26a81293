import { expect, it } from 'vitest';
import { channelsOfInput, groupedScans } from './scan-channels.ts';
import { namedIn, scanName } from './scans.ts';

it.each([
  ['in/case_0000.nii.gz', 'case'],
  ['CASE.NII.GZ', 'CASE'],
  ['a/x.dcm', 'x'],
  ['a/X.DCM', 'X'],
  ['a/series.Dcm/', 'series'],
  ['series_0000.dicom', 'series'],
  ['pair.img', 'pair'],
  ['thorax.MHD', 'thorax'],
  ['series', 'series'],
  ['a.b', 'a.b'],
])('the name of %s is %s', (input, name) => {
  expect(scanName(input)).toBe(name);
});

it('names labels of a single slice file without its ending, and refuses two scans of one name', () => {
  expect(namedIn('out', [{ input: 'a/x.dcm' }])).toEqual([
    { input: 'a/x.dcm', output: 'out/x.nii.gz', format: 'nifti' },
  ]);
  expect(() => namedIn('out', [{ input: 'a/x.dcm' }, { input: 'a/x.nrrd' }])).toThrow(
    'a/x.nrrd: would be written to the same file',
  );
});

it('takes one volume of each scan where it is asked for, of a run of one channel alone', async () => {
  const one = (input: string) => ({ input, channels: [{ file: input, volume: 2 }] });
  expect(groupedScans(['a.nii', 'b'], ['CT'], 2)).toEqual([one('a.nii'), one('b')]);
  expect(await channelsOfInput('a.nii', ['CT'], { volume: 2 })).toEqual(one('a.nii'));
  expect(groupedScans(['a.nii'], ['CT'])).toEqual([{ input: 'a.nii' }]);
  expect(() => groupedScans(['a.nii'], ['T1', 'T2'], 0)).toThrow(
    '--volume: one volume of a scan is asked for, and the run takes 2 channels (T1, T2)',
  );
});
