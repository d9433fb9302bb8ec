import { formatNumber } from '../../parts/format.ts';
import { type Experiment, inPoints, isIndifferent, withinOf } from './verdict.ts';

const rounds = [0.5, 1, 2, 5, 10, 20, 50, 100];
const signed = (points: number) => `${points > 0 ? '+' : ''}${formatNumber(Number(points.toFixed(1)))}`;

/**
 * Each other variant beside the first: a bar for where the difference lies, across the line of no difference and the band in which none matters.
 * @param band - percentage points to either side of zero
 */
export function IntervalPicture({ of: { comparisons }, band }: { of: Experiment; band: number }) {
  const shown = comparisons.flatMap((one) => {
    const within = withinOf(one);
    return within === null ? [] : [{ ...one, within }];
  });
  if (shown.length === 0) return null;
  const furthest = Math.max(1.2 * band, ...shown.flatMap(({ within }) => [Math.abs(within.low), Math.abs(within.high)]));
  const reach = rounds.find((round) => round >= furthest) ?? 100;
  const at = (points: number) => 50 + (50 * Math.max(-reach, Math.min(reach, points))) / reach;
  const ticks = [-reach, -reach / 2, 0, reach / 2, reach];
  return (
    <figure className="space-y-1">
      {shown.map((one) => {
        const { variant, against, within, difference } = one;
        const [low, high] = [at(within.low), at(within.high)];
        const colour = within.low > 0 ? 'text-good' : within.high < 0 ? 'text-bad' : isIndifferent(one, band) ? 'text-soft' : 'text-accent';
        return (
          <div key={variant} className="grid items-center gap-x-4 gap-y-0.5 sm:grid-cols-[9rem_minmax(0,1fr)_9.5rem]">
            <span className="text-[0.8125rem]">
              <span className="font-medium">{variant}</span> <span className="text-soft">against {against}</span>
            </span>
            {/* Less is left and more is right, whichever way the page runs. */}
            <svg viewBox="0 0 100 44" preserveAspectRatio="none" className={`order-2 block h-11 w-full sm:order-none ${colour}`} aria-hidden="true">
              <rect x={at(-band)} width={at(band) - at(-band)} y="0" height="44" className="fill-sunken" />
              {[-band, band].map((edge) => (
                <line
                  key={edge}
                  x1={at(edge)}
                  x2={at(edge)}
                  y1="0"
                  y2="44"
                  className="stroke-line-strong"
                  strokeDasharray="3 3"
                  vectorEffect="non-scaling-stroke"
                />
              ))}
              <line x1="50" x2="50" y1="0" y2="44" className="stroke-ink" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
              <rect x={low} width={Math.max(0.4, high - low)} y="15" height="14" fill="currentColor" opacity="0.4" />
              {[low, high].map((end) => (
                <line key={end} x1={end} x2={end} y1="12" y2="32" stroke="currentColor" strokeWidth="2" vectorEffect="non-scaling-stroke" />
              ))}
              {difference !== null && (
                <line
                  x1={at(difference.value)}
                  x2={at(difference.value)}
                  y1="15"
                  y2="29"
                  stroke="currentColor"
                  strokeWidth="3"
                  vectorEffect="non-scaling-stroke"
                />
              )}
            </svg>
            <span className="order-1 text-xs text-soft sm:order-none sm:text-end">
              {signed(within.low)} to {signed(within.high)} points
            </span>
          </div>
        );
      })}
      <div className="grid gap-x-4 sm:grid-cols-[9rem_minmax(0,1fr)_9.5rem]" aria-hidden="true">
        <div dir="ltr" className="flex justify-between text-2xs text-soft sm:col-start-2">
          {ticks.map((tick) => (
            // Each as wide as nothing, so that its middle stands at its place.
            <span key={tick} className="flex w-0 justify-center whitespace-nowrap first:justify-start last:justify-end">
              {tick === 0 ? '0' : signed(tick)}
            </span>
          ))}
        </div>
      </div>
      <figcaption className="text-xs text-soft">
        In orders from every 100 people. The line is no difference; between the dashed lines, up to {inPoints(band)} to either side, it does not
        matter.
      </figcaption>
    </figure>
  );
}
