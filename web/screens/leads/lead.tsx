import { channelName, readable } from '../../parts/words.ts';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { leads } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { buttonLook } from '../../parts/button.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { EnrollmentStatus, statusOf } from '../../parts/enrollment-status.tsx';
import { formatNumber, plain, sentenceCase } from '../../parts/format.ts';
import { Facts } from '../../parts/labelled.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { BeginAgain, BeginFor } from './begin.tsx';
import { leadName, sourceWord } from './lead-words.ts';

const page = getRouteApi('/$store/leads/$id');
type LeadDetails = Data<'GET /api/leads/{id}'>;
type Attempt = LeadDetails['attempts'][number];

/** One lead: what they asked about, what was tried, and the way into a sequence or a campaign. */
export function LeadPage() {
  const { id } = page.useParams();
  const { slug: store, role } = useStore();
  const [said, setSaid] = useState<string | null>(null);
  const found = useStoreQuery(['lead', id], (api, signal) => leads(api).get(id, { signal }), { live: true });
  return (
    <Answer of={found}>
      {(lead) => (
        <>
          <PageHeader
            title={
              <span className="flex flex-wrap items-center gap-2">
                {leadName(lead)} <Badge>{plain(lead.status.toLowerCase())}</Badge>
              </span>
            }
            note={lead.interest === null ? undefined : `Asked about ${lead.interest}`}
          >
            {lead.contact !== null && (
              <Link to="/$store/people/$id" params={{ store, id: lead.contact }} className={buttonLook()}>
                Everything about the person
              </Link>
            )}
            {may(role, 'operate') && <BeginFor lead={lead} onSaid={setSaid} />}
          </PageHeader>
          {said !== null && (
            <p role="status" className="mb-5 rounded-lg border border-line bg-accent-soft p-3">
              {said}
            </p>
          )}
          <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_20rem]">
            <div className="min-w-0 space-y-5">
              <Begun of={lead} onSaid={setSaid} />
              <Attempts of={lead.attempts} />
            </div>
            <div className="min-w-0 space-y-5">
              <Panel title="Details">
                <Details of={lead} />
              </Panel>
              <Silence id={id} />
            </div>
          </div>
        </>
      )}
    </Answer>
  );
}

function Begun({ of: lead, onSaid }: { of: LeadDetails; onSaid: (said: string) => void }) {
  const { slug: store, role } = useStore();
  return (
    <Panel title="Sequences" flush>
      {lead.enrollments.length === 0 ? (
        <Empty title="No sequence has begun about this lead" />
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {lead.enrollments.toReversed().map((one) => {
            const status = statusOf(one.status);
            return (
              <li key={one.id} className="flex flex-wrap items-start justify-between gap-3 px-4 py-3">
                <div className="min-w-0 flex-1">
                  <p className="flex flex-wrap items-center gap-2">
                    <Link to="/$store/sequences/$slug" params={{ store, slug: one.sequence }} className="font-medium hover:underline">
                      {sentenceCase(plain(one.sequence))}
                    </Link>
                    {status !== null && <EnrollmentStatus status={status} reason={one.exitReason} />}
                  </p>
                  <p className="text-[0.8125rem] break-words">{readable(one.summary)}</p>
                  <p className="mt-0.5 text-xs text-soft">
                    began <Time at={one.enrolledAt} /> · {one.completedSteps === 1 ? 'one step' : `${formatNumber(one.completedSteps)} steps`} done
                    {one.nextExecuteAt !== null && (
                      <>
                        {' '}
                        · next <Time at={one.nextExecuteAt} />
                      </>
                    )}
                  </p>
                </div>
                {may(role, 'operate') && (status === 'EXITED' || status === 'COMPLETED') && <BeginAgain enrollment={one.id} onSaid={onSaid} />}
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}

const attemptWords: Record<Attempt['status'], [tone: Tone, word: string]> = {
  SCHEDULED: ['accent', 'planned'],
  RUNNING: ['accent', 'under way'],
  SUCCESS: ['good', 'reached them'],
  FAILED: ['warn', 'failed'],
};

function Attempts({ of: attempts }: { of: readonly Attempt[] }) {
  return (
    <Panel title="Every try to reach them" flush>
      {attempts.length === 0 ? (
        <Empty title="Nothing was tried yet" />
      ) : (
        <DataList
          label="Tries to reach them"
          rows={attempts.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1)).map((one, index) => ({ ...one, index }))}
          idOf={({ index }) => String(index)}
          columns={[
            { name: 'When', cell: ({ startedAt }) => <Time at={startedAt} /> },
            { name: 'Step', cell: ({ step }) => sentenceCase(plain(step)) },
            { name: 'By', cell: ({ channel }) => (channel === null ? '' : channelName(channel)) },
            {
              name: 'State',
              cell: ({ status }) => {
                const [tone, word] = attemptWords[status];
                return <Badge tone={tone}>{word}</Badge>;
              },
            },
            {
              name: 'What came of it',
              wide: 'below',
              cell: ({ notes, transcript }) => (
                <>
                  {notes}
                  {transcript !== null && (
                    <details>
                      <summary className="cursor-pointer text-accent">What was said</summary>
                      <p className="whitespace-pre-wrap">{transcript}</p>
                    </details>
                  )}
                </>
              ),
            },
          ]}
        />
      )}
    </Panel>
  );
}

function Details({ of: lead }: { of: LeadDetails }) {
  const { slug: store } = useStore();
  const ltr = (text: string | null) => (text === null ? '–' : <span className="ltr">{text}</span>);
  return (
    <Facts
      of={[
        ['Email', ltr(lead.email)],
        ['Telephone', ltr(lead.phone)],
        ['From', sourceWord(lead)],
        [
          'Campaigns',
          lead.campaigns.length === 0
            ? '–'
            : lead.campaigns.map(({ id, name }) => (
                <div key={id}>
                  <Link to="/$store/campaigns/$id" params={{ store, id }} className="text-accent hover:underline">
                    {name}
                  </Link>
                </div>
              )),
        ],
        ['Known there as', ltr(lead.externalId)],
        ['Came', <Time key="came" at={lead.createdAt} as="date" />],
        ...(lead.duplicateOf === null
          ? []
          : [
              [
                'Came before as',
                <Link key="before" to="/$store/leads/$id" params={{ store, id: lead.duplicateOf }} className="text-accent hover:underline">
                  an earlier lead
                </Link>,
              ] as const,
            ]),
      ]}
    />
  );
}

const silences: Record<string, string> = {
  none: 'in touch within the last day',
};

function Silence({ id }: { id: string }) {
  const found = useStoreQuery(['lead', id, 'abandonment'], (api, signal) => leads(api).abandonment(id, { signal }), { live: true });
  return (
    <Panel title="How silent they are">
      <Answer of={found}>
        {(silence) => (
          <Facts
            of={[
              ['Last contact', <Time key="last" at={new Date(silence.last_contact_timestamp * 1_000).toISOString()} />],
              ['Silence', silences[silence.stage] ?? sentenceCase(plain(silence.stage))],
              ['Messages about it', silence.eligible ? 'may still be sent' : `none: ${plain(silence.reason)}`],
              ...(silence.abandonment === null ? [] : [['Tries in it', formatNumber(silence.abandonment.recovery_attempt_count)] as const]),
            ]}
          />
        )}
      </Answer>
    </Panel>
  );
}
