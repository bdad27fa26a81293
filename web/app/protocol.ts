import type { FoundClass } from '../../src/app/segment.ts';
import type { OpenWebRun, WebRun } from '../../src/exchange/web/web-run.ts';

// What page and worker say to each other.

/** What a worker is asked for; it does one thing and is ended. */
export type Asked =
  | { readonly kind: 'run'; readonly file: File }
  | { readonly kind: 'scan'; readonly files: ReadonlyMap<string, File>; readonly channels: readonly string[] }
  | ({ readonly kind: 'segment' } & SegmentRequest);

export interface SegmentRequest {
  readonly opened: OpenWebRun;
  readonly files: ReadonlyMap<string, File>;
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
  | { readonly kind: 'error'; readonly message: string };

export type { WebRun };
