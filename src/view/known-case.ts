import path from 'node:path';
import type { LabelCodes } from '../imaging/index.ts';
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
  kind?: string;
  readonly results: (ShownResult & { readonly file?: string })[];
}

/** Endings of files of scans. */
export const SCAN = /\.(nii|nii\.gz|nrrd|nhdr|mha|mhd|hdr)$/i;

/** What a file or folder is called by itself. */
export const nameOf = (file: string): string => path.basename(path.resolve(file));
