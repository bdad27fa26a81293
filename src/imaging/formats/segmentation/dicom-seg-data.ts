import type { Grid } from '../../volume/volume.ts';
import { spacingOf } from '../../volume/volume.ts';
import { type DataSet, decimals, type Element, type VR } from '../dicom/dicom-encode.ts';
import type { SeriesStack } from '../dicom/dicom-series.ts';
import { characterSet, encodeText } from './dicom-seg-texts.ts';
import { type Code, codesOf } from './segment-codes.ts';
import { labOf } from './segment-lab.ts';
import { type Segment, segmentColor } from './segments.ts';

// The data set of a segmentation of DICOM (PS3.3, A.51 and A.90; its modules are named below), but for its pixels.

/** A segmentation of DICOM: `dicom-seg` has a frame of bits for each segment and slice, `dicom-labelmap` one of labels for each slice. */
export interface DicomSegFile {
  readonly kind: 'dicom-seg' | 'dicom-labelmap';
  readonly grid: Grid;
  readonly segments: readonly Segment[];
  readonly series: SeriesStack;
  /** The time that it was made, in UTC, where all shall be the same each time; else it is now, here. */
  readonly date?: Date;
}

/** A frame: of which slice of the series, and, one of bits, of which segment, counted from 1. */
export interface SegFrame {
  readonly slice: number;
  readonly segment?: number;
}

/** Frames in their order, and their pixels in pieces of an even number of bytes together. */
export interface SegPixels {
  readonly frames: readonly SegFrame[];
  readonly pixels: readonly Uint8Array[];
}

/** New UIDs. */
export interface Identifiers {
  readonly series: string;
  readonly instance: string;
  readonly dimensions: string;
  /** Of the space that the slices lie in, where these name none. */
  readonly frameOfReference: string;
}

/** The SOP class: Segmentation Storage, or Label Map Segmentation Storage. */
export const segClass = (kind: DicomSegFile['kind']): string =>
  kind === 'dicom-seg' ? '1.2.840.10008.5.1.4.1.1.66.4' : '1.2.840.10008.5.1.4.1.1.66.7';

const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning });
const segmentation = dcm('113076', 'Segmentation');
const sourceImage = dcm('121322', 'Source image for image processing operation');

type Copied = readonly [tag: number, vr: VR, needed?: 'needed'];

/** Attributes of patient and study that are copied from the series; those that must be there, though empty, are marked. */
const copied: readonly Copied[] = [
  [0x00080020, 'DA', 'needed'],
  [0x00080030, 'TM', 'needed'],
  [0x00080050, 'SH', 'needed'],
  [0x00080090, 'PN', 'needed'],
  [0x00081030, 'LO'],
  [0x00100010, 'PN', 'needed'],
  [0x00100020, 'LO', 'needed'],
  [0x00100030, 'DA', 'needed'],
  [0x00100040, 'CS', 'needed'],
  [0x00101010, 'AS'],
  [0x00101020, 'DS'],
  [0x00101030, 'DS'],
  [0x0020000d, 'UI'],
  [0x00200010, 'SH', 'needed'],
  [0x00201040, 'LO', 'needed'],
];

export function segDataSet(
  seg: DicomSegFile,
  frames: readonly SegFrame[],
  ids: Identifiers,
  { day, time }: { readonly day: string; readonly time: string },
): DataSet {
  const { kind, grid, series } = seg;
  const source = series.first.data;
  const [, rows, columns] = grid.shape;
  const isBits = kind === 'dicom-seg';
  const bits = isBits ? 1 : 8;
  const lossy = source.text('x00282110') === '01';
  const number = source.decimal('x00200011');
  const seriesNumber =
    number !== undefined && Number.isInteger(number) && Math.abs(number) < 1e6 ? number : 0;
  return [
    ...copiesOf(source, copied),
    // SOP Common, General Series, General Equipment, Enhanced General Equipment, Frame of Reference
    [0x00080005, 'CS', characterSet(seg.series)],
    [0x00080012, 'DA', day],
    [0x00080013, 'TM', time],
    [0x00080016, 'UI', segClass(kind)],
    [0x00080018, 'UI', ids.instance],
    [0x00080021, 'DA', day],
    [0x00080031, 'TM', time],
    [0x00080060, 'CS', 'SEG'],
    [0x00080070, 'LO', 'halomesh'],
    [0x0008103e, 'LO', 'Segmentation by halomesh'],
    [0x00081090, 'LO', 'halomesh'],
    [0x00181000, 'LO', '1'],
    [0x00181020, 'LO', 'halomesh'],
    [0x0020000e, 'UI', ids.series],
    [0x00200011, 'IS', `${1000 + seriesNumber}`],
    [0x00200013, 'IS', '1'],
    [0x00200052, 'UI', source.text('x00200052') || ids.frameOfReference],
    // Common Instance Reference
    [
      0x00081115,
      'SQ',
      [
        [
          [0x0008114a, 'SQ', referencedInstances(series)],
          [0x0020000e, 'UI', source.text('x0020000e')],
        ],
      ],
    ],
    // Image Pixel, Segmentation Image
    [0x00080008, 'CS', 'DERIVED\\PRIMARY'],
    [0x00080023, 'DA', day],
    [0x00080033, 'TM', time],
    [0x00280002, 'US', [1]],
    [0x00280004, 'CS', 'MONOCHROME2'],
    [0x00280008, 'IS', `${frames.length}`],
    [0x00280010, 'US', [rows]],
    [0x00280011, 'US', [columns]],
    [0x00280100, 'US', [bits]],
    [0x00280101, 'US', [bits]],
    [0x00280102, 'US', [bits - 1]],
    [0x00280103, 'US', [0]],
    ...(isBits ? [] : ([[0x00280120, 'US', [0]]] satisfies Element[])),
    [0x00282110, 'CS', lossy ? '01' : '00'],
    ...(lossy ? copiesOf(source, ofLossy) : []),
    [0x00620001, 'CS', isBits ? 'BINARY' : 'LABELMAP'],
    [
      0x00620002,
      'SQ',
      seg.segments.map((segment, n) => segmentItem(segment, isBits ? n + 1 : segment.value, seg)),
    ],
    [0x00620013, 'CS', 'NO'],
    [0x00700080, 'CS', 'SEGMENTATION'],
    [0x00700081, 'LO', 'Segmentation by a network'],
    [0x00700084, 'PN', ''],
    // Multi-frame Dimension, Multi-frame Functional Groups
    [0x00209221, 'SQ', [[[0x00209164, 'UI', ids.dimensions]]]],
    [0x00209222, 'SQ', dimensionItems(isBits, ids.dimensions)],
    [0x52009229, 'SQ', [sharedGroups(seg)]],
    [0x52009230, 'SQ', frames.map((frame) => frameGroups(frame, series))],
  ];
}

/** How much was lost in the slices, and by what. */
const ofLossy: readonly Copied[] = [
  [0x00282112, 'DS'],
  [0x00282114, 'CS'],
];

function copiesOf(source: SeriesStack['first']['data'], attributes: readonly Copied[]): Element[] {
  return attributes.flatMap(([tag, vr, needed]): Element[] => {
    const value = source.raw(`x${tag.toString(16).padStart(8, '0')}`);
    return value === undefined ? (needed ? [[tag, vr, '']] : []) : [[tag, vr, value]];
  });
}

const codeItem = ({ value, scheme, meaning }: Code): DataSet => [
  [0x00080100, 'SH', value],
  [0x00080102, 'SH', scheme],
  [0x00080104, 'LO', meaning],
];

function referencedInstances({ ordered }: SeriesStack): readonly DataSet[] {
  const classes = new Map(ordered.map(({ sopInstance, sopClass }) => [sopInstance, sopClass]));
  return [...classes].map(([instance, sopClass]) => [
    [0x00081150, 'UI', sopClass],
    [0x00081155, 'UI', instance],
  ]);
}

function segmentItem(segment: Segment, number: number, seg: DicomSegFile): DataSet {
  const { category, type, side } = codesOf(segment.name);
  const set = characterSet(seg.series);
  const text = (value: string) => encodeText(value, set) ?? value;
  const typeItem: DataSet = [
    [0x00080100, 'SH', type.value],
    [0x00080102, 'SH', type.scheme],
    [0x00080104, 'LO', text(type.meaning)],
    ...(side === undefined ? [] : ([[0x00620011, 'SQ', [codeItem(side)]]] satisfies Element[])),
  ];
  return [
    [0x00620003, 'SQ', [codeItem(category)]],
    [0x00620004, 'US', [number]],
    [0x00620005, 'LO', text(segment.name)],
    [0x00620008, 'CS', 'AUTOMATIC'],
    [0x00620009, 'LO', 'halomesh'],
    [0x0062000d, 'US', labOf(segmentColor(segment.value))],
    [0x0062000f, 'SQ', [typeItem]],
  ];
}

/** The dimensions that frames are counted by: segment and position, or position alone. */
function dimensionItems(isBits: boolean, uid: string): readonly DataSet[] {
  const item = (pointer: number, group: number): DataSet => [
    [0x00209164, 'UI', uid],
    [0x00209165, 'AT', [pointer]],
    [0x00209167, 'AT', [group]],
  ];
  const position = item(0x00200032, 0x00209113);
  return isBits ? [item(0x0062000b, 0x0062000a), position] : [position];
}

/** What all frames share: orientation, spacing, thickness. */
function sharedGroups({ series, grid }: DicomSegFile): DataSet {
  const { alongRow, alongColumn, rowSpacing, columnSpacing } = series.ordered[0];
  const [between] = spacingOf(grid);
  return [
    [
      0x00289110,
      'SQ',
      [
        [
          [0x00180050, 'DS', decimals([between])],
          [0x00180088, 'DS', decimals([between])],
          [0x00280030, 'DS', decimals([rowSpacing, columnSpacing])],
        ],
      ],
    ],
    [0x00209116, 'SQ', [[[0x00200037, 'DS', decimals([...alongRow, ...alongColumn])]]]],
  ];
}

/** What one frame says: the slice that it comes from, its place, its segment. */
function frameGroups({ slice, segment }: SegFrame, { ordered }: SeriesStack): DataSet {
  const { sopClass, sopInstance, frame, position } = ordered[slice];
  const source: DataSet = [
    [0x00081150, 'UI', sopClass],
    [0x00081155, 'UI', sopInstance],
    ...(frame === undefined ? [] : ([[0x00081160, 'IS', `${frame}`]] satisfies Element[])),
    [0x0028135a, 'CS', 'YES'],
    [0x0040a170, 'SQ', [codeItem(sourceImage)]],
  ];
  const index = segment === undefined ? [slice + 1] : [segment, slice + 1];
  return [
    [
      0x00089124,
      'SQ',
      [
        [
          [0x00082112, 'SQ', [source]],
          [0x00089215, 'SQ', [codeItem(segmentation)]],
        ],
      ],
    ],
    [0x00209111, 'SQ', [[[0x00209157, 'UL', index]]]],
    [0x00209113, 'SQ', [[[0x00200032, 'DS', decimals(position)]]]],
    ...(segment === undefined
      ? []
      : ([[0x0062000a, 'SQ', [[[0x0062000b, 'US', [segment]]]]]] satisfies Element[])),
  ];
}
