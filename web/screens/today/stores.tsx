import { useQueries } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { recovery, sequences, unwrap, waves } from '../../../sdk/index.ts';
import { formatCompact, formatMoney, formatPercent } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { apiOf, type StoreOfSession, useStore } from '../../session/session.ts';

/** For whoever looks after several stores: a row for each, asked as that store. */
export function Stores({ stores, days }: { stores: readonly StoreOfSession[]; days: number }) {
  const here = useStore();
  const rows = useQueries({
    queries: stores.map(({ slug }) => ({
      queryKey: ['store', slug, 'row', days],
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const api = apiOf(slug);
        const [figures, list, due, day] = await Promise.all([
          recovery(api).analytics({ days }, { signal }),
          sequences(api).list({ limit: 200 }, { signal }),
          waves(api).get({ signal }),
          waves(api).lastDay({ signal }),
        ]);
        const { stopped, sent_twice: twice, sent_after_stop: after } = unwrap(day);
        return {
          figures: unwrap(figures).all_subjects,
          running: unwrap(list).data.reduce((sum, one) => sum + one.open_enrollments, 0),
          due: unwrap(due).due_24h,
          stopped: Object.values(stopped).reduce((sum, count) => sum + count, 0),
          never: twice + after,
        };
      },
      staleTime: 30_000,
    })),
  });
  return (
    <Panel title="Your stores" flush>
      <div className="overflow-x-auto border-t border-line" role="region" aria-label="Your stores" tabIndex={0}>
        <table className="w-full min-w-2xl text-start">
          <thead className="text-xs text-soft">
            <tr>
              {['Store', 'Attributed', 'Recovery rate', 'Running', 'Due in 24 h', 'Stopped', 'Sent twice or after a stop'].map((name, index) => (
                <th key={name} scope="col" className={`px-4 py-2 font-medium ${index === 0 ? 'text-start' : 'text-end'}`}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {stores.map((store, index) => {
              const row = rows[index]?.data;
              const [money] = row?.figures.revenue.toSorted((a, b) => b.orders - a.orders) ?? [];
              return (
                <tr key={store.id} className={store.slug === here.slug ? 'bg-accent-soft/40' : ''}>
                  <th scope="row" className="px-4 py-2 text-start font-medium">
                    <Link to="/$store" params={{ store: store.slug }} className="hover:underline">
                      {store.name}
                    </Link>
                  </th>
                  <td className="px-4 py-2 text-end">{money === undefined ? '–' : formatMoney(money.net_minor, money.currency, { cents: false })}</td>
                  <td className="px-4 py-2 text-end">{row === undefined ? '…' : formatPercent(row.figures.conversion_rate)}</td>
                  {(['running', 'due', 'stopped', 'never'] as const).map((name) => (
                    <td key={name} className={`px-4 py-2 text-end ${name === 'never' && (row?.never ?? 0) > 0 ? 'font-medium text-bad' : ''}`}>
                      {row === undefined ? '…' : formatCompact(row[name])}
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
