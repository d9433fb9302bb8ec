import { Link } from '@tanstack/react-router';
import { waves } from '../../../sdk/index.ts';
import { Figure } from '../../parts/figure.tsx';
import { formatCompact, formatCount, formatNumber, plain } from '../../parts/format.ts';
import { meaning } from '../../parts/meaning.ts';
import { Loading } from '../../parts/states.tsx';
import { useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';

/** What comes within a day, what stopped within the last one, and what must never happen, counted. */
export function Ahead() {
  const { slug } = useStore();
  const due = useStoreQuery(['waves'], (api, signal) => waves(api).get({ signal }), { live: true });
  const day = useStoreQuery(['waves', 'last-day'], (api, signal) => waves(api).lastDay({ signal }), { live: true });
  if (due.data === undefined && day.data === undefined)
    return (
      <section aria-label="The last day and the next one" className="rounded-lg border border-line bg-surface p-4">
        {due.error === null && day.error === null ? <Loading lines={2} /> : <p role="alert">{(due.error ?? day.error)?.message}</p>}
      </section>
    );
  const stopped = Object.entries(day.data?.stopped ?? {}).toSorted(([, a], [, b]) => b - a);
  const never = (day.data?.sent_twice ?? 0) + (day.data?.sent_after_stop ?? 0);
  return (
    <section
      aria-label="The last day and the next one"
      className="grid grid-cols-2 gap-x-6 gap-y-5 rounded-lg border border-line bg-surface p-4 sm:grid-cols-4"
    >
      <Figure
        name="Due in 24 hours"
        value={due.data === undefined ? '…' : formatCompact(due.data.due_24h)}
        note={
          due.data === undefined ? undefined : (
            <Link to="/$store/operations" params={{ store: slug }} className="hover:underline">
              {due.data.overdue === 0 ? 'nothing is overdue' : `${formatNumber(due.data.overdue)} overdue`}
            </Link>
          )
        }
        means={<p>{meaning.dueSoon}</p>}
      />
      <Figure
        name="Stopped since yesterday"
        value={formatCompact(stopped.reduce((sum, [, count]) => sum + count, 0))}
        note={
          stopped
            .slice(0, 3)
            .map(([reason, count]) => `${formatNumber(count)} ${plain(reason)}`)
            .join(' · ') || 'nobody'
        }
        means={
          <p>
            Sequences that ended in the last 24 hours because of something that happened: an order, a reply, an opt-out. Nothing more of them is sent.
          </p>
        }
      />
      <Figure
        name="Sent since yesterday"
        value={formatCompact(day.data?.sent ?? 0)}
        note={`${formatCount(day.data?.started ?? 0, 'person', 'people')} began`}
        means={<p>Messages that a provider accepted in the last 24 hours, by every channel.</p>}
      />
      <Figure
        name="Sent twice, or after a stop"
        value={<span className={never > 0 ? 'text-bad' : 'text-good'}>{formatNumber(never)}</span>}
        note={
          <Link to="/$store/operations" params={{ store: slug }} className="hover:underline">
            {(day.data?.in_doubt ?? 0) === 0 ? 'every outcome is known' : `${formatNumber(day.data?.in_doubt ?? 0)} in doubt`}
          </Link>
        }
        means={
          <>
            <p>
              Rekindle guarantees that no step is sent twice and that nothing is begun after a stop. Counted from what happened in the last 24 hours,
              it must be 0.
            </p>
            <p>In doubt: handed to a provider that did not answer. Never sent again blindly.</p>
          </>
        }
      />
    </section>
  );
}
