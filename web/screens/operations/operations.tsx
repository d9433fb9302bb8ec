import { channelName, readable } from '../../parts/words.ts';
import { useState } from 'react';
import type { Item } from '../../../sdk/index.ts';
import { messages, parked, quarantine } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Definition } from '../../parts/figure.tsx';
import { formatDuration, formatNumber, plain, sentenceCase } from '../../parts/format.ts';
import { TextField } from '../../parts/labelled.tsx';
import { AllPages, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useAction } from '../../session/use-action.ts';
import { type Health, useHealth } from '../../session/use-health.ts';
import { Alarms } from './alarms.tsx';
import { Drills } from './drills.tsx';
import { WavesPanel } from './waves.tsx';

/** For the one on call: whether everything works, what is late, what is in doubt, and what waits for somebody. */
export function Operations() {
  return (
    <>
      <PageHeader title="Operations" note="Whether everything works, what is late, and what waits for somebody." />
      <div className="space-y-5">
        <Parts />
        <WavesPanel />
        <Drills />
        <Alarms />
        <Parked />
        <InDoubt />
        <Unread />
      </div>
    </>
  );
}

type PartName = keyof Health['parts'];
const means: Record<PartName, string> = {
  postgres: 'Where everything is stored. Without it nothing is accepted.',
  temporal: 'Keeps the time of every step. While it is away events are still accepted, and steps wait.',
  worker: 'Decides and sends. While none is there steps wait, and go out afterwards as far as they are not too old.',
  relay: 'Hands what has happened to Temporal. A growing number means that it cannot be reached.',
  intake: 'What shops deliver. Deliveries that cannot be read are kept, and may be an opt-out.',
  steps: 'How late steps are decided, behind the time at which they were due.',
};

function Parts() {
  const found = useHealth();
  return (
    <Panel title="The machine" note="Of the whole installation, all stores together.">
      <Answer of={found}>
        {({ parts, problems, at }) => (
          <>
            {problems.length > 0 && (
              <div role="alert" className="mb-3 rounded-md bg-warn-soft p-3 text-warn">
                <ul className="space-y-1">
                  {problems.map((problem) => (
                    <li key={problem}>{problem}</li>
                  ))}
                </ul>
              </div>
            )}
            <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
              {(Object.keys(means) as PartName[]).map((name) => (
                <li key={name} className="rounded-md border border-line p-3">
                  <div className="flex items-center justify-between gap-2">
                    <span className="font-medium">
                      <Definition of={sentenceCase(name)}>
                        <p>{means[name]}</p>
                      </Definition>
                    </span>
                    <Badge tone={toneOf(parts[name].status)}>{parts[name].status}</Badge>
                  </div>
                  <p className="mt-1 text-[0.8125rem] text-soft">{detailOf(name, parts)}</p>
                </li>
              ))}
            </ul>
            <p className="mt-3 text-xs text-soft">
              Looked at <Time at={at} />
            </p>
          </>
        )}
      </Answer>
    </Panel>
  );
}

const toneOf = (status: Health['parts']['steps']['status']): Tone => (status === 'ok' ? 'good' : status === 'down' ? 'bad' : 'warn');
const seconds = (ms: number | null) => (ms === null ? 'unknown' : ms < 1_000 ? `${Math.round(ms)} ms` : formatDuration(ms / 1_000));

function detailOf(name: PartName, parts: Health['parts']): string {
  switch (name) {
    case 'postgres':
      return `Answers in ${seconds(parts.postgres.latency_ms)}.`;
    case 'temporal':
      return parts.temporal.server_version === null ? 'Does not answer.' : `Version ${parts.temporal.server_version}.`;
    case 'worker':
      return parts.worker.seen_ms_ago === null ? 'None was seen.' : `Seen ${seconds(parts.worker.seen_ms_ago)} ago.`;
    case 'relay':
      return `${formatNumber(parts.relay.waiting ?? 0)} waiting${parts.relay.oldest_ms === null ? '' : `, the oldest for ${seconds(parts.relay.oldest_ms)}`}.`;
    case 'intake':
      return `${formatNumber(parts.intake.quarantined ?? 0)} could not be read, ${formatNumber(parts.intake.may_be_stops ?? 0)} of them may be an opt-out.`;
    case 'steps':
      return (parts.steps.late ?? 0) === 0
        ? 'Nothing is late.'
        : `${formatNumber(parts.steps.late ?? 0)} late, the worst by ${seconds(parts.steps.worst_late_ms)}.`;
  }
}

type ParkedItem = Item<'GET /api/parked'>;
type ParkedAction = ParkedItem['actions'][number];
const actionNames: Record<ParkedAction, string> = { resume: 'Try again', skip: 'Leave out', cancel: 'End' };

function Parked() {
  const { role } = useStore();
  const pages = usePages(['parked'], (api, given, signal) => parked(api).list(given, { signal }), { live: true });
  const act = useAction(async (api, { id, action }: { id: string; action: ParkedAction }) => parked(api)[action](id, null));
  return (
    <Panel title="Cannot go on by itself" note="Each with its cause and what to do." flush>
      {act.error !== null && (
        <p role="alert" className="px-4 pb-2 text-bad">
          {act.error.message}
        </p>
      )}
      <AllPages of={pages} empty={<Empty title="Nothing is stuck" />}>
        {(rows) => (
          <ul className="divide-y divide-line border-t border-line">
            {rows.map((item) => (
              <li key={item.id} className="flex flex-wrap items-start justify-between gap-3 px-4 py-3">
                <div className="min-w-0 flex-1">
                  <p className="font-medium">
                    {sentenceCase(plain(item.cause))} <Badge>{item.kind}</Badge>
                  </p>
                  <p className="text-[0.8125rem]">{readable(item.sentence)}</p>
                  <p className="text-[0.8125rem] text-soft">{item.what_to_do}</p>
                  <p className="mt-1 text-xs text-soft">
                    {item.since !== null && (
                      <>
                        Since <Time at={item.since} as="date" /> ·{' '}
                      </>
                    )}
                    {formatNumber(item.affected.enrollments)} people, {formatNumber(item.affected.deliveries)} deliveries affected
                  </p>
                </div>
                {may(role, 'administer') && (
                  <span className="flex flex-wrap gap-2">
                    {item.actions.map((action) => (
                      <Button key={action} disabled={act.isPending} onClick={() => act.mutate({ id: item.id, action })}>
                        {actionNames[action]}
                      </Button>
                    ))}
                  </span>
                )}
              </li>
            ))}
          </ul>
        )}
      </AllPages>
    </Panel>
  );
}

function InDoubt() {
  const { slug: store } = useStore();
  const pages = usePages(['messages', 'unknown'], (api, given, signal) => messages(api).list({ ...given, state: 'unknown' }, { signal }), {
    live: true,
  });
  return (
    <Panel
      title="In doubt"
      note="Handed to a provider that did not answer. Never sent again blindly: the provider is asked, or proof comes back."
      flush
    >
      <AllPages of={pages} empty={<Empty title="Every outcome is known" />}>
        {(rows) => (
          <DataList
            label="Messages in doubt"
            rows={rows}
            idOf={({ id }) => id}
            linkOf={({ contact }) => ({ to: '/$store/people/$id', params: { store, id: contact } })}
            columns={[
              { name: 'Step', cell: ({ step }) => sentenceCase(plain(step)) },
              { name: 'By', cell: ({ channel }) => (channel === null ? '–' : channelName(channel)) },
              { name: 'Sequence', wide: true, cell: ({ sequence }) => sequence },
              { name: 'Since', align: 'end', cell: ({ claimed_at: at, created_at: made }) => <Time at={at ?? made} /> },
            ]}
          />
        )}
      </AllPages>
    </Panel>
  );
}

type Unreadable = Item<'GET /api/quarantine'>;

function Unread() {
  const { role } = useStore();
  const [asked, setAsked] = useState<Unreadable | null>(null);
  const [reason, setReason] = useState('');
  const pages = usePages(['quarantine'], (api, given, signal) => quarantine(api).list({ ...given, state: 'open' }, { signal }), { live: true });
  const replay = useAction((api, id: string) => quarantine(api).replay(id));
  const dismiss = useAction((api, { id, why }: { id: string; why: string }) => quarantine(api).dismiss(id, { reason: why }));
  const close = () => {
    setAsked(null);
    setReason('');
  };
  return (
    <Panel title="Could not be read" note="Deliveries that are kept until somebody says what is to become of them." flush>
      {replay.data !== undefined && (
        <p role="status" className="px-4 pb-2 text-soft">
          {replay.data.detail}
        </p>
      )}
      {replay.error !== null && (
        <p role="alert" className="px-4 pb-2 text-bad">
          {replay.error.message}
        </p>
      )}
      <AllPages of={pages} empty={<Empty title="Everything was read" />}>
        {(rows) => (
          <ul className="divide-y divide-line border-t border-line">
            {rows.map((item) => (
              <li key={item.id} className="flex flex-wrap items-start justify-between gap-3 px-4 py-3">
                <div className="min-w-0 flex-1">
                  <p className="font-medium">
                    {item.integration}: {item.topic} {item.may_be_stop && <Badge tone="bad">may be an opt-out</Badge>}
                  </p>
                  <p className="text-[0.8125rem] text-soft">{item.reason}</p>
                  <ul className="text-xs text-soft">
                    {item.fields.slice(0, 4).map(({ field, reason: why }) => (
                      <li key={field}>
                        <code>{field}</code>: {why}
                      </li>
                    ))}
                  </ul>
                  <p className="text-xs text-soft">
                    <Time at={item.received_at} />
                  </p>
                </div>
                {may(role, 'administer') && (
                  <span className="flex gap-2">
                    <Button disabled={replay.isPending} onClick={() => replay.mutate(item.id)}>
                      Read again
                    </Button>
                    <Button look="danger" onClick={() => setAsked(item)}>
                      Dismiss
                    </Button>
                  </span>
                )}
              </li>
            ))}
          </ul>
        )}
      </AllPages>
      <Dialog title="Dismiss this delivery?" open={asked !== null} onClose={close}>
        <div className="mt-2 space-y-3">
          <p className="text-soft">It is never to take effect, neither by reading it again nor when its sender repeats it.</p>
          <TextField label="Why" value={reason} onChange={(event) => setReason(event.target.value)} />
          {dismiss.error !== null && (
            <p role="alert" className="text-bad">
              {dismiss.error.message}
            </p>
          )}
        </div>
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={close}>Cancel</Button>
          <Button
            look="danger"
            disabled={reason.trim() === '' || dismiss.isPending}
            onClick={() => asked !== null && dismiss.mutate({ id: asked.id, why: reason.trim() }, { onSuccess: close })}
          >
            Dismiss
          </Button>
        </div>
      </Dialog>
    </Panel>
  );
}
