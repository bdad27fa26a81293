import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { LabelCodes } from '../../imaging/index.ts';
import type { OpenedFiles } from '../opened-files.ts';
import type { ShownFile, ShownSlide } from '../protocol.ts';
import type { StreamedScan } from '../scan-stream.ts';
import { encodePng } from './png.ts';
import { Pyramid, TILE } from './pyramid.ts';
import { openSlide, openSlideLabels, type SlideSource } from './slide-source.ts';

const pack = promisify(gzip);

/** Slides and label maps that are open at a time: each holds some of its tiles. */
const MOST_OPEN = 8;
/** Pixels around a tile of labels, with which the page tells where outlines run. */
export const MARGIN = 3;

/** A tile as it is sent: a picture as PNG; of a label map its classes, packed by gzip, with some of its neighbours' around it. */
export interface SentTile {
  readonly type: 'image/png' | 'application/gzip';
  readonly bytes: Buffer;
}

/** How a slide or a label map is opened. */
interface Known {
  readonly name: string;
  readonly open: () => Promise<SlideSource>;
  /** For tiles that are made. */
  readonly folder: string;
}

/**
 * The slides and their label maps that a page may ask tiles of, known to it by numbers that say nothing of their paths. They are opened when
 * they are asked for, and only a few at a time.
 */
export class Slides {
  private readonly opened: OpenedFiles;
  private readonly folder: string;
  private readonly known = new Map<string, Known>();
  private readonly open = new Map<string, Promise<Pyramid>>();

  /** `folder`: for tiles that are made. */
  constructor(opened: OpenedFiles, folder: string) {
    [this.opened, this.folder] = [opened, folder];
  }

  /** The image of a slide: its channels. */
  slide(images: readonly StreamedScan[]): ShownFile {
    return this.add(images[0].file, () => openSlide(images, this.checked));
  }

  /** A label map of a slide, with the meaning of its values; `names`: of its classes, by which outlines are known. */
  labels(
    file: string,
    of: {
      readonly codes?: LabelCodes;
      readonly names: () => readonly string[];
      readonly slide: () => ShownFile | undefined;
    },
  ): ShownFile {
    return this.add(file, async () => {
      const slide = of.slide();
      const pyramid = slide && (await this.pyramid(idOf(slide)));
      // Of a store the labels lie on other pixels.
      const onto = pyramid?.source.ofPicture ? pyramid.levels[0] : undefined;
      return openSlideLabels(file, { codes: of.codes, names: of.names(), onto }, this.checked);
    });
  }

  /** What the page is told of a slide; undefined where no slide has this number. Throws HalomeshError where it cannot be read. */
  async shown(id: string): Promise<ShownSlide | undefined> {
    const pyramid = await this.pyramid(id);
    if (pyramid === undefined) return undefined;
    const { levels, source } = pyramid;
    const { channels, labels, microns, notes } = source;
    return {
      ...{ levels, lowest: 0, tile: TILE, channels, notes },
      ...(labels && { margin: MARGIN }),
      ...(microns && { microns }),
    };
  }

  /** A tile; undefined where there is none. Throws HalomeshError where it cannot be read. */
  async tile(id: string, level: number, column: number, row: number): Promise<SentTile | undefined> {
    const pyramid = await this.pyramid(id);
    if (pyramid?.boxOf(level, column, row) === undefined) return undefined;
    const { channels, labels } = pyramid.source;
    if (!labels) {
      const { samples, ...size } = await pyramid.tile(level, column, row);
      return { type: 'image/png', bytes: await encodePng(samples, { ...size, channels }) };
    }
    const { samples } = await pyramid.tileWithMargin(level, column, row, MARGIN);
    return { type: 'application/gzip', bytes: await pack(samples, { level: 1 }) };
  }

  private readonly checked = (file: string): Promise<string> => this.opened.checked(file);

  private add(file: string, open: Known['open']): ShownFile {
    const id = randomUUID();
    const name = path.basename(file);
    this.known.set(id, { name, open, folder: path.join(this.folder, `tiles-${id}`) });
    return { url: `slides/${id}`, name };
  }

  /** What fails is tried anew the next time. */
  private pyramid(id: string): Promise<Pyramid | undefined> {
    const known = this.known.get(id);
    if (known === undefined) return Promise.resolve(undefined);
    const before = this.open.get(id);
    // A map runs in the order of insertion: the first is the one unused for longest.
    this.open.delete(id);
    const pyramid = before ?? known.open().then((source) => new Pyramid(source, known.folder));
    this.open.set(id, pyramid);
    pyramid.catch(() => this.open.delete(id));
    for (const other of this.open.keys()) {
      if (this.open.size <= MOST_OPEN || other === id) break;
      this.open.delete(other);
      rmSync(this.known.get(other)!.folder, { recursive: true, force: true });
    }
    return pyramid;
  }
}

/** The number of a slide. */
export const idOf = ({ url }: ShownFile): string => url.split('/')[1];
