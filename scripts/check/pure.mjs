// Pure rooms: files of src/ that run wherever JavaScript does, in Node.js, a browser or a worker. They import nothing of
// Node.js, name none of its globals, and load nothing that is not pure itself; types are no matter, since none is left at run time.
import { builtinModules } from 'node:module';
import { isTestFile } from '../setup/common.mjs';

/**
 * Folders (with a slash at their end) and files that are pure. What is not listed works with files or the system by nature: disks as places
 * of scans (formats/disk-files.ts, named-file.ts, scan.ts) and of new files (nifti-write.ts), folders of data sets and stores, workers,
 * runs and what they write, devices with a library, the command line.
 */
const pure = [
  'src/core/',
  'src/ops/',
  'src/nn/',
  'src/plan/',
  'src/stablehlo/',
  'src/machine/calls/',
  'src/machine/kernels/',
  'src/machine/wasm/',
  'src/machine/webgpu/',
  'src/machine/rows/',
  'src/machine/formats/',
  'src/machine/assumed.ts',
  'src/machine/at-once.ts',
  'src/machine/device.ts',
  'src/machine/device-names.ts',
  'src/machine/host.ts',
  'src/machine/host-messages.ts',
  'src/machine/host-spill.ts',
  'src/machine/local.ts',
  'src/machine/null.ts',
  'src/machine/prepared.ts',
  'src/machine/reference.ts',
  'src/machine/event-loop.ts',
  'src/machine/world.ts',
  'src/run/',
  'src/files/bytes/crc32.ts',
  'src/files/wire/json.ts',
  'src/files/system-errors.ts',
  'src/imaging/volume/',
  'src/imaging/parts/',
  'src/imaging/augment/',
  'src/imaging/scores/',
  'src/browser.ts',
  'src/imaging/formats/any-scan.ts',
  'src/imaging/formats/bytes.ts',
  'src/imaging/formats/byte-reader.ts',
  'src/imaging/formats/given-files.ts',
  'src/imaging/formats/metaimage.ts',
  'src/imaging/formats/nrrd.ts',
  'src/imaging/formats/nrrd-space.ts',
  'src/imaging/formats/other-kinds.ts',
  'src/imaging/formats/raw-voxels.ts',
  'src/imaging/formats/scan-files.ts',
  'src/imaging/formats/scan-notes.ts',
  'src/imaging/formats/text-header.ts',
  'src/imaging/formats/unpack-stream.ts',
  'src/imaging/formats/encodings/',
  'src/imaging/formats/nifti/nifti-encode.ts',
  'src/imaging/formats/nifti/nifti-header.ts',
  'src/imaging/formats/nifti/nifti-read.ts',
  'src/imaging/formats/dicom/',
  'src/imaging/formats/segmentation/bit-frames.ts',
  'src/imaging/formats/segmentation/dicom-seg-data.ts',
  'src/imaging/formats/segmentation/dicom-seg-file.ts',
  'src/imaging/formats/segmentation/dicom-seg-texts.ts',
  'src/imaging/formats/segmentation/segment-codes.ts',
  'src/imaging/formats/segmentation/segment-lab.ts',
  'src/imaging/formats/segmentation/segments.ts',
  'src/imaging/dataset/channel-grid.ts',
  'src/imaging/preprocess/channel-look.ts',
  'src/imaging/preprocess/held-channel.ts',
  'src/imaging/preprocess/held-scan.ts',
  'src/imaging/preprocess/prepared-grid.ts',
  'src/imaging/preprocess/resample.ts',
  'src/imaging/preprocess/resample-labels.ts',
  'src/imaging/preprocess/resample-taps.ts',
  'src/imaging/check/intensity-counts.ts',
  'src/imaging/synthetic/phantom-anatomy.ts',
  'src/imaging/synthetic/phantom-slice.ts',
  'src/train/predict/blocks.ts',
  'src/train/predict/volume-parts.ts',
  'src/train/config/class-colors.ts',
  'src/train/record/hard-dice.ts',
  'src/train/record/safetensors-header.ts',
  'src/train/record/web-run.ts',
  'src/train/samples/interleaved.ts',
  'src/train/samples/slices.ts',

  'src/app/dicom-seg.ts',
  'src/app/given-labels.ts',
  'src/app/given-scan.ts',
  'src/app/learn.ts',
  'src/app/segment.ts',
];

/** Packages that pure files may load: they run everywhere. */
const purePackages = [
  'zod',
  'dicom-parser',
  '@cornerstonejs/codec-openjpeg/decodewasmjs',
  '@cornerstonejs/codec-charls/decodewasmjs',
];

/** Globals of Node.js that neither browsers nor workers have. */
const globals = ['process', 'Buffer', 'NodeJS', 'require', '__dirname', '__filename'];
const named = new RegExp(
  `(?<![\\w$'"]|(?<!\\bglobalThis\\??)\\.)(${globals.join('|')})\\b(?!\\s*\\??:|['"\\w$])`,
  'g',
);

const isPure = (file) =>
  !isTestFile(file) && pure.some((part) => (part.endsWith('/') ? file.startsWith(part) : file === part));
const lineAt = (text, position) => text.slice(0, position).split('\n').length;

/** Names that a file declares, imports or takes out of an object itself, such as a type `Buffer` of its own. */
function ownNames(code) {
  const declared = (name) => `\\b(?:interface|class|type|const|let|function)\\s+${name}\\b`;
  const imported = (name) => `\\bimport\\b[^;]*[{,\\s]${name}\\b[^;]*\\bfrom\\b`;
  const taken = (name) => `\\{(?:[^{}]*,)?\\s*${name}\\s*(?:,[^{}]*)?\\}\\s*[:=]`;
  return globals.filter((name) =>
    [declared, imported, taken].some((form) => new RegExp(form(name)).test(code)),
  );
}

/** What a pure file may not import, or null; `to` is the file of src/ that is meant, `loads` is false where nothing is run. */
function objection(specifier, to, loads) {
  if (specifier.startsWith('node:') || builtinModules.includes(specifier))
    return `${specifier}, which is of Node.js alone`;
  if (!loads) return null;
  if (to !== null) return isPure(to) ? null : `${to}, which is not pure`;
  if (purePackages.includes(specifier)) return null;
  return `the package ${specifier}, which is not among those that run everywhere`;
}

/**
 * `scanned`: path to text without comments and strings; `imports`: path to imports, whose `to` is the file of src/ that is meant, or
 * null. Returns one line for each thing that keeps a pure file from running everywhere.
 */
export function checkPure(scanned, imports) {
  const problems = [];
  for (const [file, { code }] of scanned) {
    if (!isPure(file)) continue;
    const own = ownNames(code);
    for (const { specifier, to, line, loads, typeOnly } of imports.get(file)) {
      const why = objection(specifier, to, loads && !typeOnly);
      if (why) problems.push(`${file}:${line} is pure and imports ${why}`);
    }
    for (const match of code.matchAll(named)) {
      if (own.includes(match[1])) continue;
      problems.push(
        `${file}:${lineAt(code, match.index)} is pure and uses ${match[1]}, which is of Node.js alone`,
      );
    }
  }
  return problems;
}
