import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { tasks } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Choice } from '../../parts/choice.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { plain, sentenceCase } from '../../parts/format.ts';
import { TextField } from '../../parts/labelled.tsx';
import { AllPages, type PageAsk, usePages } from '../../parts/pages.tsx';
import { PersonOf } from '../../parts/person-of.tsx';
import { ExportCsv } from '../../parts/export-csv.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { useNow } from '../../parts/use-now.ts';
import { may, useSession, useStore } from '../../session/session.ts';
import { useAction } from '../../session/use-action.ts';

const page = getRouteApi('/$store/tasks');
type Task = Item<'GET /api/tasks'>;

/** Work that needs a person: who does it, until when, and what came of it. */
export function Tasks() {
  const { state } = page.useSearch();
  const navigate = page.useNavigate();
  const [closing, setClosing] = useState<Task | null>(null);
  const ask: PageAsk<Item<'GET /api/tasks'>> = (api, given, signal) => tasks(api).list({ ...given, state }, { signal });
  const pages = usePages(['tasks', state], ask, { live: true });
  return (
    <>
      <PageHeader title="Tasks" note="What a person has to do: a call, an answer, an account that is about to leave.">
        <Choice
          label="Show"
          value={state}
          options={[
            { value: 'open', name: 'Open' },
            { value: 'done', name: 'Done' },
            { value: 'dismissed', name: 'Dismissed' },
          ]}
          onChange={(value) => void navigate({ search: { state: value }, replace: true })}
        />
        <ExportCsv name="tasks" ask={ask} />
      </PageHeader>
      <Panel title={state === 'open' ? 'Open' : state === 'done' ? 'Done' : 'Dismissed'} flush>
        <AllPages of={pages} empty={<Empty title={state === 'open' ? 'Nothing to do' : 'Nothing here'} />}>
          {(rows) => (
            <ul className="divide-y divide-line border-t border-line">
              {rows.map((task) => (
                <OneTask key={task.id} task={task} onClose={() => setClosing(task)} />
              ))}
            </ul>
          )}
        </AllPages>
      </Panel>
      <CloseDialog task={closing} onDone={() => setClosing(null)} />
    </>
  );
}

function OneTask({ task, onClose }: { task: Task; onClose: () => void }) {
  const { role } = useStore();
  const { data: session } = useSession();
  const nowMs = useNow();
  const accept = useAction((api, owner: string) => tasks(api).accept(task.id, { owner }));
  const snooze = useAction((api, hours: number) => tasks(api).snooze(task.id, { until: new Date(Date.now() + hours * 3_600_000).toISOString() }));
  const overdue = task.state === 'open' && new Date(task.due_at).getTime() < nowMs;
  const fault = accept.error ?? snooze.error;
  return (
    <li className="flex flex-wrap items-start justify-between gap-3 px-4 py-3">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium">{sentenceCase(plain(task.kind))}</span>
          {overdue && <Badge tone="bad">overdue</Badge>}
          {task.accepted_at !== null && <Badge tone="accent">accepted</Badge>}
          {task.snoozed_until !== null && <Badge tone="warn">put off</Badge>}
          {task.suppressed && <Badge>not escalated again yet</Badge>}
        </p>
        <Known of={task.data} />
        {task.recommendation !== null && <p className="text-[0.8125rem] break-words">{task.recommendation}</p>}
        {task.result !== null && <p className="text-[0.8125rem] break-words">{task.result}</p>}
        <p className="mt-0.5 text-xs text-soft">
          {task.owner ?? 'Nobody has it yet'} · due <Time at={task.due_at} /> {task.late.length > 0 && <>· came from {task.late.join(', ')} </>}{' '}
          {task.lead !== null ? (
            <LeadOf lead={task.lead} />
          ) : (
            task.enrollment !== null && (
              <>
                · <PersonOf enrollment={task.enrollment} />
              </>
            )
          )}
        </p>
        {fault !== null && (
          <p role="alert" className="text-[0.8125rem] text-bad">
            {fault.message}
          </p>
        )}
      </div>
      {task.state === 'open' && may(role, 'operate') && (
        <span className="flex flex-wrap gap-2">
          {task.accepted_at === null && (
            <Button disabled={accept.isPending} onClick={() => accept.mutate(session?.person.email ?? '')}>
              I do it
            </Button>
          )}
          <Button disabled={snooze.isPending} onClick={() => snooze.mutate(24)}>
            Tomorrow
          </Button>
          <Button look="main" onClick={onClose}>
            Close
          </Button>
        </span>
      )}
    </li>
  );
}

/** Of what came with it: who it is, how to reach them and what they want. */
function Known({ of: data }: { of: Task['data'] }) {
  const line = (name: string) => {
    const value = data[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const [name, phone, goal, at] = [line('name'), line('phone'), line('goal'), line('time')];
  if (name === null && phone === null && goal === null) return null;
  return (
    <p className="text-[0.8125rem] break-words">
      {[name, goal].filter((part) => part !== null).join(' · ')}
      {phone !== null && (
        <>
          {name === null && goal === null ? '' : ' · '}
          <a href={`tel:${phone.replaceAll(/[^+0-9]/g, '')}`} dir="ltr" className="text-accent underline">
            {phone}
          </a>
        </>
      )}
      {at !== null && (
        <span className="text-soft">
          {' · '}
          <Time at={at} />
        </span>
      )}
    </p>
  );
}

function LeadOf({ lead }: { lead: string }) {
  const { slug: store } = useStore();
  return (
    <>
      ·{' '}
      <Link to="/$store/leads/$id" params={{ store, id: lead }} className="text-accent underline">
        the lead
      </Link>
    </>
  );
}

function CloseDialog({ task, onDone }: { task: Task | null; onDone: () => void }) {
  const [result, setResult] = useState('');
  const close = useAction((api, { id, state }: { id: string; state: 'done' | 'dismissed' }) =>
    tasks(api).close(id, { state, result: result.trim() === '' ? null : result.trim() }),
  );
  const end = () => {
    setResult('');
    onDone();
  };
  const settle = (state: 'done' | 'dismissed') => task !== null && close.mutate({ id: task.id, state }, { onSuccess: end });
  return (
    <Dialog title="What came of it?" open={task !== null} onClose={end}>
      <div className="mt-3 space-y-3">
        <TextField
          label="Result"
          hint="For your colleagues, and for the figures."
          value={result}
          maxLength={500}
          onChange={(event) => setResult(event.target.value)}
        />
        {close.error !== null && (
          <p role="alert" className="text-bad">
            {close.error.message}
          </p>
        )}
      </div>
      <div className="mt-4 flex flex-wrap justify-end gap-2">
        <Button onClick={end}>Cancel</Button>
        <Button disabled={close.isPending} onClick={() => settle('dismissed')}>
          Needs nothing
        </Button>
        <Button look="main" disabled={close.isPending} onClick={() => settle('done')}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
