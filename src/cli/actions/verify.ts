import path from 'node:path';
import { markdownTable } from '../../core/index.ts';
import {
  type CaseReport,
  type Finding,
  IGNORED,
  type VerifyReport,
  verifyDataset,
} from '../../imaging/index.ts';
import type { PatternFlags } from '../flags/flags.ts';
import { showProgress } from '../terminal/progress.ts';
import { Faulty } from '../terminal/report-error.ts';
import { say, sayJson } from '../terminal/say.ts';
import { relative } from '../terminal/words.ts';

/** Runs `halomesh verify`. */
export async function verifyAction(
  dir: string,
  { json, ...patterns }: PatternFlags & { readonly json?: boolean },
): Promise<void> {
  let progress: ReturnType<typeof showProgress> | undefined;
  const report = await verifyDataset(dir, {
    ...patterns,
    onCase: (id, done, all) => {
      progress ??= showProgress({ unit: 'case', total: all });
      progress.update(done, [id]);
    },
  }).finally(() => progress?.stop());
  if (json) sayJson(report);
  else say(formatVerify(report));
  if (report.faults > 0) {
    const { faults } = report;
    throw new Faulty(`${relative(dir)} has ${faults} ${faults === 1 ? 'fault' : 'faults'}`);
  }
}

/** A table of the cases, then every finding as a line. */
export function formatVerify(report: VerifyReport): string {
  const table = markdownTable(
    [
      { title: 'case' },
      { title: 'format' },
      { title: 'voxels (d x h x w)', right: true },
      { title: 'spacing, mm', right: true },
      { title: 'axes' },
      { title: 'values', right: true },
      { title: 'labels' },
      { title: 'result' },
    ],
    report.cases.map((found) => [
      found.kind === 'training' ? found.id : `${found.id} (${found.kind})`,
      found.format ?? '-',
      found.shape?.join(' x ') ?? '-',
      found.spacing?.map(short).join(' x ') ?? '-',
      found.orientation ?? '-',
      valuesOf(found),
      labelsOf(found, report),
      resultOf(found.findings),
    ]),
  );
  const all = [...report.findings, ...report.cases.flatMap(({ findings }) => findings)];
  const lines = (level: Finding['level']) =>
    all.filter((finding) => finding.level === level).map((finding) => `${level}: ${sentence(finding)}`);
  const counts = `${counted(report.cases.length, 'case')}, ${counted(report.faults, 'fault')}, ${counted(report.warnings, 'warning')}`;
  return [
    `${report.name}: ${counts}`,
    ...classLines(report),
    '',
    table,
    '',
    ...lines('fault'),
    ...lines('warning'),
  ]
    .join('\n')
    .trimEnd();
}

/** How many images belong to each class. */
export function classLines({ imageClasses }: Pick<VerifyReport, 'imageClasses'>): string[] {
  if (imageClasses === undefined) return [];
  const counts = Object.entries(imageClasses).map(([name, count]) => `${name} ${count}`);
  return [`images of each class: ${counts.join(', ')}`];
}

/** The range of values, of each channel where there are several. */
function valuesOf({ range, channels }: CaseReport): string {
  const text = (ends: CaseReport['range']): string => ends?.map(short).join(' to ') ?? '-';
  return channels?.map((one) => `${one.name} ${text(one.range)}`).join(', ') ?? text(range);
}

function labelsOf(
  { labels, kind, imageLabel }: CaseReport,
  { labelNames: names, labelCodes }: Pick<VerifyReport, 'labelNames' | 'labelCodes'>,
): string {
  if (imageLabel !== undefined && labels === undefined) return imageLabel;
  if (labels === undefined) return kind === 'training' ? '-' : '';
  return Object.keys(labels)
    .map((value) => {
      const cls = labelCodes?.classOf[value] ?? Number(value);
      return cls === IGNORED && labelCodes ? 'ignore' : (names?.[cls] ?? value);
    })
    .join(', ');
}

function resultOf(findings: readonly Finding[]): string {
  const faults = findings.filter(({ level }) => level === 'fault').length;
  if (faults > 0) return counted(faults, 'fault');
  return findings.length > 0 ? counted(findings.length, 'warning') : 'good';
}

function sentence({ file, field, expected, found, hint }: Finding): string {
  const where = file === undefined ? '' : `${relative(path.resolve(file))}: `;
  return `${where}${field}: expected ${expected}, found ${found}${hint === undefined ? '' : `. ${hint}`}`;
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const short = (value: number): string => String(+value.toPrecision(4));
