import OpenSeadragon from 'openseadragon';
import type { ShownFile, ShownSlide } from '../../../src/view/protocol.ts';
import type { Overlays } from '../controls.ts';
import { byId, tell } from '../dom.ts';
import { colorOf, type Layer } from '../viewer.ts';
import { type LabelStyle, LabelTiles } from './label-tiles.ts';
import { showScale } from './scale-bar.ts';
import { slideOf, tileOf } from './slide-data.ts';

/** Where somebody points at on a slide. */
export interface SlidePlace {
  /** Of the largest level, from its first pixel. */
  readonly pixel: readonly [x: number, y: number];
  /** From the corner of the first pixel, where the slide says how large they are. */
  readonly microns?: readonly [x: number, y: number];
  /** Of each layer; undefined where its labels have not come yet. */
  readonly classes: readonly (number | undefined)[];
}

/** Draws a tile; `level`: counted from the largest. */
type DrawTile = (level: number, column: number, row: number) => Promise<CanvasRenderingContext2D>;

interface ShownLayer {
  readonly kind: 0 | 1;
  readonly tiles: LabelTiles;
  readonly image: OpenSeadragon.TiledImage;
}

/** A slide with label maps over it. */
export class SlideViewer implements Overlays {
  private readonly onPlace: (place: SlidePlace) => void;
  private osd: OpenSeadragon.Viewer | undefined;
  private slide: ShownSlide | undefined;
  private image: OpenSeadragon.TiledImage | undefined;
  private layers: readonly ShownLayer[] = [];
  private hidden: ReadonlySet<number> = new Set();
  private classes = 2;
  private outlines = false;
  /** What is being shown: of two cases that are asked for, the later one counts. */
  private turn = 0;
  /** Tiles of labels are asked for anew whenever they are drawn otherwise. */
  private drawing = 0;

  constructor(onPlace: (place: SlidePlace) => void) {
    this.onPlace = onPlace;
  }

  /** Shows a slide in place of that before, with label maps that are clear until they are given an opacity, and gives what is known of it. Undefined where another case was asked for meanwhile. */
  async show(slide: ShownFile, layers: readonly Layer[], classes: number): Promise<ShownSlide | undefined> {
    const turn = ++this.turn;
    const [shown, ...labels] = await Promise.all([slide, ...layers.map(({ file }) => file)].map(slideOf));
    if (turn !== this.turn) return undefined;
    this.osd ??= this.start();
    const { osd } = this;
    osd.world.removeAll();
    [this.slide, this.classes, this.hidden, this.outlines] = [shown, classes, new Set(), false];
    this.layers = [];
    this.image = await this.add(shown, picturesOf(slide));
    const all: ShownLayer[] = [];
    for (const [n, { file, kind }] of layers.entries()) {
      const tiles = new LabelTiles(file, labels[n]);
      const draw: DrawTile = (level, column, row) => tiles.draw(level, column, row, this.styleOf(kind));
      all.push({ kind, tiles, image: await this.add(labels[n], draw, true) });
    }
    if (turn !== this.turn) return undefined;
    this.layers = all;
    osd.viewport.goHome(true);
    return shown;
  }

  /** Resolves when all that is in sight has come; false where another case was asked for meanwhile. */
  async loaded(): Promise<boolean> {
    const { turn, image } = this;
    if (image !== undefined) await fullyLoaded(image);
    return turn === this.turn;
  }

  /** Another case, which is no slide, takes its place. */
  leave(): void {
    this.turn++;
    this.osd?.world.removeAll();
    showScale(undefined);
  }

  setOpacity(layer: number, opacity: number): void {
    this.layers[layer]?.image.setOpacity(opacity);
  }

  setHidden(hidden: ReadonlySet<number>, classes: number): void {
    [this.hidden, this.classes] = [new Set(hidden), classes];
    this.redraw();
  }

  setOutlines(on: boolean): void {
    if (on === this.outlines) return;
    this.outlines = on;
    this.redraw();
  }

  private redraw(): void {
    this.drawing++;
    for (const { image } of this.layers) image.reset();
  }

  private styleOf(kind: 0 | 1): LabelStyle {
    const colors = Array.from({ length: 256 }, (_, label) => {
      const color = label === 0 ? '#000000' : colorOf(label, kind);
      const part = (n: number): number => Number.parseInt(color.slice(1 + 2 * n, 3 + 2 * n), 16);
      const shown = label > 0 && label < Math.max(2, this.classes) && !this.hidden.has(label);
      return [part(0), part(1), part(2), shown ? 255 : 0] as const;
    });
    return { colors, outlines: this.outlines };
  }

  private start(): OpenSeadragon.Viewer {
    const element = byId('slide');
    const osd = new OpenSeadragon.Viewer({
      ...{ element, drawer: 'canvas', showNavigationControl: false, showNavigator: true },
      ...{ navigatorPosition: 'TOP_RIGHT', navigatorSizeRatio: 0.15, navigatorAutoFade: false },
      ...{ maxZoomPixelRatio: 16, animationTime: 0.4, visibilityRatio: 0.3, silenceMultiImageWarnings: true },
      // No seams between tiles that are seen through.
      subPixelRoundingForTransparency: { '*': OpenSeadragon.SUBPIXEL_ROUNDING_OCCURRENCES.ALWAYS },
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    });
    osd.addHandler('tile-load-failed', ({ message }) => tell(message, true));
    for (const event of ['zoom', 'resize', 'open', 'animation'] as const)
      osd.addHandler(event, () => this.zoomed());
    // OpenSeadragon takes these events for itself.
    const point = ({ clientX, clientY, target }: PointerEvent): void => {
      if ((target as Element).closest('.navigator') !== null) return;
      const { left, top } = element.getBoundingClientRect();
      this.pointAt(clientX - left, clientY - top);
    };
    element.addEventListener('pointermove', point, { capture: true });
    return osd;
  }

  private zoomed(): void {
    const image = this.osd?.world.getItemAt(0);
    if (image === undefined || this.slide === undefined) return;
    const { lowest, microns } = this.slide;
    const zoom = image.viewportToImageZoom(this.osd!.viewport.getZoom(true));
    // Pixels that are larger than those of the screen are shown as they are.
    this.osd!.drawer.setImageSmoothingEnabled(zoom < 1.5);
    showScale(microns && (microns.column * 2 ** lowest) / zoom);
  }

  private pointAt(x: number, y: number): void {
    const image = this.osd?.world.getItemAt(0);
    if (image === undefined || this.slide === undefined) return;
    const { lowest, levels, microns } = this.slide;
    const [{ height, width }] = levels;
    const at = this.osd!.viewport.pointFromPixel(new OpenSeadragon.Point(x, y), true);
    const { x: across, y: down } = image.viewportToImageCoordinates(at);
    const pixel = [across * 2 ** lowest, down * 2 ** lowest] as const;
    if (!(pixel[0] >= 0 && pixel[1] >= 0 && pixel[0] < width && pixel[1] < height)) return;
    this.onPlace({
      pixel: [Math.floor(pixel[0]), Math.floor(pixel[1])],
      ...(microns && { microns: [pixel[0] * microns.column, pixel[1] * microns.row] }),
      classes: this.layers.map(({ tiles }) => {
        const [own] = tiles.shown.levels;
        return tiles.classAt((pixel[0] / width) * own.width, (pixel[1] / height) * own.height);
      }),
    });
  }

  /** Adds a slide or a label map above those before, as wide as the slide. */
  private add(shown: ShownSlide, draw: DrawTile, labels = false): Promise<OpenSeadragon.TiledImage> {
    const tileSource = this.tilesOf(shown, draw, labels);
    return new Promise((resolve, reject) => {
      this.osd!.addTiledImage({
        ...{ tileSource, x: 0, y: 0, width: 1, opacity: labels ? 0 : 1 },
        success: (event: Event) => resolve((event as unknown as { item: OpenSeadragon.TiledImage }).item),
        error: reject,
      });
    });
  }

  private tilesOf(
    { levels, lowest, tile }: ShownSlide,
    draw: DrawTile,
    labels: boolean,
  ): OpenSeadragon.TileSource {
    const { height, width } = levels[lowest];
    // Levels are counted from the smallest here.
    const last = levels.length - 1;
    const source = new OpenSeadragon.TileSource({
      ...{ width, height, tileSize: tile, tileOverlap: 0, minLevel: 0, maxLevel: last - lowest },
    });
    const number = sources++;
    return Object.assign(source, {
      getTileUrl: (level: number, x: number, y: number): string =>
        `${number}/${last - level}/${x}/${y}/${labels ? this.drawing : 0}`,
      hasTransparency: () => labels,
      downloadTileStart(job: OpenSeadragon.ImageJob): void {
        const [, level, x, y] = job.src.split('/').map(Number);
        draw(level, x, y).then(
          (context) => job.finish(context, null as never, 'context2d'),
          (error: Error) => job.fail(error.message, null as never),
        );
      },
      // What nobody waits for any more comes to nothing.
      downloadTileAbort(): void {},
    });
  }
}

/** Numbers of what has tiles, so that those of one are not taken for those of another. */
let sources = 0;

function picturesOf(slide: ShownFile): DrawTile {
  return async (level, column, row) => {
    const bitmap = await createImageBitmap(await tileOf(slide, level, column, row));
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    const context = canvas.getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return context;
  };
}

/** Resolves when all that is in sight has come. */
function fullyLoaded(image: OpenSeadragon.TiledImage): Promise<void> {
  if (image.getFullyLoaded()) return Promise.resolve();
  return new Promise((resolve) => {
    image.addHandler('fully-loaded-change', ({ fullyLoaded }) => {
      if (fullyLoaded) resolve();
    });
  });
}
