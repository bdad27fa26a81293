import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fixture, niftiBytes, temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { loadLabels } from '../dataset/labels.ts';
import { writeNifti } from '../formats/nifti/nifti-write.ts';
import { readScan, readScanHeader } from '../formats/scan.ts';
import { notesOf } from '../formats/scan-notes.ts';
import { canonicalGrid, fromCanonical, type Orientation, toCanonical } from './orientation.ts';

const folder = temporaryFolder();
let files = 0;

/** Where the codes stand in the header of NIfTI-1. */
const codes = { qform: 252, sform: 254 };

function save(fixture: Fixture, change: Partial<typeof codes> = {}): string {
  const file = path.join(folder, `file${files++}.nii`);
  const bytes = niftiBytes({ pixdim: [1, 2, 2, 3], ...fixture });
  for (const name of ['qform', 'sform'] as const)
    if (change[name] !== undefined) bytes.writeInt16LE(change[name], codes[name]);
  writeFileSync(file, bytes);
  return file;
}

const straight = [2, 0, 0, 5, 0, 2, 0, 6, 0, 0, 3, 7];
const qform = { bcd: [0, 0, 0], offset: [5, 6, 7] };

describe('the two orientations of a NIfTI file', () => {
  it('are both good where they agree', async () => {
    expect(notesOf(await readScanHeader(save({ sform: straight, qform })))).toEqual([]);
    expect(notesOf(await readScanHeader(save({ sform: straight })))).toEqual([]);
    expect(notesOf(await readScanHeader(save({ qform })))).toEqual([]);
    expect(notesOf(await readScanHeader(save({})))).toEqual([]);
  });

  it('give the sform and a note where they differ', async () => {
    const moved = { bcd: [0, 0, 0], offset: [5, 6, 11] };
    const header = await readScanHeader(save({ sform: straight, qform: moved }));
    expect(header.affine.slice(0, 12)).toEqual(straight);
    expect(header.notes).toEqual(['sform and qform that differ by up to 4 mm; the sform is taken']);
    const turned = { bcd: [0, 0, 1], offset: [5, 6, 7] };
    expect(notesOf(await readScanHeader(save({ sform: straight, qform: turned })))).toHaveLength(1);
    // In metres, both of them.
    const metres = save({
      sform: straight.map((mm) => mm / 1000),
      qform: { bcd: [0, 0, 0], offset: [0.005, 0.006, 0.007] },
      pixdim: [1, 0.002, 0.002, 0.003],
      units: 1,
    });
    expect(notesOf(await readScanHeader(metres))).toEqual([]);
    expect(notesOf(await readScanHeader(save({ units: 5 })))).toEqual([
      expect.stringMatching(/^5 for the unit of length/),
    ]);
  });

  it('give a sound qform where the sform spans no space, and nothing where neither is sound', async () => {
    const zeros = new Array<number>(12).fill(0);
    const header = await readScanHeader(save({ sform: zeros, qform }));
    expect([header.oriented, header.affine.slice(0, 12)]).toEqual([true, straight]);
    expect(header.notes).toEqual(['an sform (code 1) that spans no space: the qform is taken']);
    const unsound = [
      save({ sform: zeros }),
      save({ sform: zeros, qform, pixdim: [1, 2, 0, 3] }),
      save({ sform: straight.map(() => Number.NaN), qform: { bcd: [0, 0, Number.NaN], offset: [0, 0, 0] } }),
    ];
    for (const file of unsound) await expect(readScan(file)).rejects.toThrow(/sform: expected a finite/);
  });

  it.each([
    ['that differ', { sform: straight, qform: { bcd: [0, 0, 1], offset: [50, 6, 7] } }, {}],
    ['with codes of their own', { sform: straight, qform }, { sform: 4, qform: 3 }],
    ['with a sheared sform', { sform: [2, 0, 0, 5, 0, 2, 1, 6, 0, 0, 3, 7], qform }, { qform: 0 }],
    ['with a qform alone', { qform: { bcd: [0, 1, 0], offset: [5, 6, 7] }, pixdim: [-1, 2, 2, 3] }, {}],
  ])('stand in a file on the same grid as they were: %s', async (_, fixture, change) => {
    const file = save(fixture, change);
    const { header, data } = await readScan(file);
    const out = path.join(folder, `out${files++}.nii`);
    await writeNifti(out, { ...header, data });
    const [before, after] = [await readScanHeader(file), await readScanHeader(out)];
    expect(before.stored).toBeDefined();
    expect([after.affine, after.stored, after.notes]).toEqual([before.affine, before.stored, before.notes]);
    // Not on another grid.
    const other = [...header.affine];
    other[3] += 9;
    await writeNifti(out, { ...header, data, affine: other });
    expect((await readScanHeader(out)).affine).toEqual(other);
  });

  it('are told of with axes that lean', async () => {
    const shift = 3 * Math.tan((20 * Math.PI) / 180);
    const { header } = await readScan(save({ sform: [2, 0, 0, 5, 0, 2, shift, 6, 0, 0, 3, 7] }));
    expect(notesOf(header)).toEqual([
      expect.stringMatching(/^axes that lean by 20\.0 degrees \(gantry tilt kept as shear\)/),
    ]);
    const almost = await readScan(save({ sform: [2, 1e-6, 0, 5, 0, 2, 3e-6, 6, 0, 0, 3, 7] }));
    expect(notesOf(almost.header)).toEqual([]);
  });
});

describe('an image by its sform and a label map by its qform', () => {
  it('lie on each other however they are turned and stored', async () => {
    const part = fc.double({ min: -1, max: 1, noNaN: true });
    const axes = fc.constantFrom([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]);
    const flip = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.tuple(part, part, part, part), axes, flip, async (q, order, flipped) => {
        const length = Math.hypot(...q);
        fc.pre(length > 0.1);
        const bcd = q.slice(1).map((n) => (n * Math.sign(q[0] || 1)) / length);
        const dims = [5, 4, 3];
        const qformAlone = save({ dims, qform: { bcd, offset: [5, 6, 7] }, type: 'uint8' });
        const label = await readScan(qformAlone);
        const image = fromCanonical(toCanonical({ ...label, data: Int16Array.from(label.data) }).volume, {
          axes: [order[0], order[1], order[2]],
          flipped,
        } as Orientation);
        const file = path.join(folder, 'image.nii');
        await writeNifti(file, image);
        const bytes = readFileSync(file);
        bytes.writeInt16LE(0, codes.qform);
        writeFileSync(file, bytes);
        const read = await readScan(file);
        expect(read.header.stored?.qformCode).toBe(0);
        const labels = await loadLabels(qformAlone, canonicalGrid(read));
        expect([...labels.data]).toEqual([...toCanonical(read).volume.data]);
      }),
      { numRuns: 40 },
    );
  });
});
