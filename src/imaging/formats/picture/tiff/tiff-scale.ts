import { unitInMm } from '../../../volume/length-units.ts';
import type { PixelSize } from '../picture-types.ts';
import type { TiffDirectory } from './tiff-directory.ts';
import { tags } from './tiff-page.ts';

// How large the pixels of a TIFF are, in microns.

/** The coarsest pixels that are those of a microscope, microns: printers and screens have others, which say nothing of what is shown. */
export const mostMicrons = 20;
const leastMicrons = 0.01;

/** Whether a size can be that of pixels of a microscope. */
export const isPixelSize = ({ row, column }: PixelSize): boolean =>
  [row, column].every((microns) => microns >= leastMicrons && microns <= mostMicrons);

/**
 * The size of the pixels of the first directory: as OME-XML (PhysicalSizeX), Aperio (MPP) or ImageJ (unit) write it in the description,
 * else by the tags of the resolution. Undefined where none says it; one that is beyond sense is told, and not taken.
 */
export async function pixelSizeOf(
  directory: TiffDirectory,
): Promise<{ readonly pixel?: PixelSize; readonly note?: string }> {
  const described = sizeInText(await directory.text(tags.description));
  const found = described ?? (await sizeByTags(directory));
  if (found === undefined) return {};
  if (isPixelSize(found)) return { pixel: found };
  return { note: noteOnSize(found) };
}

/** What is said of a size that is not taken. */
export function noteOnSize({ row, column }: PixelSize): string {
  const [height, width] = [+row.toPrecision(4), +column.toPrecision(4)];
  return `its resolution, ${width} x ${height} microns a pixel, is none of a microscope and is passed over`;
}

function sizeInText(text: string): PixelSize | undefined {
  const pixels = /<(?:\w+:)?Pixels\b[^>]*>/.exec(text)?.[0];
  if (pixels !== undefined) {
    const attribute = (name: string): string | undefined =>
      new RegExp(`\\b${name}\\s*=\\s*["']([^"']*)["']`).exec(pixels)?.[1];
    const along = (axis: 'X' | 'Y'): number =>
      Number(attribute(`PhysicalSize${axis}`) ?? Number.NaN) *
      1000 *
      (unitInMm(plainUnit(attribute(`PhysicalSize${axis}Unit`) ?? 'µm')) ?? Number.NaN);
    const size = { row: along('Y'), column: along('X') };
    return size.row > 0 && size.column > 0 ? size : undefined;
  }
  const aperio = /\bMPP\s*=\s*([\d.]+)/.exec(text)?.[1];
  if (aperio === undefined || !(Number(aperio) > 0)) return undefined;
  return { row: Number(aperio), column: Number(aperio) };
}

/** A unit whose micro sign may be written as a reference. */
const plainUnit = (unit: string): string => unit.replace(/&(#181|#xb5|#956|#x3bc|micro);/i, '\u00b5');

async function sizeByTags(directory: TiffDirectory): Promise<PixelSize | undefined> {
  const column = await directory.number(tags.columnResolution, 0);
  const row = await directory.number(tags.rowResolution, 0);
  if (!(row > 0 && column > 0 && Number.isFinite(row * column))) return undefined;
  // ImageJ tells its unit in the description, and the tag of the unit is none.
  const written = /^ImageJ=[\s\S]*^unit=(.+)$/m.exec(await directory.text(tags.description))?.[1];
  const unit = written?.trim().replace('\\u00B5', '\u00b5');
  const kind = await directory.number(tags.resolutionUnit, 2);
  const mm =
    unit === undefined ? ({ 2: 25.4, 3: 10 } as Readonly<Record<number, number>>)[kind] : unitInMm(unit);
  return mm === undefined ? undefined : { row: (1000 * mm) / row, column: (1000 * mm) / column };
}
