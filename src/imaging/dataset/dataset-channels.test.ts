import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { datasetFolder } from '../../../test/imaging/dataset-fixture.ts';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { type Dataset, openDataset } from './dataset.ts';
import type { DatasetPatterns } from './dataset-files.ts';

const root = temporaryFolder();

const folder = (files: readonly string[], json?: unknown): string => datasetFolder(root, files, json);

/** Ids of the cases and where their channels lie. */
const shown = ({ dir, cases, test }: Dataset) =>
  [...cases, ...test].map(({ id, channels }) => [
    id,
    channels?.map(({ file, volume, volumes }) =>
      [path.relative(dir, file), ...(volume === undefined ? [] : [`${volume}/${volumes}`])].join(' '),
    ),
  ]);

const two = { channel_names: { 0: 'T1', 1: 'T2' } };
const numbered = (dir: string, id: string, ...channels: readonly number[]) =>
  channels.map((n) => `${dir}/${id}_000${n}.nii.gz`);

describe('data sets of several channels', () => {
  it('are files with numbers, as their names say or as there are', async () => {
    const files = [
      ...[
        ...numbered('imagesTr', 'a', 0, 1),
        ...numbered('imagesTr', 'b', 0, 1),
        ...numbered('imagesTs', 't', 0, 1),
      ],
      ...['labelsTr/a.nii.gz', 'labelsTr/b.nii.gz'],
    ];
    const expected = [
      ['a', numbered('imagesTr', 'a', 0, 1)],
      ['b', numbered('imagesTr', 'b', 0, 1)],
      ['t', numbered('imagesTs', 't', 0, 1)],
    ];
    const named = await openDataset(folder(files, two));
    expect([shown(named), named.channelNames, named.unused]).toEqual([expected, ['T1', 'T2'], []]);
    const bare = await openDataset(folder(files));
    expect([shown(bare), bare.channelNames]).toEqual([expected, ['0', '1']]);
  });

  it('are volumes of one file, files of a list without numbers, and files of a list elsewhere', async () => {
    const label = 'labelsTr/a.nii.gz';
    const volumes = folder(['imagesTr/a.nii.gz', label], { modality: { 0: 'FLAIR', 1: 'T1w' } });
    const whole = ['imagesTr/a.nii.gz 0/2', 'imagesTr/a.nii.gz 1/2'];
    expect(shown(await openDataset(volumes))).toEqual([['a', whole]]);
    const training = [{ image: 'imagesTr/a.nii.gz', label }];
    const listed = folder(['imagesTr/a.nii.gz', label], { ...two, training });
    expect(shown(await openDataset(listed))).toEqual([['a', whole]]);
    const older = folder([...numbered('imagesTr', 'a', 0, 1), label], { ...two, training });
    expect(shown(await openDataset(older))).toEqual([['a', numbered('imagesTr', 'a', 0, 1)]]);
    const dataset = { p: { images: ['x.mha', 'y/z.mha'], label } };
    const elsewhere = folder(['x.mha', 'y/z.mha', label], { ...two, dataset });
    expect(shown(await openDataset(elsewhere))).toEqual([['p', ['x.mha', 'y/z.mha']]]);
  });

  it.each<[DatasetPatterns, readonly string[], readonly string[]]>([
    [{ images: '*_{channel}.nii', labels: '*_seg.nii' }, ['p_1_t1.nii', 'p_1_t2.nii'], ['t1', 't2']],
    [{ images: '*_{t2, t1}.nii', labels: '*_seg.nii' }, ['p_1_t2.nii', 'p_1_t1.nii'], ['t2', 't1']],
    [{ images: '{channel}/*.nii', labels: '*_seg.nii' }, ['t1/p_1.nii', 't2/p_1.nii'], ['t1', 't2']],
    [{ images: '*/mr/{channel}.nii', labels: '*_seg.nii' }, ['p_1/mr/a.nii', 'p_1/mr/b.nii'], ['a', 'b']],
  ])('are found by %j', async (patterns, files, names) => {
    const found = await openDataset(folder([...files, 'p_1_seg.nii', 'notes.txt']), patterns);
    expect([shown(found), found.channelNames]).toEqual([[['p_1', files]], names]);
  });

  it('have the names of their numbers where braces stand for these', async () => {
    const files = [...numbered('imagesTr', 'a', 0, 1), 'labelsTr/a.nii.gz'];
    const patterns = { images: 'imagesTr/*_{0001}.nii.gz', labels: 'labelsTr/*.nii.gz' };
    expect((await openDataset(folder(files, two), patterns)).channelNames).toEqual(['T2']);
    expect((await openDataset(folder(files), patterns)).channelNames).toEqual(['0001']);
  });

  it.each<[string, readonly string[], unknown, DatasetPatterns, RegExp]>([
    [
      'a channel that is missing',
      [...numbered('imagesTr', 'a', 0), 'labelsTr/a.nii.gz'],
      two,
      {},
      /a_0001\.nii\.gz: channel 1 of case a: expected a file, found nothing/,
    ],
    [
      'a first channel that is missing',
      [
        ...numbered('imagesTr', 'a', 0, 1),
        ...numbered('imagesTr', 'b', 1),
        'labelsTr/a.nii.gz',
        'labelsTr/b.nii.gz',
      ],
      two,
      {},
      /b_0000\.nii\.gz: channel 0 of case b: expected a file/,
    ],
    [
      'a case that lacks what the others have',
      [
        ...numbered('imagesTr', 'a', 0, 1),
        ...numbered('imagesTr', 'b', 0),
        'labelsTr/a.nii.gz',
        'labelsTr/b.nii.gz',
      ],
      undefined,
      {},
      /b_0001\.nii\.gz: channel 1 of case b: expected a file/,
    ],
    [
      'one too many',
      [...numbered('imagesTr', 'a', 0, 1, 2), 'labelsTr/a.nii.gz'],
      two,
      {},
      /channels of case a: expected 2, _0000 to _0001, found a_0002\.nii\.gz/,
    ],
    [
      'another number of files in a list',
      [],
      { ...two, dataset: { p: { images: ['x'], label: 'l' } } },
      {},
      /dataset\.p\.images: expected 2 files, one for each channel, found 1\. Its channels are T1, T2/,
    ],
    [
      'a pattern whose channels a case lacks',
      ['a_t1.nii', 'a_t2.nii', 'b_t1.nii'],
      undefined,
      { images: '*_{channel}.nii' },
      /b_t2\.nii: channels of case b: expected a file of t2, found those of t1/,
    ],
    [
      'two channels in a pattern',
      [],
      undefined,
      { images: '*_{a}_{b}.nii' },
      /images: expected a path .* at most one/,
    ],
    ['a channel twice', [], undefined, { images: '*_{a,a}.nii' }, /images: expected a path/],
    [
      'channels of labels',
      ['a.nii'],
      undefined,
      { images: '*.nii', labels: '*_{channel}.nii' },
      /labels: expected a path/,
    ],
  ])('refuse %s', async (_, files, json, patterns, message) => {
    await expect(openDataset(folder(files, json), patterns)).rejects.toThrow(message);
  });
});
