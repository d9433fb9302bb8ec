import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { holdouts, messages, recovery, sequences } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Figure } from '../../parts/figure.tsx';
import { formatCompact, formatCount, formatMoney, formatNumber, formatPercent } from '../../parts/format.ts';
import { meaning } from '../../parts/meaning.ts';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Answer, Empty, Loading } from '../../parts/states.tsx';
import { channelWord } from '../../parts/words.ts';
import { useSession, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { Attention } from './attention.tsx';
import { LatestMessages } from './latest-messages.tsx';
import { Ahead } from './ahead.tsx';
import { Stores } from './stores.tsx';
import { WithAndWithout } from './with-and-without.tsx';

const days = 30;

/** Only whose store has sent nothing yet needs it. */
const FirstDay = lazy(() => import('./first-day.tsx').then((screen) => ({ default: screen.FirstDay })));

/** How the store does, what is under way, and what wants somebody's attention. */
export function Today() {
  const { name } = useStore();
  const { data: session } = useSession();
  return (
    <>
      <PageHeader title="Today" note={`What Rekindle does for ${name}, over the last ${days} days.`} />
      <div className="space-y-5">
        <Begin />
        <Figures />
        <Ahead />
        <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <WorthIt />
          <Attention />
        </div>
        {session !== undefined && session.stores.length > 1 && <Stores stores={session.stores} days={days} />}
        <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <LatestMessages />
          <Running />
        </div>
      </div>
    </>
  );
}

function Begin() {
  const sent = useStoreQuery(['messages', 'any'], (api, signal) => messages(api).list({ state: 'sent', limit: 1 }, { signal }), { live: true });
  if (sent.data === undefined || sent.data.data.length > 0) return null;
  return (
    <Suspense fallback={null}>
      <FirstDay />
    </Suspense>
  );
}

function Figures() {
  const analytics = useStoreQuery(['analytics', days], (api, signal) => recovery(api).analytics({ days }, { signal }), { live: true });
  const list = useStoreQuery(['sequences'], (api, signal) => sequences(api).list({ limit: 200 }, { signal }), { live: true });
  return (
    <section aria-label="Figures" className="rounded-lg border border-line bg-surface p-4">
      <Answer of={analytics} loading={<Loading lines={2} />}>
        {({ all_subjects: data }) => (
          <div className="grid grid-cols-2 gap-x-6 gap-y-5 sm:grid-cols-4">
            <Revenue of={data} />
            <Figure
              name="Recovery rate"
              value={data.conversion_rate_interval === null ? '–' : formatPercent(data.conversion_rate)}
              note={
                data.conversion_rate_interval === null
                  ? 'nobody yet'
                  : `${formatPercent(data.conversion_rate_interval.low)} to ${formatPercent(data.conversion_rate_interval.high)}, of ${formatNumber(data.total_sequences)}`
              }
              means={<p>{meaning.recoveryRate}</p>}
            />
            <Figure
              name="Running now"
              value={list.data === undefined ? '…' : formatCompact(list.data.data.reduce((sum, one) => sum + one.open_enrollments, 0))}
              note="people in a sequence"
              means={<p>{meaning.running}</p>}
            />
            <Figure
              name="Messages sent"
              value={formatCompact(data.messages.reduce((sum, { sent }) => sum + sent, 0))}
              note={sentNote(data.messages)}
              means={<p>{meaning.sent}</p>}
            />
          </div>
        )}
      </Answer>
    </section>
  );
}

type AllFigures = Data<'GET /recovery/analytics'>['all_subjects'];

/** How many by which channel, and what is known of the emails. */
function sentNote(sentBy: AllFigures['messages']): string {
  const emails = sentBy.find(({ channel }) => channel === 'email');
  const others = sentBy.filter(({ channel }) => channel !== 'email').map(({ channel, sent }) => `${formatCompact(sent)} by ${channelWord(channel)}`);
  if (emails === undefined) return others.join(' · ');
  const read =
    emails.open_rate === null
      ? 'opens are not measured'
      : `${formatPercent(emails.open_rate)} of emails opened, ${formatPercent(emails.click_rate ?? 0)} clicked`;
  return [read, ...others].join(' · ');
}

function Revenue({ of: { revenue: amounts, converted_sequences: orders } }: { of: AllFigures }) {
  const [first, ...others] = amounts.toSorted((a, b) => b.orders - a.orders);
  return (
    <Figure
      name="Attributed revenue"
      value={first === undefined ? '–' : formatMoney(first.net_minor, first.currency, { cents: false })}
      note={[
        formatCount(orders, 'order', 'orders'),
        ...others.map(({ net_minor, currency }) => formatMoney(net_minor, currency, { cents: false })),
        ...(first === undefined || first.refunded_minor === 0
          ? []
          : [`${formatMoney(first.refunded_minor, first.currency, { cents: false })} refunded`]),
      ].join(' · ')}
      means={<p>{meaning.attributed}</p>}
    />
  );
}

function WorthIt() {
  const found = useStoreQuery(['holdouts'], (api, signal) => holdouts(api).list({ signal }), { live: true });
  return (
    <Panel title="Would they have bought anyway?" note="Orders of people who are written to, beside those of people who are left out by chance.">
      <Answer of={found}>
        {({ data }) => {
          const shown = data.filter(({ arms }) => arms.some(({ arm, people }) => arm === 'holdout' && people > 0));
          if (shown.length === 0)
            return (
              <Empty title="No sequence leaves anybody out">
                Give a sequence a holdout of some per cent, and this picture shows what its messages really bring.
              </Empty>
            );
          return <WithAndWithout of={shown} />;
        }}
      </Answer>
    </Panel>
  );
}

function Running() {
  const { slug } = useStore();
  const found = useStoreQuery(['sequences'], (api, signal) => sequences(api).list({ limit: 200 }, { signal }), { live: true });
  return (
    <Panel
      title="Sequences"
      flush
      aside={
        <Link to="/$store/sequences" params={{ store: slug }} className="text-[0.8125rem] text-accent hover:underline">
          All of them
        </Link>
      }
    >
      <Answer of={found}>
        {({ data }) => {
          const most = Math.max(1, ...data.map((one) => one.open_enrollments));
          const shown = data.toSorted((a, b) => b.open_enrollments - a.open_enrollments).slice(0, 8);
          return (
            <ul className="divide-y divide-line border-t border-line">
              {shown.map((one) => (
                <li key={one.id} className="px-4 py-2">
                  <div className="flex items-baseline justify-between gap-3">
                    <Link to="/$store/sequences/$slug" params={{ store: slug, slug: one.slug }} className="truncate font-medium hover:underline">
                      {one.name}
                    </Link>
                    <span className="flex items-center gap-2">
                      {one.paused && <Badge tone="warn">paused</Badge>}
                      {one.status !== 'ACTIVE' && <Badge>{one.status.toLowerCase()}</Badge>}
                      {formatNumber(one.open_enrollments)}
                    </span>
                  </div>
                  <div className="mt-1 h-1 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
                    <div className="h-full rounded-full bg-accent" style={{ width: `${(100 * one.open_enrollments) / most}%` }} />
                  </div>
                </li>
              ))}
            </ul>
          );
        }}
      </Answer>
    </Panel>
  );
}
