import type { Data } from '../../../sdk/index.ts';
import { experiments } from '../../../sdk/index.ts';
import { formatDay, formatNumber } from '../../parts/format.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import type { Experiment } from './verdict.ts';

type Day = Data<'GET /api/experiments/{id}/history'>['data'][number];
interface Point {
  at: string;
  low: number;
  high: number;
  value: number;
}

const height = 96;
const signed = (points: number) => `${points > 0 ? '+' : ''}${formatNumber(Number(points.toFixed(1)))}`;

/**
 * How the interval of each difference narrowed from day to day, across the line of no difference and the band in which none matters.
 * @param band - percentage points to either side of zero
 */
export function Narrowing({ of: { id, comparisons }, band }: { of: Experiment; band: number }) {
  const found = useStoreQuery(['experiments', id, 'history'], (api, signal) => experiments(api).history(id, { signal }), {
    enabled: comparisons.length > 0,
  });
  if (found.data === undefined) return null;
  const { data } = found.data;
  return comparisons.map(({ variant, against }) => {
    const points = pointsOf(data, variant);
    // One day is what the bar shows already.
    return points.length < 2 ? null : <Course key={variant} name={`${variant} against ${against}`} points={points} band={band} />;
  });
}

const pointsOf = (days: readonly Day[], variant: string): Point[] =>
  days.flatMap(({ at, comparisons }) => {
    const one = comparisons.find((comparison) => comparison.variant === variant);
    if (one === undefined || one.always_within === null || one.difference === null) return [];
    return [{ at, low: Math.max(-100, one.always_within.low), high: Math.min(100, one.always_within.high), value: one.difference }];
  });

function Course({ name, points, band }: { name: string; points: readonly Point[]; band: number }) {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return null;
  const [fromMs, untilMs] = [Date.parse(first.at), Date.parse(last.at)];
  const x = ({ at }: Point) => (100 * (Date.parse(at) - fromMs)) / Math.max(1, untilMs - fromMs);
  // The first days would press what matters flat: they are cut off at a few times where it stands now.
  const reach = Math.max(2 * band, 3 * Math.max(Math.abs(last.low), Math.abs(last.high)));
  const y = (value: number) => height / 2 - (height / 2) * (Math.max(-reach, Math.min(reach, value)) / reach);
  const path = (of: (point: Point) => number, all: readonly Point[]) => all.map((point) => `${x(point)} ${y(of(point))}`).join('L');
  const colour = last.low > 0 ? 'text-good' : last.high < 0 ? 'text-bad' : 'text-accent';
  return (
    <figure className="mt-3">
      <figcaption className="text-xs text-soft">
        {`How it narrowed, ${name}: from ${signed(first.low)} to ${signed(first.high)} points on ${formatDay(first.at)}, from ${signed(last.low)} to ${signed(last.high)} now.`}
      </figcaption>
      <svg
        viewBox={`0 0 100 ${height}`}
        preserveAspectRatio="none"
        className={`mt-1 block h-24 w-full rtl:-scale-x-100 ${colour}`}
        aria-hidden="true"
      >
        <rect x="0" width="100" y={y(band)} height={y(-band) - y(band)} className="fill-sunken" />
        {[-band, band].map((edge) => (
          <line
            key={edge}
            x1="0"
            x2="100"
            y1={y(edge)}
            y2={y(edge)}
            className="stroke-line-strong"
            strokeDasharray="3 3"
            vectorEffect="non-scaling-stroke"
          />
        ))}
        <path d={`M${path(({ high }) => high, points)}L${path(({ low }) => low, points.toReversed())}Z`} fill="currentColor" opacity="0.3" />
        <line x1="0" x2="100" y1={y(0)} y2={y(0)} className="stroke-ink" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
        <path d={`M${path(({ value }) => value, points)}`} fill="none" stroke="currentColor" strokeWidth="2" vectorEffect="non-scaling-stroke" />
      </svg>
      <div aria-hidden="true" className="flex justify-between text-2xs text-soft">
        <span>{formatDay(first.at)}</span>
        <span>{formatDay(last.at)}</span>
      </div>
    </figure>
  );
}
