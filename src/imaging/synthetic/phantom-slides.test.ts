import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { parseTiff, pixelsOf } from '../../../test/imaging/tiff-fixture.ts';
import { openDataset } from '../dataset/dataset.ts';
import { writeSlides } from './phantom-slides.ts';
import type { SlideBox } from './slide-nuclei.ts';
import { type Distances, SlidePlan } from './slide-plan.ts';
import { type SlideOptions, SlideRenderer } from './slide-renderer.ts';
import { CAPSULE, CLEFT, SLIDE_LABELS } from './slide-zones.ts';

const folder = temporaryFolder();
const slide = { side: 640, share: 0.75, seed: 4, index: 1, mpp: 2 };

function drawn(options: SlideOptions, box: SlideBox) {
  const [rgb, labels] = [new Uint8Array(3 * box.rows * box.cols), new Uint8Array(box.rows * box.cols)];
  new SlideRenderer(options).render(box, rgb, labels);
  return { rgb, labels };
}

/** Arrays of this length are slow to compare number by number. */
const same = (found: Uint8Array, expected: Uint8Array): void =>
  expect(Buffer.compare(found, expected)).toBe(0);

describe('a synthetic slide', () => {
  const whole = { row: 0, col: 0, rows: 320, cols: 320 };

  it('is the same in boxes as in one piece', () => {
    const { rgb, labels } = drawn(slide, whole);
    for (const box of [
      { row: 100, col: 37, rows: 93, cols: 150 },
      { row: 319, col: 0, rows: 1, cols: 320 },
      { row: 255, col: 201, rows: 40, cols: 1 },
    ]) {
      const part = drawn(slide, box);
      for (let r = 0; r < box.rows; r++) {
        const from = (box.row + r) * 320 + box.col;
        const [start, end] = [r * box.cols, (r + 1) * box.cols];
        same(part.labels.subarray(start, end), labels.subarray(from, from + box.cols));
        same(part.rgb.subarray(3 * start, 3 * end), rgb.subarray(3 * from, 3 * (from + box.cols)));
        expect(part.rgb.subarray(3 * r * box.cols, 3 * (r + 1) * box.cols)).toEqual(
          rgb.subarray(3 * from, 3 * (from + box.cols)),
        );
      }
    }
    expect([...new Set(labels)].sort()).toEqual([...SLIDE_LABELS.keys()]);
  });

  it('shows nothing of a tumour but its edge: all else is as without it', () => {
    const [one, other] = [drawn(slide, whole), drawn({ ...slide, tumours: false }, whole)];
    expect(other.labels).not.toContain(4);
    const plan = new SlidePlan(slide);
    const found: Distances = { tissue: 0, gland: 0, focus: 0, tumour: 0 };
    let [inside, edge] = [0, 0];
    for (let n = 0; n < 320 ** 2; n++) {
      plan.at(2 * ((n % 320) + 0.5), 2 * (Math.floor(n / 320) + 0.5), found);
      // A nucleus reaches 7 microns from its middle, and distances are interpolated between places 4 microns apart.
      if (found.tumour < CLEFT + 11 && found.tumour > -CAPSULE - 11) {
        if (one.rgb[3 * n] !== other.rgb[3 * n]) edge++;
        continue;
      }
      if (one.labels[n] === 4) inside++;
      for (let colour = 0; colour < 3; colour++)
        if (one.rgb[3 * n + colour] !== other.rgb[3 * n + colour]) expect(found).toBe('as without a tumour');
    }
    expect(inside).toBeGreaterThan(4000);
    expect(edge).toBeGreaterThan(1000);
  });

  it('of usual pixels has much tumour from where a patch of 512 pixels sees no edge', () => {
    for (const index of [0, 1, 2]) {
      const plan = new SlidePlan({ side: 2048, share: 0.75, seed: 0, index });
      const found: Distances = { tissue: 0, gland: 0, focus: 0, tumour: 0 };
      let [tumour, deep] = [0, 0];
      for (let y = 4; y < 2048; y += 8)
        for (let x = 4; x < 2048; x += 8) {
          plan.at(x, y, found);
          if (found.tissue > 0 || found.tumour > 0) continue;
          tumour++;
          if (found.tumour < -128 - CAPSULE) deep++;
        }
      expect(tumour / 256 ** 2).toBeGreaterThan(0.08);
      expect(deep / tumour).toBeGreaterThan(0.3);
    }
  });
});

describe('writeSlides', () => {
  it('writes pictures, label maps and their outlines as a folder of nnU-Net', async () => {
    const out = path.join(folder, 'slides');
    const rows: number[] = [];
    await writeSlides({ out, size: 530, cases: 1, mpp: 2, seed: 4, onProgress: (at) => rows.push(at.rows) });
    expect(rows).toEqual([512, 530]);
    const description = JSON.parse(readFileSync(path.join(out, 'dataset.json'), 'utf8'));
    expect(description.labels).toEqual({ background: 0, tissue: 1, gland: 2, inflammation: 3, tumour: 4 });
    expect(description.channel_names).toEqual({ 0: 'red', 1: 'green', 2: 'blue' });
    expect([description.file_ending, description.numTraining]).toEqual(['.tif', 1]);
    expect(readdirSync(path.join(out, 'imagesTr'))).toEqual(['slide_000_0000.tif']);
    const whole = drawn({ ...slide, side: 1060, index: 0 }, { row: 0, col: 0, rows: 530, cols: 530 });
    const image = readFileSync(path.join(out, 'imagesTr', 'slide_000_0000.tif'));
    const { directories } = parseTiff(image);
    expect(directories.length).toBe(2);
    expect(1e4 / directories[0].tags.get(282)![0]).toBe(2);
    same(Uint8Array.from(pixelsOf(image, directories[0])), whole.rgb);
    const labels = readFileSync(path.join(out, 'labelsTr', 'slide_000.tif'));
    same(Uint8Array.from(pixelsOf(labels, parseTiff(labels).directories[0])), whole.labels);
    const outlines = JSON.parse(readFileSync(path.join(out, 'outlinesTr', 'slide_000.geojson'), 'utf8'));
    same(filled(outlines.features, 530), whole.labels);
  });

  it('leaves every second slide without a tumour and says the class of each', async () => {
    const out = path.join(folder, 'healthy');
    const json = await writeSlides({ out, size: 128, cases: 2, mpp: 8, healthy: true });
    const { cases, imageClasses } = await openDataset(out);
    expect(imageClasses).toEqual(['healthy', 'tumour']);
    expect(cases.map(({ id, imageLabel }) => [id, imageLabel])).toEqual([
      ['slide_000', 'tumour'],
      ['slide_001', 'healthy'],
    ]);
    expect(JSON.parse(readFileSync(json, 'utf8')).dataset.slide_001.images).toEqual([
      'imagesTr/slide_001_0000.tif',
    ]);
    const tumourIn = (id: string): boolean => {
      const file = readFileSync(path.join(out, 'labelsTr', `${id}.tif`));
      return pixelsOf(file, parseTiff(file).directories[0]).includes(4);
    };
    expect(['slide_000', 'slide_001'].map(tumourIn)).toEqual([true, false]);
  });

  it('refuses sizes that are none, and the folder of somebody else', async () => {
    const out = path.join(folder, 'refused');
    await expect(writeSlides({ out, size: 4 })).rejects.toThrow(
      'size: expected a whole number from 8 to 131072, found 4',
    );
    await expect(writeSlides({ out, size: 64, mpp: 100 })).rejects.toThrow(
      'mpp: expected microns from 0.05 to 16',
    );
    await expect(writeSlides({ out, size: 64, tissue: 0 })).rejects.toThrow(
      'tissue: expected a part of the slide',
    );
  });
});

interface Feature {
  readonly geometry: { readonly coordinates: readonly (readonly (readonly [number, number])[])[] };
  readonly properties: { readonly classification: { readonly name: (typeof SLIDE_LABELS)[number] } };
}

/** A label map of polygons: a pixel is inside where a line to the right from its middle crosses their rings an odd number of times. */
function filled(features: readonly Feature[], size: number): Uint8Array {
  const out = new Uint8Array(size * size);
  for (const { geometry, properties } of features) {
    const value = SLIDE_LABELS.indexOf(properties.classification.name);
    const crossings = Array.from({ length: size }, (): number[] => []);
    for (const ring of geometry.coordinates)
      for (let n = 1; n < ring.length; n++) {
        const [[x, y0], [, y1]] = [ring[n - 1], ring[n]];
        for (let y = Math.min(y0, y1); y < Math.max(y0, y1); y++) crossings[y].push(x);
      }
    for (const [y, found] of crossings.entries()) {
      const sorted = found.sort((a, b) => a - b);
      for (let n = 0; n < sorted.length; n += 2)
        out.fill(value, y * size + sorted[n], y * size + sorted[n + 1]);
    }
  }
  return out;
}
