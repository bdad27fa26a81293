import path from 'node:path';
import { isPictureName, isZarr, type LabelCodes, outlineEnding, pictureEnding } from '../imaging/index.ts';
import type { ShownResult } from './protocol.ts';
import type { StreamedScan } from './scan-stream.ts';

/** A case as it lies on the disk. */
export interface KnownCase {
  readonly id: string;
  /** Its channels. */
  readonly images: readonly StreamedScan[];
  readonly truth?: string;
  /** What the values of its truth mean, where they are not the classes themselves. */
  readonly codes?: LabelCodes;
  /** Whether it is a slide, and not a volume. */
  readonly slide?: boolean;
  kind?: string;
  readonly results: (ShownResult & { readonly file?: string })[];
}

/** Endings of files of volumes. */
const VOLUME = /\.(nii|nii\.gz|nrrd|nhdr|mha|mhd|hdr)$/i;

/** Whether a file is a scan or a slide by its name. */
export const isScanName = (name: string): boolean => VOLUME.test(name) || isPictureName(name);

/** Whether a file holds outlines on a slide by its name. */
export const isOutlines = (name: string): boolean => outlineEnding.test(name);

/** Whether a file may be a label map by its name. */
export const isLabelsName = (name: string): boolean => isScanName(name) || isOutlines(name);

/** What a case is called by the name of its scan or of a label map. */
export const idOfName = (name: string): string =>
  name.replace([VOLUME, pictureEnding, outlineEnding].find((ending) => ending.test(name)) ?? '', '');

/** Whether label maps with such a name are those of slides. */
const isOfSlide = (name: string): boolean => isPictureName(name) || isOutlines(name);

/** Whether a file may be a label map of a case: those of slides are pictures or outlines. */
export const isLabelsOf = ({ slide = false }: Pick<KnownCase, 'slide'>, file: string): boolean =>
  isZarr(file) || isOfSlide(file) === slide;

/** What a file or folder is called by itself. */
export const nameOf = (file: string): string => path.basename(path.resolve(file));
