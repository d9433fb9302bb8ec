import { readable } from '../../parts/words.ts';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { Data, Item, Result } from '../../../sdk/index.ts';
import { contacts, enrollments, erasures, explain } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Choice } from '../../parts/choice.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { EnrollmentStatus } from '../../parts/enrollment-status.tsx';
import { formatMoney, plain, sentenceCase } from '../../parts/format.ts';
import { Facts, TextField } from '../../parts/labelled.tsx';
import { AllPages, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { nameOf } from '../../parts/people-names.ts';
import { Answer, Empty } from '../../parts/states.tsx';
import { useSequenceNames } from '../../parts/sequence-names.ts';
import { useTeamNames } from '../../parts/team-names.ts';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { Waterfall } from './waterfall.tsx';

const page = getRouteApi('/$store/people/$id');
type Enrollment = Data<'GET /api/enrollments/{id}'>;
type ActionDone = Data<'POST /api/enrollments/{id}/stop'>;
type Action = 'takeover' | 'release' | 'pause' | 'resume' | 'skip' | 'send-now' | 'stop';

/** Everything about one person: what is under way, why, and what to do about it. */
export function PersonPage() {
  const { id } = page.useParams();
  const found = useStoreQuery(['contact', id], (api, signal) => contacts(api).get(id, { signal }));
  const begun = useStoreQuery(
    ['contact', id, 'enrollments'],
    (api, signal) => contacts(api).timeline(id, { kind: 'enrollment', limit: 100 }, { signal }),
    {
      live: true,
    },
  );
  return (
    <Answer of={found}>
      {(contact) => (
        <>
          <PageHeader title={nameOf(contact)} note={[contact.emails[0], contact.phones[0]].filter((one) => one !== undefined).join(' · ')}>
            <EraseButton id={id} name={nameOf(contact)} />
          </PageHeader>
          <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_20rem]">
            <div className="min-w-0 space-y-5">
              <Answer of={begun}>
                {({ data }) => {
                  const ids = [...new Set(data.flatMap(({ enrollment }) => (enrollment === null ? [] : [enrollment])))];
                  if (ids.length === 0)
                    return (
                      <Panel title="Sequences">
                        <Empty title="No sequence has begun about this person" />
                      </Panel>
                    );
                  return (
                    <>
                      {ids.slice(0, 5).map((enrollment) => (
                        <OneEnrollment key={enrollment} id={enrollment} />
                      ))}
                      {ids.length > 5 && <p className="text-soft">{ids.length - 5} older sequences are in the list below.</p>}
                    </>
                  );
                }}
              </Answer>
              <Timeline id={id} />
            </div>
            <Panel title="Details" className="xl:sticky xl:top-7">
              <Details of={contact} />
            </Panel>
          </div>
        </>
      )}
    </Answer>
  );
}

function Details({ of }: { of: Item<'GET /api/contacts'> }) {
  const list = (values: readonly string[]) =>
    values.length === 0
      ? '–'
      : values.map((value) => (
          <div key={value} className="ltr">
            {value}
          </div>
        ));
  return (
    <Facts
      of={[
        ['Email', list(of.emails)],
        ['Telephone', list(of.phones)],
        ['State', sentenceCase(plain(of.lifecycle.toLowerCase()))],
        ['Country', [of.country, of.region].filter((one) => one !== null).join(', ') || '–'],
        ['Language', of.locale ?? '–'],
        ['Time zone', of.time_zone ?? '–'],
        ['Known since', <Time key="since" at={of.created_at} as="date" />],
        [
          'Known there as',
          of.external_ids.length === 0
            ? '–'
            : of.external_ids.map(({ value, integration }) => <div key={`${integration} ${value}`}>{`${integration}: ${value}`}</div>),
        ],
      ]}
    />
  );
}

function OneEnrollment({ id }: { id: string }) {
  const { slug: store } = useStore();
  const found = useStoreQuery(['enrollment', id, 'explain'], (api, signal) => explain(api).enrollment(id, { signal }), { live: true });
  return (
    <Answer of={found}>
      {(explanation) => {
        const { enrollment } = explanation;
        const { subject } = enrollment;
        return (
          <Panel
            title={enrollment.sequence.name}
            note={readable(enrollment.summary)}
            aside={
              <span className="flex flex-wrap items-center gap-2 text-[0.8125rem] text-soft">
                {subject.value_minor !== null &&
                  subject.currency !== null &&
                  `${sentenceCase(subject.kind)} of ${formatMoney(subject.value_minor, subject.currency)}`}
                <EnrollmentStatus status={enrollment.status} reason={enrollment.stop_reason} />
              </span>
            }
          >
            <Waterfall of={explanation} />
            <div className="mt-3 flex flex-wrap items-center justify-between gap-2">
              <Actions of={enrollment} />
              <Link
                to="/$store/sequences/$slug"
                params={{ store, slug: enrollment.sequence.slug }}
                className="text-[0.8125rem] text-accent hover:underline"
              >
                The sequence
              </Link>
            </div>
          </Panel>
        );
      }}
    </Answer>
  );
}

const questions: Record<Action, { name: string; title: string; what: string }> = {
  takeover: {
    name: 'Take over',
    title: 'Answer this person yourself?',
    what: 'Nothing is sent to them by itself until you release them, or the hours of the store’s settings are over.',
  },
  release: { name: 'Release', title: 'Hand this person back?', what: 'The sequence goes on. Steps that became too old meanwhile are left out.' },
  pause: {
    name: 'Hold',
    title: 'Hold this sequence?',
    what: 'Nothing of this sequence is sent until somebody resumes it. Due times stay as they are.',
  },
  resume: { name: 'Resume', title: 'Let this sequence go on?', what: 'Steps that became too old meanwhile are left out.' },
  skip: { name: 'Skip next', title: 'Leave the next step out?', what: 'The step after it comes at its own time.' },
  'send-now': {
    name: 'Send next now',
    title: 'Send the next step now?',
    what: 'It is due at once, and still goes through every check: consent, quiet hours, how often they may hear from you.',
  },
  stop: { name: 'Stop', title: 'Stop this sequence for good?', what: 'Answered when no message of it can go out any more. It cannot be resumed.' },
};

function Actions({ of: enrollment }: { of: Enrollment }) {
  const { role } = useStore();
  const [asked, setAsked] = useState<Action | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const act = useAction(async (api, action: Action): Promise<Result<Enrollment | ActionDone>> => {
    const own = enrollments(api);
    switch (action) {
      case 'takeover':
        return own.takeover(enrollment.id);
      case 'release':
        return own.release(enrollment.id);
      case 'pause':
        return own.pause(enrollment.id, null);
      case 'resume':
        return own.resume(enrollment.id, null);
      case 'skip':
        return own.skip(enrollment.id, null);
      case 'send-now':
        return own.sendNow(enrollment.id, null);
      case 'stop':
        return own.stop(enrollment.id, null);
    }
  });
  if (!may(role, 'operate') || enrollment.ended_at !== null) return <span />;
  const choices: Action[] = [
    ...(enrollment.held === 'paused' ? (['resume'] as const) : (['pause'] as const)),
    ...(enrollment.held === 'takeover' ? (['release'] as const) : (['takeover'] as const)),
    ...(enrollment.next_step === null ? [] : (['send-now', 'skip'] as const)),
    'stop',
  ];
  const question = asked === null ? null : questions[asked];
  return (
    <div className="min-w-0">
      <div className="flex flex-wrap gap-2">
        {choices.map((action) => (
          <Button key={action} look={action === 'stop' ? 'danger' : 'plain'} onClick={() => setAsked(action)}>
            {questions[action].name}
          </Button>
        ))}
      </div>
      {said !== null && (
        <p role="status" className="mt-2 text-[0.8125rem] text-soft">
          {said}
        </p>
      )}
      <Dialog title={question?.title ?? ''} open={asked !== null} onClose={() => setAsked(null)}>
        <p className="mt-2 text-soft">{question?.what}</p>
        {act.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {act.error.message}
          </p>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setAsked(null)}>Cancel</Button>
          <Button
            look={asked === 'stop' ? 'danger' : 'main'}
            disabled={act.isPending}
            onClick={() => {
              if (asked === null) return;
              act.mutate(asked, {
                onSuccess: (done) => {
                  setSaid(readable('sentence' in done ? done.sentence : done.summary));
                  setAsked(null);
                },
              });
            }}
          >
            {question?.name}
          </Button>
        </div>
      </Dialog>
    </div>
  );
}

const kinds = [
  { value: 'all', name: 'Everything' },
  { value: 'message', name: 'Messages' },
  { value: 'event', name: 'Events' },
  { value: 'decision', name: 'Decisions' },
  { value: 'consent', name: 'Consents' },
  { value: 'order', name: 'Orders' },
] as const;

function Timeline({ id }: { id: string }) {
  const team = useTeamNames();
  const sequenceName = useSequenceNames();
  const { kind } = page.useSearch();
  const navigate = page.useNavigate();
  const pages = usePages(
    ['contact', id, 'timeline', kind],
    (api, given, signal) => contacts(api).timeline(id, { ...given, ...(kind === 'all' ? {} : { kind }) }, { signal }),
    { live: true },
  );
  return (
    <Panel
      title="What happened"
      flush
      aside={
        <Choice
          label="Show"
          value={kind}
          options={kinds}
          onChange={(value) => void navigate({ search: { kind: value }, replace: true, resetScroll: false })}
        />
      }
    >
      <AllPages of={pages} empty={<Empty title="Nothing of this kind" />}>
        {(rows) => (
          <ol className="divide-y divide-line border-t border-line">
            {rows.map((entry) => (
              <li key={entry.id} className="grid grid-cols-[6.5rem_minmax(0,1fr)] gap-x-3 px-4 py-2">
                <span className="text-xs leading-5 text-soft">
                  <Time at={entry.at} />
                </span>
                <div className="min-w-0">
                  <p className="break-words">{readable(entry.sentence, team, sequenceName)}</p>
                  <p className="text-xs text-soft">
                    <Badge>{plain(entry.kind)}</Badge> {plain(entry.type.replaceAll('.', ' '))}
                  </p>
                </div>
              </li>
            ))}
          </ol>
        )}
      </AllPages>
    </Panel>
  );
}

/** Taken back by nothing, so it counts first, and wants the word typed. */
function EraseButton({ id, name }: { id: string; name: string }) {
  const { role, slug } = useStore();
  const navigate = useNavigate();
  const [asked, setAsked] = useState(false);
  const [typed, setTyped] = useState('');
  const counted = useStoreQuery(['contact', id, 'erasure'], (api, signal) => erasures(api).request(id, { dry_run: true }, { signal }), {
    enabled: asked,
  });
  const erase = useAction((api, whose: string) => erasures(api).request(whose, null));
  if (!may(role, 'administer')) return null;
  const close = () => {
    setAsked(false);
    setTyped('');
  };
  return (
    <>
      <Button look="danger" onClick={() => setAsked(true)}>
        Erase
      </Button>
      <Dialog title={`Erase ${name}?`} open={asked} onClose={close}>
        <div className="mt-2 space-y-3 text-soft">
          <p>
            Every sequence of theirs ends, and what is known about them is taken away everywhere. A receipt stays, and hashes by which their addresses
            get nothing any more. It cannot be undone.
          </p>
          <Answer of={counted}>
            {(found) => (
              <p>
                {'dry_run' in found
                  ? `Messages: ${found.messages} · carts, leads or accounts: ${found.subjects} · addresses and ids: ${found.identities} · sequences under way: ${found.open_enrollments}`
                  : null}
              </p>
            )}
          </Answer>
          <TextField label="Type “erase” to go on" value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" />
          <Fault>{erase.error?.message}</Fault>
        </div>
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={close}>Cancel</Button>
          <Button
            look="danger"
            disabled={typed.trim().toLowerCase() !== 'erase' || erase.isPending}
            onClick={() => erase.mutate(id, { onSuccess: () => void navigate({ to: '/$store/people', params: { store: slug }, search: { q: '' } }) })}
          >
            Erase for good
          </Button>
        </div>
      </Dialog>
    </>
  );
}

const Fault = ({ children }: { children: ReactNode }) =>
  children === undefined || children === null ? null : (
    <p role="alert" className="text-bad">
      {children}
    </p>
  );
