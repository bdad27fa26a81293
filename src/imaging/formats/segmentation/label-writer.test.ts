import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type SliceFixture, writeSlices } from '../../../../test/imaging/dicom-fixture.ts';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { loadLabels } from '../../dataset/labels.ts';
import { ImagingError } from '../../volume/errors.ts';
import { canonicalGrid } from '../../volume/orientation.ts';
import { type Grid, sameGrid } from '../../volume/volume.ts';
import { readDicomFile } from '../dicom/dicom-file.ts';
import { diskFiles } from '../disk-files.ts';
import { readScan } from '../scan.ts';
import {
  isPictureLabelFormat,
  type LabelFormat,
  labelEndings,
  labelFormatOf,
  labelFormats,
} from './label-formats.ts';
import { createLabelWriter, type LabelFile } from './label-writer.ts';
import { codesOf } from './segment-codes.ts';
import { labOf } from './segment-lab.ts';
import { openSegmentedSeries } from './segmented-series.ts';
import { labelDescription, segmentColor } from './segments.ts';

const root = temporaryFolder();
const [rows, columns] = [3, 5];
const date = new Date(Date.UTC(2024, 1, 3, 4, 5, 6));

/** A sagittal series whose slices run from right to left, in files in no order. */
function series(more: SliceFixture = {}): string {
  const uid = (number: number, value: string) => [0x8, number, 'UI', Buffer.from(value)] as const;
  const slices = [6, -3, 0, 3].map((x, n) => ({
    ...{ rows, columns, position: [x, -20, 7], orientation: [0, 1, 0, 0, 0, -1], spacing: [2, 1] },
    ...{ slope: 1, intercept: 0, values: Array<number>(rows * columns).fill(10 + x), ...more },
    more: [
      uid(0x16, '1.2.840.10008.5.1.4.1.1.2'),
      uid(0x18, `1.2.3.9.${n}`),
      [0x10, 0x10, 'PN', Buffer.from('Doe^Jane')] as const,
      [0x10, 0x20, 'LO', Buffer.from('p 7')] as const,
      [0x20, 0xd, 'UI', Buffer.from('1.2.3.8')] as const,
      ...(more.more ?? []),
    ],
  }));
  const files = Object.fromEntries(slices.map((slice, n) => [`s${n}.dcm`, slice]));
  return writeSlices(mkdtempSync(path.join(root, 'series-')), files);
}

/** Labels 0, 2 and 7, with slices that have none. */
const labelsOf = ({ shape: [depth] }: Grid) =>
  Uint8Array.from({ length: depth * rows * columns }, (_, n) => {
    const slice = Math.floor(n / (rows * columns));
    return slice === 0 || slice === depth - 1 ? 0 : [0, 2, 7, 2, 0, 0, 7][(n * 5 + slice) % 7];
  });
const segments = [
  { value: 2, name: 'Left Kidney' },
  { value: 7, name: 'Leber-Läsion' },
];

async function write(file: string, dir: string, more: Partial<LabelFile> & { format: LabelFormat }) {
  const grid = await readScan(dir);
  const all = more.segments ?? segments;
  const isDicom = more.format.startsWith('dicom-');
  const stack = isDicom ? await openSegmentedSeries(file, dir, {}, all) : undefined;
  const writer = await createLabelWriter(file, { grid, segments: all, series: stack, date, ...more });
  const labels = labelsOf(grid);
  for (let k = 0; k < grid.shape[0]; k++)
    await writer.writeSlice(labels.slice(k * rows * columns, (k + 1) * rows * columns));
  await writer.finish();
  return { grid, labels };
}

const refused = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => {
      expect(error).toBeInstanceOf(ImagingError);
      return (error as ImagingError).message;
    },
  );

describe('label maps', () => {
  const ofVolumes = labelFormats.filter((format) => !isPictureLabelFormat(format));
  it.each(ofVolumes)('of the format %s come back on the same voxels', async (format) => {
    const dir = series();
    const file = path.join(mkdtempSync(path.join(root, 'out-')), `a${labelEndings[format]}`);
    const { grid, labels } = await write(file, dir, { format, labelNames: true });
    expect(labelFormatOf(file)).toBe(format === 'dicom-labelmap' ? 'dicom-seg' : format);
    const back = await readScan(file, { labels: true, onto: grid });
    expect(sameGrid(back, grid, 1e-3)).toBe(true);
    // Segments of bits are numbered 1, 2, 3.
    const number = (value: number) =>
      format === 'dicom-seg' ? segments.findIndex((s) => s.value === value) + 1 : value;
    expect([...back.data]).toEqual([...labels].map(number));
    const turned = await loadLabels(file, canonicalGrid(grid));
    expect(turned.data.filter((label) => label > 0)).toHaveLength(labels.filter((label) => label > 0).length);
    expect(readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
  });

  it('say the names of their labels', async () => {
    const dir = series();
    const folder = mkdtempSync(path.join(root, 'out-'));
    await write(path.join(folder, 'a.seg.nrrd'), dir, { format: 'seg-nrrd' });
    const nrrd = readFileSync(path.join(folder, 'a.seg.nrrd')).toString('utf8');
    expect(nrrd).toMatch(/\nSegment0_LabelValue:=2\n.*\nSegment0_Name:=Left Kidney\n/s);
    expect(nrrd).toMatch(
      /\nSegment0_Tags:=TerminologyEntry:.*~SCT\^123037004\^[^~]*~SCT\^64033007\^Kidney~SCT\^7771000\^Left~/,
    );
    expect(nrrd).toMatch(/\nSegment1_LabelValue:=7\n.*\nSegment1_Name:=Leber-Läsion\n/s);
    await write(path.join(folder, 'a.nii.gz'), dir, { format: 'nifti', labelNames: true });
    const nifti = gunzipSync(readFileSync(path.join(folder, 'a.nii.gz')));
    const size = nifti.readInt32LE(352);
    expect([nifti[348], nifti.readInt32LE(356), size % 16, nifti.readFloatLE(108)]).toEqual([
      1,
      6,
      0,
      352 + size,
    ]);
    const text = nifti
      .subarray(360, 352 + size)
      .toString('utf8')
      .replaceAll('\0', '');
    expect(JSON.parse(text)).toEqual({ labels: { background: 0, 'Left Kidney': 2, 'Leber-Läsion': 7 } });
    const line = labelDescription(segments)
      .split('\n')
      .find((one) => one.includes('"Left Kidney"'));
    expect(line?.trim().split(/\s+/).slice(0, 7)).toEqual([
      '2',
      ...segmentColor(2).map(String),
      '1',
      '1',
      '1',
    ]);
  });
});

describe('a segmentation of DICOM', () => {
  it('refers to the slices, patient and study of its series, with identifiers of its own', async () => {
    const file = path.join(mkdtempSync(path.join(root, 'out-')), 'a.dcm');
    const dir = series();
    await write(file, dir, { format: 'dicom-seg' });
    const { data } = (await readDicomFile(diskFiles, file, { whole: true }))!;
    const text = (tag: string) => data.text(tag);
    expect(['x00100010', 'x00100020', 'x0020000d', 'x00620001', 'x00280008'].map(text)).toEqual([
      ...['Doe^Jane', 'p 7', '1.2.3.8', 'BINARY', '4'],
    ]);
    expect([text('x00080023'), text('x00080033')]).toEqual(['20240203', '040506']);
    const [instance, own] = [text('x00080018'), text('x0020000e')];
    for (const uid of [instance, own]) expect(uid).toMatch(/^2\.25\.[1-9]\d{20,38}$/);
    expect(own).not.toBe(instance);
    const frames = data.items('x52009230').map((frame) => {
      const source = frame.items('x00089124')[0].items('x00082112')[0];
      const place = frame.items('x00209113')[0];
      return [
        source.text('x00081155'),
        place.decimal('x00200032'),
        frame.items('x0062000a')[0].uint16('x0062000b'),
      ];
    });
    // Files 0 to 3 lie at 6, -3, 0 and 3 mm; the outer ones have no labels.
    expect(frames).toEqual([
      ['1.2.3.9.3', 3, 1],
      ['1.2.3.9.2', 0, 1],
      ['1.2.3.9.3', 3, 2],
      ['1.2.3.9.2', 0, 2],
    ]);
    const segment = data.items('x00620002')[1];
    expect(Buffer.from(segment.raw('x00620005')!).toString('utf8').trim()).toBe('Leber-Läsion');
    const again = path.join(root, 'again.dcm');
    await write(again, dir, { format: 'dicom-seg' });
    expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
    await write(again, dir, { format: 'dicom-seg', date: undefined });
    expect((await readDicomFile(diskFiles, again))!.data.text('x00080018')).not.toBe(instance);
  });

  it('is refused for another grid, a scan of another format, and names that its character set has not', async () => {
    const dir = series();
    const file = path.join(root, 'refused.dcm');
    const stack = await openSegmentedSeries(file, dir, {}, segments);
    const grid = { ...(await readScan(dir)), affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
    const label = { format: 'dicom-seg', segments, series: stack } as const;
    expect(await refused(createLabelWriter(file, { ...label, grid }))).toMatch(
      /geometry: expected the grid of the/,
    );
    const nifti = path.join(root, 'scan.nii.gz');
    await write(nifti, dir, { format: 'nifti' });
    expect(await refused(openSegmentedSeries(file, nifti, {}, segments))).toMatch(/expected a DICOM series/);
    const latin = series({ more: [[0x8, 0x5, 'CS', Buffer.from('ISO_IR 100')]] });
    expect((await openSegmentedSeries(file, latin, {}, segments)).shape).toEqual([4, 3, 5]);
    const greek = [{ value: 1, name: 'ήπαρ' }];
    expect(await refused(openSegmentedSeries(file, latin, {}, greek))).toMatch(/character set ISO_IR 100/);
    const long = [{ value: 1, name: 'x'.repeat(65) }];
    expect(await refused(openSegmentedSeries(file, dir, {}, long))).toMatch(/found 65 characters/);
    expect(readdirSync(root).filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  it('is read as labels alone, and refused where segments overlap, are fractions or do not lie on slices', async () => {
    const file = path.join(mkdtempSync(path.join(root, 'out-')), 'a.dcm');
    await write(file, series(), { format: 'dicom-seg' });
    const bytes = readFileSync(file);
    expect(await refused(readScan(file))).toMatch(/Modality: expected an image, found .* SEG/);
    // Of its own it has the slices from its first frame to its last.
    expect((await readScan(file, { labels: true })).shape).toEqual([2, rows, columns]);
    const changed = (from: string, to: string) => {
      const copy = Buffer.from(bytes);
      copy.write(to, copy.indexOf(from), 'latin1');
      writeFileSync(file, copy);
      return refused(readScan(file, { labels: true }));
    };
    expect(await changed('BINARY', 'SHADES')).toMatch(
      /Segmentation Type: expected BINARY or LABELMAP, found SHADES/,
    );
    expect(await changed('3\\-20\\7', '3\\-90\\7')).toMatch(/Image Position/);
    const overlapping = Buffer.from(bytes).fill(0xff, bytes.length - 8);
    writeFileSync(file, overlapping);
    expect(await refused(readScan(file, { labels: true }))).toMatch(
      /segments: expected ones that do not overlap/,
    );
  });

  it('without labels has one empty frame', async () => {
    const dir = series();
    const file = path.join(root, 'empty.dcm');
    const grid = await readScan(dir);
    const stack = await openSegmentedSeries(file, dir, {}, segments);
    const writer = await createLabelWriter(file, { format: 'dicom-seg', grid, segments, series: stack });
    for (let k = 0; k < 4; k++) await writer.writeSlice(new Uint8Array(rows * columns));
    await writer.finish();
    const back = await readScan(file, { labels: true, onto: grid });
    expect([back.shape, back.data.some((label) => label !== 0)]).toEqual([grid.shape, false]);
  });
});

it('names have codes of SNOMED CT where these are known, whatever their case, side and number', () => {
  expect(codesOf('kidney_right')).toMatchObject({ type: { value: '64033007' }, side: { meaning: 'Right' } });
  expect(codesOf('Lungs').type.value).toBe('39607008');
  expect(codesOf('vertebrae').type.value).toBe('51282000');
  expect(codesOf('liver tumour')).toMatchObject({
    category: { value: '49755003' },
    type: { meaning: 'Neoplasm' },
  });
  const own = codesOf('a thing of our own');
  expect([own.type.scheme, own.type.value.length, own.type.meaning]).toEqual([
    '99HALOMESH',
    16,
    'a thing of our own',
  ]);
  expect(codesOf('another thing').type.value).not.toBe(own.type.value);
});

it('colours are CIELab as DICOM scales it', () => {
  // White and the primary red under D50 (Lab 54.29, 80.80, 69.89).
  expect(labOf([255, 255, 255])).toEqual([65535, 32896, 32896]);
  const [l, a, b] = labOf([255, 0, 0]);
  expect(
    [(100 * l) / 65535, (255 * a) / 65535 - 128, (255 * b) / 65535 - 128].map((x) => x.toFixed(1)),
  ).toEqual([...['54.3', '80.8', '69.9']]);
});
