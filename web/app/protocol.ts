import type { LearnedStep } from '../../src/app/learn.ts';
import type { FoundClass } from '../../src/app/segment.ts';
import type { PrepareOptions } from '../../src/imaging/volume/prepared-case.ts';
import type { OpenWebRun, WebRun } from '../../src/train/record/web-run.ts';

// What page and worker say to each other.

/** What a worker is asked for; it does one thing and is ended. `end`: to learn no more, and give what was learned. */
export type Asked =
  | { readonly kind: 'run'; readonly file: File }
  | { readonly kind: 'scan'; readonly files: ReadonlyMap<string, File>; readonly channels: readonly string[] }
  | ({ readonly kind: 'segment' } & SegmentRequest)
  | ({ readonly kind: 'learn' } & LearnRequest)
  | ({ readonly kind: 'dicom-seg' } & DicomSegRequest)
  | { readonly kind: 'end' };

export interface LearnRequest extends Kernels {
  /** The scan, of one channel. */
  readonly files: ReadonlyMap<string, File>;
  readonly truth: ReadonlyMap<string, File>;
  readonly prepare: PrepareOptions;
  readonly steps: number;
  readonly base: number;
  /** Of the classes above 0. */
  readonly names?: readonly string[];
  readonly augment: boolean;
}

export interface DicomSegRequest {
  readonly files: ReadonlyMap<string, File>;
  readonly run: WebRun;
  /** The segmentation. */
  readonly nifti: Uint8Array<ArrayBuffer>;
}

export interface SegmentRequest extends Kernels {
  readonly opened: OpenWebRun;
  readonly files: ReadonlyMap<string, File>;
}

/** What computes. */
export interface Kernels {
  /** Bytes that it may take. */
  readonly budget: number;
  readonly module: WebAssembly.Module;
  /** More than one take the module of threads. */
  readonly threads: number;
}

/** What is known of a scan. */
export interface ScanFacts {
  readonly name: string;
  readonly format: string;
  /** Depth, height, width. */
  readonly shape: readonly [number, number, number];
  /** mm, in this order. */
  readonly spacing: readonly number[];
  readonly notes: readonly string[];
}

export interface SegmentResult {
  /** A NIfTI file with the values of the classes. */
  readonly nifti: Uint8Array<ArrayBuffer>;
  readonly found: readonly FoundClass[];
  readonly passes: number;
  /** Of reading and preparing the scan, and of the network. */
  readonly seconds: { readonly scan: number; readonly network: number };
  /** The most that the kernels' memory was. */
  readonly moduleBytes: number;
}

export type Said =
  | { readonly kind: 'run'; readonly opened: OpenWebRun }
  | { readonly kind: 'scan'; readonly facts: ScanFacts; readonly nifti: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'pass'; readonly done: number; readonly all: number; readonly bytes: number }
  | { readonly kind: 'segmented'; readonly result: SegmentResult }
  | LearnedStep
  /** `file`: the bytes of the run. */
  | { readonly kind: 'learned'; readonly opened: OpenWebRun; readonly file: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'dicom-seg'; readonly pieces: readonly Uint8Array<ArrayBuffer>[] }
  | { readonly kind: 'error'; readonly message: string };

/** What is told while it works. */
export type News = Extract<Said, { kind: 'pass' | 'step' }>;

export type { WebRun };
