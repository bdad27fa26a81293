import { expect, it } from 'vitest';
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
