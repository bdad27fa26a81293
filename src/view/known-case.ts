import path from 'node:path';
import type { ShownResult } from './protocol.ts';

/** A case as it lies on the disk. */
export interface KnownCase {
  readonly id: string;
  readonly image?: { readonly file: string; readonly series?: string };
  readonly truth?: string;
  kind?: string;
  readonly results: (ShownResult & { readonly file?: string })[];
}

/** Endings of files of scans. */
export const SCAN = /\.(nii|nii\.gz|nrrd|nhdr|mha|mhd|hdr)$/i;

/** What a file or folder is called by itself. */
export const nameOf = (file: string): string => path.basename(path.resolve(file));
