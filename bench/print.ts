import { arch, cpus, totalmem } from 'node:os';
import { type Figure, known, type Latency, type Measured, spreadOf, type Table } from './measure.ts';

/** What the figures were measured on, in one line. */
export function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? arch()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
}

const rounded = (n: number | null) => (n === null ? '–' : Math.abs(n) >= 100 ? n.toFixed(0) : Math.abs(n) >= 10 ? n.toFixed(1) : n.toFixed(2));

/** For people at a terminal. */
export function printText(name: string, { figures, latencies = [], tables = [], notes = [] }: Measured): void {
  console.log(`── ${name}`);
  for (const f of figures) {
    const verdict = f.met === null ? '      ' : f.met ? 'met   ' : 'missed';
    const beside = f.ratio === null ? '' : `  floor ${rounded(f.floor)}  ratio ${f.ratio.toFixed(2)}`;
    console.log(`${verdict}  ${f.name.padEnd(30)} ${rounded(f.value)} ${f.unit}${beside}${f.budget === null ? '' : `  (${f.budget})`}`);
  }
  for (const table of [...(latencies.length > 0 ? [latencyTable(latencies)] : []), ...tables]) {
    console.log(`\n        ${table.title}`);
    const rows = [table.columns, ...table.rows.map((row) => row.map(cell))];
    const widths = table.columns.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
    for (const row of rows) console.log(`        ${row.map((text, i) => pad(text, widths[i] ?? 0, i > 0)).join('  ')}`);
  }
  for (const note of notes) console.log(`        ${note}`);
  console.log();
}

/** For docs/performance.md. */
export function printMarkdown(name: string, { figures, latencies = [], tables = [], notes = [] }: Measured): void {
  const figureTable: Table = {
    title: `Figures: ${name}`,
    columns: ['Figure', 'Value', 'Floor', 'Ratio', 'Budget', ''],
    rows: figures.map((f) => [
      `\`${f.name}\``,
      `${rounded(f.value)} ${f.unit}`,
      f.floor === null ? '–' : rounded(f.floor),
      f.ratio === null ? '–' : f.ratio.toFixed(2),
      f.budget ?? '–',
      f.met === null ? '' : f.met ? 'met' : '**missed**',
    ]),
  };
  for (const table of [...(figures.length > 0 ? [figureTable] : []), ...(latencies.length > 0 ? [latencyTable(latencies)] : []), ...tables]) {
    console.log(`${table.title}\n`);
    console.log(`| ${table.columns.join(' | ')} |\n|${table.columns.map(() => '---').join('|')}|`);
    for (const row of table.rows) console.log(`| ${row.map(cell).join(' | ')} |`);
    console.log();
  }
  for (const note of notes) console.log(`${note}\n`);
}

/** Every figure, latencies as three figures each: for programs. */
export function figuresOf(measured: readonly Measured[]): Figure[] {
  return measured.flatMap(({ figures, latencies = [] }) => [
    ...figures,
    ...latencies.flatMap(({ name, valuesMs, floorMs }) => {
      const [value, floor] = [spreadOf(valuesMs), floorMs === null ? null : spreadOf(floorMs)];
      return (['p50', 'p99', 'p999'] as const)
        .filter((q) => !figures.some((f) => f.name === `${name}_${q}`))
        .map((q) => known(`${name}_${q}`, value[q], 'ms', floor?.[q] ?? null));
    }),
  ]);
}

function latencyTable(latencies: readonly Latency[]): Table {
  return {
    title: 'Latencies in ms (floor in brackets)',
    columns: ['What', 'n', 'p50', 'p99', 'p99.9', 'Histogram'],
    rows: latencies.map(({ name, valuesMs, floorMs }) => {
      const [value, floor] = [spreadOf(valuesMs), floorMs === null ? null : spreadOf(floorMs)];
      const beside = (q: keyof typeof value) => `${rounded(value[q])}${floor === null ? '' : ` (${rounded(floor[q])})`}`;
      return [name, valuesMs.length, beside('p50'), beside('p99'), beside('p999'), histogram(valuesMs)];
    }),
  };
}

const bars = ' ▁▂▃▄▅▆▇█';
/** From the shortest to the longest in steps of √2; the height of a bar is the share of values, any value shows. */
export function histogram(valuesMs: readonly number[]): string {
  const least = Math.max(0.1, Math.min(...valuesMs));
  const bucketOf = (ms: number) => Math.max(0, Math.floor(Math.log2(Math.max(ms, least) / least) * 2));
  const counts = new Map<number, number>();
  for (const ms of valuesMs) counts.set(bucketOf(ms), (counts.get(bucketOf(ms)) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const drawn = Array.from({ length: Math.max(...counts.keys()) + 1 }, (_, i) => bars[Math.ceil(((counts.get(i) ?? 0) / most) * 8)] ?? ' ');
  return `${rounded(Math.min(...valuesMs))} ${drawn.join('')} ${rounded(Math.max(...valuesMs))}`;
}

const cell = (value: string | number): string => (typeof value === 'string' ? value : Number.isInteger(value) ? String(value) : rounded(value));
const pad = (text: string, width: number, left: boolean) => {
  const spaces = ' '.repeat(Math.max(0, width - text.length));
  return left ? `${spaces}${text}` : `${text}${spaces}`;
};
