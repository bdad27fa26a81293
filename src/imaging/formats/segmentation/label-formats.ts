/** Formats of label maps that are written, and what the names of their files end with. */
export const labelEndings = {
  nifti: '.nii.gz',
  nrrd: '.nrrd',
  'seg-nrrd': '.seg.nrrd',
  mha: '.mha',
  'dicom-seg': '.dcm',
  'dicom-labelmap': '.dcm',
  tiff: '.tif',
} as const;

export type LabelFormat = keyof typeof labelEndings;

/** Their names, for flags and messages. */
export const labelFormats = Object.keys(labelEndings) as readonly LabelFormat[];

/** The format that the name of a file asks for; of DICOM's two that of bits. Undefined where none is written so. */
export function labelFormatOf(file: string): LabelFormat | undefined {
  if (/\.nii(\.gz)?$/i.test(file)) return 'nifti';
  if (/\.seg\.nrrd$/i.test(file)) return 'seg-nrrd';
  if (/\.nrrd$/i.test(file)) return 'nrrd';
  if (/\.mha$/i.test(file)) return 'mha';
  if (/\.(dcm|dicom)$/i.test(file)) return 'dicom-seg';
  if (/\.tiff?$/i.test(file)) return 'tiff';
  return undefined;
}

/** Whether it is one of pictures, which are volumes of depth 1. */
export const isPictureLabelFormat = (format: LabelFormat): boolean => format === 'tiff';

export const isDicomFormat = (format: LabelFormat): boolean => format.startsWith('dicom-');

/** Whether a file of this name can hold this format. */
export function endsAs(file: string, format: LabelFormat): boolean {
  const named = labelFormatOf(file);
  return named === format || (named === 'dicom-seg' && format === 'dicom-labelmap');
}
