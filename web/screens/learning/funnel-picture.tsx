import type { Data } from '../../../sdk/index.ts';
import { Definition } from '../../parts/figure.tsx';
import { formatMoney, formatNumber, formatPercent } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';

type Funnel = Data<'GET /api/learning'>['funnel'];

const names: Record<Funnel['stages'][number]['stage'], string> = {
  leads: 'Came in',
  contacted: 'Written to',
  responded: 'Responded',
  converted: 'Bought',
};

/** From whoever came in to revenue: how wide each stage is, and what is lost between two. */
export function FunnelPicture({ of: { funnel } }: { of: { funnel: Funnel } }) {
  const { stages, revenue, definition } = funnel;
  const widest = Math.max(1, ...stages.map(({ n }) => n));
  return (
    <Panel
      title="The way to revenue"
      note={
        <Definition of="What is counted">
          <p>{definition}</p>
        </Definition>
      }
    >
      {funnel.n === 0 ? (
        <Empty title="Nobody came in in this time" />
      ) : (
        <ol className="space-y-1.5">
          {stages.map(({ stage, n, of_before: share }) => (
            <li
              key={stage}
              className="grid grid-cols-[6rem_minmax(0,1fr)_11rem] items-center gap-x-3 text-[0.8125rem] max-sm:grid-cols-[5.5rem_minmax(0,1fr)]"
            >
              <span>{names[stage]}</span>
              <span aria-hidden="true" className="block h-6 rounded-sm bg-sunken">
                <span className={`block h-full rounded-sm bg-accent ${n > 0 ? 'min-w-0.5' : ''}`} style={{ width: `${(100 * n) / widest}%` }} />
              </span>
              <span className="text-soft max-sm:col-start-2">
                <span className="font-medium text-ink">{formatNumber(n)}</span>
                {share !== null && ` · ${formatPercent(share)} of those before`}
              </span>
            </li>
          ))}
          <li className="grid grid-cols-[6rem_minmax(0,1fr)] items-baseline gap-x-3 text-[0.8125rem] max-sm:grid-cols-[5.5rem_minmax(0,1fr)]">
            <span>Revenue</span>
            <span className="font-medium">
              {revenue.length === 0 ? 'none yet' : revenue.map(({ currency, net_minor: minor }) => formatMoney(minor, currency)).join(', ')}
            </span>
          </li>
        </ol>
      )}
    </Panel>
  );
}
