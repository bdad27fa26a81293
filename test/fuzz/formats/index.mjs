import { dicom, dicomEnhanced, dicomSeg, dicomStruct } from './dicom.mjs';
import { nifti, niftiChannels, niftiGzip, niftiPair } from './nifti.mjs';
import { geojson, jpeg, png, tiff } from './pictures.mjs';
import { checkpoint, safetensors } from './safetensors.mjs';
import { config, dataset, labels, log, machine, split } from './settings.mjs';
import { metaImage, nrrd } from './text-headers.mjs';
import { nnunet, torch } from './torch.mjs';
import { zarr } from './zarr.mjs';

/**
 * What is read, by its name on the command line. Each makes what it needs in a folder, and gives
 * `mutant(random)`: files by name; `read(folder, files)`: what is wrong with what was read of them, undefined where it is sound;
 * `errors`: what unclear() takes.
 */
export const formats = {
  nifti,
  gz: niftiGzip,
  pair: niftiPair,
  channels: niftiChannels,
  nrrd,
  mha: metaImage,
  dicom,
  enhanced: dicomEnhanced,
  seg: dicomSeg,
  rtstruct: dicomStruct,
  png,
  jpeg,
  tiff,
  geojson,
  zarr,
  safetensors,
  checkpoint,
  config,
  dataset,
  labels,
  machine,
  split,
  log,
  torch,
  nnunet,
};
