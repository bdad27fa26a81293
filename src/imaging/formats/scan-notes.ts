import { affineLean } from '../volume/affine.ts';
import type { ScanHeader } from '../volume/scan-types.ts';
import { leanDegrees, leastLean } from '../volume/tilt/upright-scan.ts';

/** What somebody should look at in the header of a scan, each as a phrase: what its reader noted, and axes that lean. */
export function notesOf({ notes = [], affine }: Pick<ScanHeader, 'notes' | 'affine'>): readonly string[] {
  if (affineLean(affine) <= leastLean) return notes;
  const degrees = leanDegrees(affine).toFixed(1);
  const effect = 'volumes and distances are those of leaning voxels, but a network sees them straightened';
  return [...notes, `axes that lean by ${degrees} degrees (gantry tilt kept as shear): ${effect}`];
}
