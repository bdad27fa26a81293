import { affineLean } from '../volume/affine.ts';
import type { ScanHeader } from '../volume/scan-types.ts';

/** Sine of the lean from which it is told: half a degree, as for a DICOM series. */
const toldLean = Math.sin(Math.PI / 360);

/** What somebody should look at in the header of a scan, each as a phrase: what its reader noted, and axes that lean. */
export function notesOf({ notes = [], affine }: Pick<ScanHeader, 'notes' | 'affine'>): readonly string[] {
  const lean = affineLean(affine);
  if (lean <= toldLean) return notes;
  const degrees = ((Math.asin(Math.min(1, lean)) * 180) / Math.PI).toFixed(1);
  const effect = 'volumes and distances are those of leaning voxels, but a network sees them straightened';
  return [...notes, `axes that lean by ${degrees} degrees (gantry tilt kept as shear): ${effect}`];
}
