import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  inRas,
  int16,
  little,
  lps,
  metaHead,
  nrrdHead,
  refused,
  root,
  save,
  short,
  upright,
  values,
} from '../../../test/imaging/text-header-fixture.ts';
import { readScan, readScanHeader } from './scan.ts';

const nrrd = (...lines: readonly string[]) => save('.nrrd', nrrdHead([...little, ...lines]), '\n', int16);
const meta = (...lines: readonly string[]) => save('.mha', metaHead([...lines, ...short, upright]), int16);
const scaled = (by: number) => inRas.map((value, n) => (n < 12 ? value * by : value));
const close = (found: readonly number[], wanted: readonly number[]) =>
  found.forEach((value, n) => {
    expect(value).toBeCloseTo(wanted[n], 9);
  });

describe('units of length', () => {
  it.each([
    ['"mm" "mm" "mm"', 1],
    ['mm mm mm', 1],
    ["'cm', 'cm', 'cm'", 10],
    ['um', 1e-3],
    ['"" "" ""', 1],
    ['"cm" "cm" "cm"', 10],
    ['"um" "um" "um"', 1e-3],
    ['"µm" "µm" "µm"', 1e-3],
    ['"μm" "μm" "μm"', 1e-3],
    ['"Microns" "micrometers" "micrometre"', 1e-3],
  ])('of NRRD: %s', async (units, by) => {
    const big = by < 1 ? 1000 : 1;
    const directions = [1, 2, 3].map((mm, n) => `(${[0, 1, 2].map((m) => (m === n ? mm * big : 0))})`);
    const [space] = lps;
    const lines = [
      space,
      `space directions: ${directions.join(' ')}`,
      `space origin: (${10 * big},${20 * big},${30 * big})`,
    ];
    close((await readScanHeader(nrrd(...lines, `space units: ${units}`))).affine, scaled(by * big));
    // Beside directions `units` say the same of all axes or are refused.
    close((await readScanHeader(nrrd(...lines, `units: ${units}`))).affine, scaled(by * big));
  });

  it('of NRRD are those of each axis', async () => {
    const { affine } = await readScanHeader(nrrd('spacings: 1000 2 0.3', 'units: "um" "mm" "cm"'));
    close([affine[0], affine[5], affine[10]], [-1, -2, 3]);
    const mixed = await readScanHeader(nrrd(...lps, 'space units: "mm" "cm" "mm"'));
    close([mixed.affine[0], mixed.affine[5], mixed.affine[7]], [-1, -20, -200]);
  });

  it('of NRRD in the Latin-1 of old programs', async () => {
    const head = nrrdHead([...little, 'spacings: 1000 2000 3000', 'units: "µm" "µm" "µm"']);
    const { affine } = await readScanHeader(save('.nrrd', Buffer.from(`${head}\n`, 'latin1'), int16));
    close([affine[0], affine[5], affine[10]], [-1, -2, 3]);
  });

  it('of NRRD are refused by name where they are not known or contradict each other', async () => {
    expect(await refused(nrrd(...lps, 'space units: "mm" "mm" "parsec"'))).toMatch(
      /space units: expected units of length .*found parsec/,
    );
    expect(await refused(nrrd(...lps, 'space units: "mm" "mm"'))).toMatch(/three units/);
    expect(await refused(nrrd(...lps, 'space units: "mm" "mm" "mm"', 'units: "um" "um" "um"'))).toMatch(
      /units: /,
    );
    expect(await refused(nrrd(...lps, 'units: "um" "mm" "um"'))).toMatch(/those of space units/);
    expect(await refused(nrrd(...lps, 'space units: "constructor" "mm" "mm"'))).toMatch(/found constructor/);
  });

  it('of MetaImage, which has no field for them in its standard', async () => {
    expect((await readScanHeader(meta('DistanceUnits = mm'))).affine).toEqual(inRas);
    expect((await readScanHeader(meta('DistanceUnits = ?'))).affine).toEqual(inRas);
    close((await readScanHeader(meta('ElementSpacingUnit = cm cm cm'))).affine, scaled(10));
    expect(await refused(meta('DistanceUnits = toString'))).toMatch(/DistanceUnits: .*found toString/);
    expect(await refused(meta('DistanceUnits = mm', 'SpacingUnits = cm'))).toMatch(
      /SpacingUnits: expected the unit/,
    );
    expect(await refused(meta('ElementToIntensityFunctionSlope = 2'))).toMatch(
      /FunctionSlope: expected 1, found 2/,
    );
  });
});

describe('text headers', () => {
  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'know nothing by the name of %s',
    async (name) => {
      const of = (line: string) =>
        nrrdHead([...little.filter((one) => !one.startsWith(line.split(':')[0])), line, ...lps]);
      expect(await refused(save('.nrrd', of(`type: ${name}`), '\n', int16))).toMatch(
        /type: expected an integer or float/,
      );
      expect(await refused(save('.nrrd', of(`encoding: ${name}`), '\n', int16))).toMatch(
        /encoding: expected raw, gzip, bzip2/,
      );
      expect(await refused(nrrd(`space: ${name}`))).toMatch(/space: expected right-anterior-superior/);
      expect(await refused(save('.mha', metaHead([`ElementType = ${name}`]), int16))).toMatch(
        /ElementType: expected/,
      );
    },
  );

  it('may begin with a byte order mark, or be UTF-16 beside a file of voxels', async () => {
    const read = async (file: string) => {
      const { data, affine } = await readScan(file);
      expect([[...data], affine]).toEqual([values, inRas]);
    };
    const mark = '\ufeff';
    await read(save('.nrrd', mark, nrrdHead([...little, ...lps]), '\n', int16));
    await read(save('.mha', mark, metaHead([...short, upright]), int16));
    const raw = path.basename(save('.raw', int16));
    const head = `${mark}${nrrdHead([...little, ...lps, `data file: ${raw}`])}`;
    await read(save('.nhdr', Buffer.from(head, 'utf16le')));
    await read(save('.nhdr', Buffer.from(head, 'utf16le').swap16()));
    await read(save('.mhd', Buffer.from(mark + metaHead([...short, upright], raw), 'utf16le')));
  });

  it('name their file as another system writes it, or in another case', async () => {
    mkdirSync(path.join(root, 'sub'), { recursive: true });
    writeFileSync(path.join(root, 'sub', 'Ünits.RAW'), int16);
    for (const name of [
      '.\\sub\\Ünits.RAW',
      'sub/U\u0308nits.raw',
      'sub\\ünits.Raw',
      path.join(root, 'sub/Ünits.RAW'),
    ]) {
      expect([...(await readScan(save('.MHD', metaHead(short, name)))).data]).toEqual(values);
      expect([
        ...(await readScan(save('.NHDR', nrrdHead([...little, ...lps, `data file: ${name}`])))).data,
      ]).toEqual(values);
    }
    expect([...(await readScan(save('.MHA', metaHead(short, 'lOcAl'), int16))).data]).toEqual(values);
  });

  it('name no folder, device or themselves', async () => {
    const named = (name: string) => save('.nhdr', nrrdHead([...little, ...lps, `data file: ${name}`]));
    expect(await refused(named('.'))).toMatch(/expected a regular file, found a folder/);
    expect(await refused(named('/dev/zero'))).toMatch(/a device or pipe/);
    const itself = path.join(root, 'itself.nhdr');
    writeFileSync(itself, nrrdHead([...little, ...lps, 'data file: itself.nhdr']));
    expect(await refused(itself)).toMatch(/data file: expected another file than the header/);
    const meta = path.join(root, 'itself.mhd');
    writeFileSync(meta, metaHead(short, './ITSELF.mhd'));
    expect(await refused(meta)).toMatch(/ElementDataFile: expected another file than the header/);
  });
});
