import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  fromCanonical,
  type Orientation,
  orientationOf,
  readScan,
  readScanHeader,
  type Shape3,
  toCanonical,
  type Volume,
  writeNifti,
  writePhantom,
} from '../../imaging/index.ts';
import { resolveConfig } from '../config/config.ts';
import { train } from '../loop/train.ts';
import { predict, predictFolder } from './predict.ts';
import type { PredictionEvent, PredictOptions } from './predict-options.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-predict-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = path.join(folder, 'run');
const data = path.join(folder, 'data');
const scan = path.join(data, 'imagesTr', 'phantom_000.nii.gz');
const at = (name: string): string => path.join(folder, name);

beforeAll(async () => {
  await writePhantom({ out: data, size: [15, 14, 12], cases: 2 });
  // Few steps: labels of all classes, in many parts.
  await train(resolveConfig({ data, out: run, base: 2, levels: 2, steps: 3, threads: 1, dropoutKeep: 1 }));
});

const segment = (options: Partial<PredictOptions>) =>
  predict({ run, input: scan, output: at('out.nii.gz'), overwrite: true, ...options });

describe('prediction', () => {
  it('names the other checkpoint where the best one is damaged', async () => {
    const damaged = at('damaged');
    cpSync(run, damaged, { recursive: true });
    const best = path.join(damaged, 'checkpoints', 'best.safetensors');
    const bytes = readFileSync(best);
    // A bit in each tensor: what prediction has no use for is not read.
    for (let at = 8 + Number(bytes.readBigUInt64LE(0)); at < bytes.length; at += 4) bytes[at] ^= 1;
    writeFileSync(best, bytes);
    await expect(segment({ run: damaged })).rejects.toThrow(
      /best\.safetensors.* is damaged.*--checkpoint latest/,
    );
    await segment({ run: damaged, checkpoint: 'latest' });
    rmSync(path.join(damaged, 'checkpoints', 'latest.safetensors'));
    await expect(segment({ run: damaged })).rejects.not.toThrow(/--checkpoint/);
  });

  it('of a picture is none of a network of volumes', async () => {
    for (const name of ['grey.png', 'slide.svs', 'IMAGE.TIFF']) {
      writeFileSync(at(name), 'light');
      await expect(segment({ input: at(name) })).rejects.toThrow('a network of volumes was given a picture');
    }
  });

  it('of a scan that leans is made on an upright grid where that is asked for, and comes back on its voxels', async () => {
    const { data, shape, affine } = await readScan(scan);
    const leaning = affine.map((value, n) => value + (n === 6 ? 0.3 * affine[10] : 0));
    const file = at('tilted.nii.gz');
    await writeNifti(file, { data, shape, affine: leaning }, { type: 'int16' });
    const notes: string[] = [];
    const onEvent = (event: PredictionEvent) => void (event.kind === 'note' && notes.push(event.note));
    const result = await segment({
      ...{ input: file, output: at('tilted-out.nii.gz'), onEvent, probabilities: true, statistics: true },
      resampleTilt: true,
    });
    expect(notes.join()).toContain('resampled upright');
    const labels = await readScanHeader(result.output);
    expect(labels.shape).toEqual(shape);
    labels.affine.forEach((value, n) => {
      expect(value).toBeCloseTo(leaning[n], 4);
    });
    const soft = await readScanHeader(Object.values(result.probabilities!)[0]);
    expect(soft.shape[1]).toBe(
      shape[1] + Math.ceil((0.3 * (shape[0] - 1) * affine[10]) / Math.abs(affine[5])),
    );
    const { structures } = JSON.parse(readFileSync(result.statistics!.json, 'utf8')) as {
      readonly structures: readonly { readonly name: string; readonly voxels: number }[];
    };
    for (const { name, voxels } of structures) expect(voxels).toBe(result.voxels[name]);
  });

  it('lies on the same anatomy whatever the order of the axes of the file', async () => {
    const { volume } = toCanonical(await readScan(scan));
    const expected = await labelsInRas(scan, 'ras');
    expect(new Set(expected).size).toBeGreaterThan(1);
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ] as const;
    for (const [n, axes] of orders.entries())
      for (const turned of [n, 7 - n]) {
        const flipped = [(turned & 1) > 0, (turned & 2) > 0, (turned & 4) > 0] as const;
        const orientation: Orientation = { axes, flipped };
        const stored = fromCanonical(volume, orientation);
        const file = at(`order${n}-${turned}.nii`);
        await writeNifti(file, stored, { type: 'int16' });
        expect(orientationOf((await readScan(file)).affine)).toEqual(orientation);
        expect(await labelsInRas(file, `order${n}`, stored.shape)).toEqual(expected);
      }
  });

  it('is refused a flag of imported runs', async () => {
    await expect(segment({ wholeVolume: true })).rejects.toThrow(
      /sees whole volumes in any case.*--whole-volume/,
    );
  });

  /** Labels of a scan, brought to RAS+ by the affine of their file. */
  async function labelsInRas(input: string, name: string, shape?: Shape3): Promise<Volume['data']> {
    const output = at(`${name}-labels.nii`);
    await segment({ input, output });
    const labels = await readScan(output);
    const { affine } = await readScan(input);
    expect(labels.affine).toEqual(affine);
    if (shape) expect(labels.shape).toEqual(shape);
    return toCanonical(labels).volume.data;
  }

  it('keeps sform and qform of the scan as they are, and tells once that they differ', async () => {
    const { header, data } = await readScan(scan);
    const { stored, shape, affine } = header;
    if (stored === undefined) throw new Error('a phantom has an orientation');
    const moved = { ...stored, qformCode: 3, sformCode: 4, qoffset: [1, 2, 3] as const };
    const input = at('differ.nii');
    await writeNifti(input, { shape, affine, data, stored: moved });
    const events: PredictionEvent[] = [];
    const result = await segment({ input, output: at('differ-labels.nii'), onEvent: (e) => events.push(e) });
    expect(result.voxelVolume).toBeCloseTo(result.spacing[0] * result.spacing[1] * result.spacing[2], 9);
    expect((await readScanHeader(result.output)).stored).toEqual((await readScanHeader(input)).stored);
    const notes = events.flatMap((event) => (event.kind === 'note' ? [event.note] : []));
    expect(notes).toEqual([
      expect.stringMatching(/^sform and qform that differ by up to .* mm; the sform is taken$/),
    ]);
    await segment({ input, output: at('differ-clean.nii'), cleaning: { fillHoles: ['liver'] } });
    expect((await readScanHeader(at('differ-clean.nii'))).stored).toEqual(
      (await readScanHeader(input)).stored,
    );
  });

  it('writes probabilities on the grid of the scan, and coarser ones', async () => {
    const events: PredictionEvent[] = [];
    const { probabilities, shape, voxels } = await segment({
      output: at('soft.nii.gz'),
      probabilities: true,
      flips: ['depth'],
      onEvent: (event) => events.push(event),
    });
    expect(events.map(({ kind }) => kind)).toEqual(['scan', 'pass', 'pass', 'written']);
    const names = ['background', 'liver', 'tumour'];
    expect(probabilities).toEqual(
      Object.fromEntries(names.map((name) => [name, at(`soft_probability_${name}.nii.gz`)])),
    );
    const labels = await readScan(at('soft.nii.gz'));
    const soft = await Promise.all(names.map((name) => readScan(probabilities![name])));
    for (const { affine, shape: size } of soft)
      expect({ affine, size }).toEqual({ affine: labels.affine, size: shape });
    let counted = 0;
    for (let n = 0; n < labels.data.length; n++) {
      const all = soft.map(({ data: p }) => p[n]);
      expect(all[0] + all[1] + all[2]).toBeCloseTo(1, 5);
      expect(all.indexOf(Math.max(...all))).toBe(labels.data[n]);
      if (labels.data[n] === 1) counted++;
    }
    expect(voxels.liver).toBe(counted);

    await segment({ output: at('coarse.nii.gz'), probabilities: true, probabilitiesDownsample: 2 });
    const fine = await readScan(at('coarse.nii.gz'));
    const coarse = await readScan(at('coarse_probability_liver.nii.gz'));
    expect(coarse.shape).toEqual(shape.map((n) => Math.round(n / 2)));
    // The same field of view: opposite corners of both lie together.
    const corner = ({ affine: a, shape: s }: Volume, far: number): number[] =>
      [0, 1, 2].map((row) => {
        const end = (n: number) => (far ? n - 0.5 : -0.5);
        const [i, j, k] = [end(s[2]), end(s[1]), end(s[0])];
        return a[4 * row] * i + a[4 * row + 1] * j + a[4 * row + 2] * k + a[4 * row + 3];
      });
    for (const far of [0, 1])
      for (const [row, x] of corner(coarse, far).entries()) expect(x).toBeCloseTo(corner(fine, far)[row], 3);
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('cleans labels up by names of classes', async () => {
    const plain = (await segment({})).voxels;
    const kept = (await segment({ cleaning: { largestComponent: ['liver+tumour'], fillHoles: ['liver'] } }))
      .voxels;
    const small = (await segment({ cleaning: { minSize: { tumour: 1e9 } } })).voxels;
    const inside = (await segment({ cleaning: { inside: { tumour: 'liver' } } })).voxels;
    expect(plain.tumour).toBeGreaterThan(0);
    expect(kept.liver + kept.tumour).toBeLessThan(plain.liver + plain.tumour);
    expect(small).toMatchObject({ tumour: 0 });
    expect(inside.tumour).toBeLessThanOrEqual(plain.tumour);
    await expect(segment({ cleaning: { fillHoles: ['spleen'] } })).rejects.toThrow(
      'fill holes: no such class, or the background; expected liver, tumour, found spleen',
    );
  });

  it('segments a folder, and lists what cannot be', async () => {
    const input = at('scans');
    mkdirSync(input);
    const one = await readScan(scan);
    await writeNifti(path.join(input, 'a_0000.nii.gz'), one);
    await writeNifti(path.join(input, 'b10.nii'), one);
    writeFileSync(path.join(input, 'b2.nii.gz'), 'no scan');
    await writeNifti(path.join(input, 'c_0001.nii.gz'), one);
    writeFileSync(path.join(input, 'notes.txt'), 'not looked at');
    const output = at('labels');
    const { results, faults } = await predictFolder({ run, input, output });
    expect(results.map((result) => path.basename(result.output))).toEqual(['a.nii.gz', 'b10.nii.gz']);
    expect(faults.map((fault) => path.basename(fault.input))).toEqual(['b2.nii.gz', 'c_0001.nii.gz']);
    expect(faults[1].error.message).toMatch(/further channel/);
    expect(readdirSync(output).sort()).toEqual(['a.nii.gz', 'b10.nii.gz']);
    await writeNifti(path.join(input, 'a.nii'), one);
    await expect(predictFolder({ run, input, output })).rejects.toThrow(/would be written to the same file/);
    await expect(predictFolder({ run, input: scan, output })).rejects.toThrow(/no folder of scans/);
  });

  it('takes a folder that is there as the place of a single output', async () => {
    mkdirSync(at('place'));
    const { output } = await segment({ output: at('place') });
    expect(output).toBe(at('place/phantom_000.nii.gz'));
    expect((await segment({ output: at('new/folder/out.nii') })).output).toBe(at('new/folder/out.nii'));
    expect((await segment({ output: `${at('other')}/` })).output).toBe(at('other/phantom_000.nii.gz'));
    await expect(segment({ output: at('out.mhd') })).rejects.toThrow(/written as one file.*out\.nii\.gz/);
    await expect(segment({ output: at('out.txt') })).rejects.toThrow(/ends in .nii or .nii.gz/);
  });

  it('leaves nothing behind when a signal ends it', async () => {
    const stop = new AbortController();
    const output = at('stopped.nii.gz');
    const options = { output, probabilities: true, flips: ['width'], signal: stop.signal } as const;
    const onEvent = ({ kind }: PredictionEvent) => kind === 'pass' && stop.abort(new Error('enough'));
    await expect(segment({ ...options, onEvent })).rejects.toThrow('enough');
    expect(readdirSync(folder).filter((name) => /stopped|partial/.test(name))).toEqual([]);
  });
});
