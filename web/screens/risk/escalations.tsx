import { Link } from '@tanstack/react-router';
import type { Data, Item } from '../../../sdk/index.ts';
import { tasks } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Definition } from '../../parts/figure.tsx';
import { formatNumber, formatShare } from '../../parts/format.ts';
import { AllPages, usePages } from '../../parts/pages.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { useNow } from '../../parts/use-now.ts';
import { may, useSession, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';

type Task = Item<'GET /api/tasks'>;
/** How long the same account is not handed over again. */
const cooldownMs = 24 * 3_600_000;

/** What was handed over to a manager, and what was not, because it had just been. */
export function Escalations() {
  const { slug: store } = useStore();
  const pages = usePages(['tasks', 'escalations'], (api, given, signal) => tasks(api).list({ ...given, kind: 'escalation' }, { signal }), {
    live: true,
    limit: 25,
  });
  const share = useStoreQuery(['escalations', 'share'], (api, signal) => tasks(api).escalationShare({ signal }), { live: true });
  return (
    <Panel
      title="Handed to a manager"
      note={
        share.data === undefined ? undefined : (
          <Definition of={inShort(share.data)}>
            <p>
              Accounts that were handed over at least once, of all that are assessed. More than 5% says that the bands are too wide, or that what
              comes before does not help.
            </p>
            <p>Within 24 hours of one, the same account is not handed over again: those are the repeats that were held back.</p>
          </Definition>
        )
      }
      aside={
        <span className="flex items-center gap-3">
          {share.data?.alarm === true && <Badge tone="bad">too many</Badge>}
          <Link to="/$store/tasks" params={{ store }} search={{ state: 'open' }} className="text-[0.8125rem] text-accent hover:underline">
            All tasks
          </Link>
        </span>
      }
      flush
    >
      <AllPages of={pages} empty={<Empty title="Nothing was handed to a manager" />}>
        {(rows) => (
          <ul className="divide-y divide-line border-t border-line">
            {rows.map((task) => (
              <Escalation key={task.id} task={task} />
            ))}
          </ul>
        )}
      </AllPages>
    </Panel>
  );
}

function Escalation({ task }: { task: Task }) {
  const { role, slug: store } = useStore();
  const [contact, name] = [textIn(task.data, 'contact'), textIn(task.data, 'name') ?? 'An account'];
  const { data: session } = useSession();
  const nowMs = useNow();
  const accept = useAction((api, owner: string) => tasks(api).accept(task.id, { owner }));
  const open = task.state === 'open' && !task.suppressed;
  const againAt = new Date(new Date(task.created_at).getTime() + cooldownMs);
  return (
    <li className="flex flex-wrap items-start justify-between gap-3 px-4 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          {contact === null ? (
            <span className="font-medium">{name}</span>
          ) : (
            <Link to="/$store/people/$id" params={{ store, id: contact }} className="font-medium hover:underline">
              {name}
            </Link>
          )}
          {task.suppressed ? (
            <Badge>repeat, held back</Badge>
          ) : task.state !== 'open' ? (
            <Badge tone="good">{task.state}</Badge>
          ) : new Date(task.due_at).getTime() < nowMs ? (
            <Badge tone="bad">overdue</Badge>
          ) : (
            <Badge tone="warn">open</Badge>
          )}
        </p>
        {!task.suppressed && (task.result ?? task.recommendation) !== null && (
          <p className="text-[0.8125rem] break-words">{task.result ?? task.recommendation}</p>
        )}
        <p className="text-xs text-soft">
          {task.suppressed ? (
            <>
              not handed over <Time at={task.created_at} />: it had been within 24 hours
            </>
          ) : (
            <>
              {task.owner ?? 'Nobody has it yet'} · handed over <Time at={task.created_at} />
              {task.state === 'open' && (
                <>
                  {' '}
                  · due <Time at={task.due_at} />
                </>
              )}
              {againAt.getTime() > nowMs && (
                <>
                  {' '}
                  · not again before <Time at={againAt.toISOString()} as="date" />
                </>
              )}
            </>
          )}
        </p>
        {accept.error !== null && (
          <p role="alert" className="text-[0.8125rem] text-bad">
            {accept.error.message}
          </p>
        )}
      </div>
      {open && task.accepted_at === null && may(role, 'operate') && (
        <Button disabled={accept.isPending} onClick={() => accept.mutate(session?.person.email ?? '')}>
          I do it
        </Button>
      )}
    </li>
  );
}

function inShort({ share, accounts, days, suppressed }: Data<'GET /api/escalations/share'>): string {
  const repeats = suppressed === 0 ? '' : `; ${formatNumber(suppressed)} ${suppressed === 1 ? 'repeat' : 'repeats'} held back`;
  return share === null ? 'No account is assessed' : `${formatShare(share)} of ${formatNumber(accounts)} accounts in ${days} days${repeats}`;
}

/** What a task says about whom it is about. */
function textIn(data: Task['data'], key: string): string | null {
  const value = data[key];
  return typeof value === 'string' && value !== '' ? value : null;
}
