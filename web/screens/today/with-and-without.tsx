import type { Item } from '../../../sdk/index.ts';
import { attribution } from '../../../sdk/index.ts';
import { Definition } from '../../parts/figure.tsx';
import { formatNumber, formatPercent } from '../../parts/format.ts';
import { meaning } from '../../parts/meaning.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { CreditedAndCaused } from './credited-and-caused.tsx';

type Holdout = Item<'GET /api/holdouts'>;
type Arm = Holdout['arms'][number];
/** Of the orders that messages are credited with. */
const days = 365;

/** For each sequence two bars, with messages and without, each with the interval in which the true share lies. */
export function WithAndWithout({ of: holdouts }: { of: readonly Holdout[] }) {
  const credits = useStoreQuery(['attribution', days], (api, signal) => attribution(api).get({ days, by: 'sequence' }, { signal }));
  const highest = Math.max(5, ...holdouts.flatMap(({ arms }) => arms.map((arm) => arm.conversion_rate_interval?.high ?? 0)));
  return (
    <div className="space-y-5">
      {holdouts.map(({ sequence, name, arms, sample_ratio: ratio, holdout_percent: percent, effect }) => (
        <figure key={sequence} className="space-y-1.5">
          <figcaption className="flex flex-wrap items-baseline justify-between gap-x-4">
            <span className="font-medium">{name}</span>
            <span className="text-xs text-soft">
              <Definition of={`Left out: ${formatPercent(percent ?? 0)}`}>
                <p>{meaning.withWithout}</p>
                {ratio?.mismatch === true && (
                  <p>The two groups are not as large as they should be: something shifts them, and the comparison is not to be trusted.</p>
                )}
              </Definition>
            </span>
          </figcaption>
          {arms.map((arm) => (
            <Bar key={arm.arm} arm={arm} highest={highest} />
          ))}
          {credits.data !== undefined && (
            <CreditedAndCaused effect={effect} credited={credits.data.credits.find(({ key }) => key === sequence)?.revenue ?? []} days={days} />
          )}
        </figure>
      ))}
    </div>
  );
}

function Bar({
  arm: { arm, people, complete, converted, conversion_rate: rate, conversion_rate_interval: interval },
  highest,
}: {
  arm: Arm;
  highest: number;
}) {
  const at = (percent: number) => `${(100 * percent) / highest}%`;
  const treated = arm === 'treated';
  const text =
    rate === null
      ? `${formatNumber(people)} people, none of them for long enough`
      : `${formatPercent(rate)}: ${formatNumber(converted)} of ${formatNumber(complete)}`;
  return (
    <div className="grid grid-cols-[7.5rem_minmax(0,1fr)] items-center gap-x-3 gap-y-0.5 sm:grid-cols-[7.5rem_minmax(0,1fr)_9.5rem]">
      <span className="text-[0.8125rem] text-soft">{treated ? 'With messages' : 'Without'}</span>
      <div className="relative h-5 rounded bg-sunken" aria-hidden="true">
        {rate !== null && (
          <div className={`absolute inset-y-0 start-0 rounded ${treated ? 'bg-accent' : 'bg-line-strong'}`} style={{ width: at(rate) }} />
        )}
        {interval !== null && (
          <div
            className="absolute inset-y-1.5 border-x-2 border-ink"
            style={{ insetInlineStart: at(interval.low), width: at(interval.high - interval.low) }}
          >
            <div className="absolute inset-x-0 top-1/2 h-0.5 -translate-y-1/2 bg-ink" />
          </div>
        )}
      </div>
      <span className="col-start-2 text-xs text-soft sm:col-start-3 sm:text-end">{text}</span>
    </div>
  );
}
