import { fail } from '../core/index.ts';
import type { LabelCodes } from '../imaging/index.ts';
import { isLabelsOf, type KnownCase } from './known-case.ts';
import { codesOfSegmentations } from './names.ts';
import type { ShownCase, ShownFile } from './protocol.ts';
import type { ShownFiles } from './shown-files.ts';
import type { Slides } from './slides/slides.ts';

/** Names the files of cases to the page: those of volumes as volumes, those of slides as tiles. Each has one number, however often it is asked for. */
export class CaseFiles {
  private readonly files: ShownFiles;
  private readonly slides: Slides;
  /** Of labels 0, 1, 2..., as they are known by then. */
  private readonly names: () => readonly string[];
  private readonly known = new Map<string, ShownFile>();

  constructor(files: ShownFiles, slides: Slides, names: () => readonly string[]) {
    [this.files, this.slides, this.names] = [files, slides, names];
  }

  shown(one: KnownCase): ShownCase {
    const { id, kind, images, truth, codes, results } = one;
    const slide = this.slideOf(one);
    return {
      ...{ id, kind },
      ...(slide && { slide }),
      images: slide
        ? []
        : images.map((image) =>
            this.once(`${image.file} ${image.volume ?? ''}`, () => this.files.scan(image)),
          ),
      truth: truth === undefined ? undefined : this.labels(one, truth, codes),
      results: results.map(({ file: _, ...rest }) => rest),
    };
  }

  /** A segmentation of a case. Throws HalomeshError where it is none of such a case. */
  segmentation(one: KnownCase, file: string): ShownFile {
    if (!isLabelsOf(one, file))
      fail({
        where: file,
        problem: `is no label map of ${one.slide ? 'a slide' : 'a volume'}`,
        expected: one.slide ? 'a picture (TIFF, PNG) or outlines (GeoJSON)' : 'a file of a volume',
      });
    return this.labels(one, file, codesOfSegmentations(one.codes));
  }

  private labels(one: KnownCase, file: string, codes: LabelCodes | undefined): ShownFile {
    return this.once(`${file} labels of ${one.id}`, () =>
      one.slide
        ? this.slides.labels(file, { codes, names: this.names, slide: () => this.slideOf(one) })
        : this.files.labels(file, codes),
    );
  }

  private slideOf({ slide, images }: KnownCase): ShownFile | undefined {
    if (!slide || images.length === 0) return undefined;
    return this.once(`${images[0].file} slide`, () => this.slides.slide(images));
  }

  private once(key: string, add: () => ShownFile): ShownFile {
    const before = this.known.get(key);
    if (before !== undefined) return before;
    const added = add();
    this.known.set(key, added);
    return added;
  }
}
