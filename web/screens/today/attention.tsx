import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { parked, quarantine, tasks } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Answer } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useHealth } from '../../session/use-health.ts';

const most = 20;
const count = (items: readonly unknown[], more: boolean) => `${items.length}${more ? '+' : ''}`;

/** What cannot go on by itself. */
export function Attention() {
  const { slug } = useStore();
  const parts = useHealth();
  const stuck = useStoreQuery(['parked', 'today'], (api, signal) => parked(api).list({ limit: most }, { signal }), { live: true });
  const unread = useStoreQuery(['quarantine', 'today'], (api, signal) => quarantine(api).list({ state: 'open', limit: most }, { signal }), {
    live: true,
  });
  const work = useStoreQuery(['tasks', 'today'], (api, signal) => tasks(api).list({ state: 'open', limit: most }, { signal }), { live: true });
  return (
    <Panel title="Needs attention" flush>
      <ul className="divide-y divide-line border-t border-line">
        <Answer of={parts}>
          {({ status, problems, at }) => (
            <Line
              tone={status === 'down' ? 'bad' : status === 'ok' && problems.length === 0 ? 'good' : 'warn'}
              badge={status === 'down' ? 'down' : status === 'ok' ? (problems.length === 0 ? 'all well' : 'not all is known') : 'not as it should be'}
              title="The machine"
              to="/$store/operations"
            >
              {problems.length > 0 ? (
                problems.join(' ')
              ) : (
                <>
                  Every part answers, nothing is late. Looked at <Time at={at} />.
                </>
              )}
            </Line>
          )}
        </Answer>
        {stuck.data !== undefined && stuck.data.data.length > 0 && (
          <Line tone="bad" badge={count(stuck.data.data, stuck.data.nextCursor !== null)} title="Cannot go on by itself" to="/$store/operations">
            {stuck.data.data[0]?.sentence}
          </Line>
        )}
        {unread.data !== undefined && unread.data.data.length > 0 && (
          <Line
            tone="warn"
            badge={count(unread.data.data, unread.data.nextCursor !== null)}
            title="Deliveries that could not be read"
            to="/$store/operations"
          >
            {unread.data.data[0]?.reason}
          </Line>
        )}
        {work.data !== undefined && work.data.data.length > 0 && (
          <Line tone="accent" badge={count(work.data.data, work.data.nextCursor !== null)} title="Work for people" to="/$store/tasks">
            The first is due <Time at={work.data.data[0]?.due_at ?? ''} />
          </Line>
        )}
      </ul>
      <p className="px-4 py-3 text-[0.8125rem] text-soft">
        <Link to="/$store/why-not" params={{ store: slug }} className="text-accent hover:underline">
          Why somebody got no message
        </Link>
      </p>
    </Panel>
  );
}

function Line({
  tone,
  badge,
  title,
  to,
  children,
}: {
  tone: Tone;
  badge: string;
  title: string;
  to?: '/$store/operations' | '/$store/tasks';
  children: ReactNode;
}) {
  const { slug } = useStore();
  return (
    <li className="px-4 py-2.5">
      <div className="flex items-center justify-between gap-3">
        {to === undefined ? (
          <span className="font-medium">{title}</span>
        ) : (
          <Link to={to} params={{ store: slug }} className="font-medium hover:underline">
            {title}
          </Link>
        )}
        <Badge tone={tone}>{badge}</Badge>
      </div>
      <p className="mt-0.5 line-clamp-2 text-[0.8125rem] text-soft">{children}</p>
    </li>
  );
}
