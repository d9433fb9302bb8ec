import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Data, Item } from '../../../sdk/index.ts';
import { campaigns } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { BulkActions } from '../../parts/bulk-actions.tsx';
import { Button } from '../../parts/button.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { EnrollmentStatus, statusOf } from '../../parts/enrollment-status.tsx';
import { ExportCsv } from '../../parts/export-csv.tsx';
import { Figure } from '../../parts/figure.tsx';
import { formatDuration, formatNumber, formatShare, plain, sentenceCase } from '../../parts/format.ts';
import { Facts } from '../../parts/labelled.tsx';
import { AllPages, type PageAsk, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { nameOf, usePeopleNames } from '../../parts/people-names.ts';
import { Answer, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { sourceName } from '../leads/lead-words.ts';
import { CampaignForm } from './campaign-form.tsx';
import { CampaignStatus } from './campaign-status.tsx';
import { EnrollLeads } from './enroll-leads.tsx';

const page = getRouteApi('/$store/campaigns/$id');
type CampaignDetails = Data<'GET /api/campaigns/{id}'>;
type Lead = Item<'GET /api/campaigns/{id}/leads'>;

/** One campaign: what it takes, what keeps it from contacting somebody, and its leads. */
export function CampaignPage() {
  const { id } = page.useParams();
  const { slug: store, role } = useStore();
  const [changing, setChanging] = useState(false);
  const found = useStoreQuery(['campaign', id], (api, signal) => campaigns(api).get(id, { signal }), { live: true });
  return (
    <Answer of={found}>
      {(campaign) => (
        <>
          <PageHeader
            title={
              <span className="flex flex-wrap items-center gap-2">
                {campaign.name} <CampaignStatus of={campaign} />
              </span>
            }
            note={
              <Link to="/$store/campaigns" params={{ store }} className="text-accent underline">
                All campaigns
              </Link>
            }
          >
            {may(role, 'edit') && campaign.status !== 'ENDED' && (
              <>
                <Button onClick={() => setChanging(true)}>Change</Button>
                <StatusButtons of={campaign} />
              </>
            )}
          </PageHeader>
          <div className="space-y-5">
            {campaign.notes.length > 0 && (
              <ul className="space-y-1 rounded-lg border border-line bg-warn-soft p-4 text-warn">
                {campaign.notes.map((note) => (
                  <li key={note}>{note}</li>
                ))}
              </ul>
            )}
            <Figures of={campaign} />
            <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_20rem]">
              <Leads of={campaign} />
              <Panel title="How it works">
                <HowItWorks of={campaign} />
              </Panel>
            </div>
          </div>
          <CampaignForm campaign={campaign} open={changing} onClose={() => setChanging(false)} onSaved={() => setChanging(false)} />
        </>
      )}
    </Answer>
  );
}

function Figures({ of }: { of: CampaignDetails }) {
  const refused = Object.entries(of.notInSequence);
  return (
    <section aria-label="Figures" className="grid grid-cols-2 gap-x-6 gap-y-5 rounded-lg border border-line bg-surface p-4 sm:grid-cols-4">
      <Figure
        name="Leads"
        value={formatNumber(of.leads)}
        note={of.autoAssign?.maxLeads === null || of.autoAssign === null ? undefined : `of ${formatNumber(of.autoAssign.maxLeads)} that it takes`}
        means={<p>People whom it has taken: by itself by where they came from, or by hand.</p>}
      />
      <Figure name="In its sequence" value={formatNumber(of.open)} means={<p>Those for whom its sequence is under way now.</p>} />
      <Figure
        name="Converted"
        value={formatNumber(of.converted)}
        note={of.leads === 0 ? undefined : `${formatShare(of.converted / of.leads)} of its leads`}
        means={<p>Those whose sequence ended because they did what it is for, such as a purchase or a booked visit.</p>}
      />
      <Figure
        name="Not begun"
        value={formatNumber(of.toEnroll.not_enrolled)}
        note={refused.length === 0 ? undefined : refused.map(([reason, count]) => `${plain(reason)}: ${formatNumber(count)}`).join(' · ')}
        means={
          <>
            <p>Leads for whom its sequence has never begun, and what kept it from beginning when it was tried last.</p>
            <p>Their rows in the list below say why for each.</p>
          </>
        }
      />
    </section>
  );
}

function HowItWorks({ of }: { of: CampaignDetails }) {
  const { slug: store } = useStore();
  return (
    <Facts
      of={[
        ['Takes from', of.autoAssign === null ? 'nowhere by itself' : of.autoAssign.sources.map(sourceName).join(', ')],
        [
          'Sequence',
          of.sequence === null ? (
            '–'
          ) : (
            <Link key="sequence" to="/$store/sequences/$slug" params={{ store, slug: of.sequence }} className="text-accent hover:underline">
              {sentenceCase(plain(of.sequence))}
            </Link>
          ),
        ],
        ['Days', of.schedule === null ? 'every day' : of.schedule.days.map(sentenceCase).join(', ')],
        ['Hours', of.schedule === null ? 'whenever the store may write' : `${of.schedule.from} to ${of.schedule.to}, on the lead’s clock`],
        ['Pace', of.rate === null ? 'as they come due' : `${formatNumber(of.rate.most)} in ${formatDuration(of.rate.withinSeconds)} at most`],
        ['Made', <Time key="made" at={of.createdAt} as="date" />],
        ...(of.endedAt === null ? [] : [['Ended', <Time key="ended" at={of.endedAt} as="date" />] as const]),
      ]}
    />
  );
}

const changes = {
  PAUSED: {
    name: 'Pause',
    title: 'Pause this campaign?',
    what: 'It takes no leads, and nothing is sent to those it has until it is resumed. Due times stay as they are.',
  },
  ACTIVE: {
    name: 'Resume',
    title: 'Let this campaign go on?',
    what: 'What is overdue goes out bit by bit, and what has become too old is left out.',
  },
  ENDED: { name: 'End', title: 'End this campaign for good?', what: 'Everybody who is in its sequence leaves it. It cannot be begun again.' },
} as const;

function StatusButtons({ of }: { of: CampaignDetails }) {
  const [asked, setAsked] = useState<keyof typeof changes | null>(null);
  const change = useAction((api, status: keyof typeof changes) => campaigns(api).update(of.id, { status }));
  const next = of.status === 'ACTIVE' ? 'PAUSED' : 'ACTIVE';
  const question = asked === null ? null : changes[asked];
  return (
    <>
      <Button onClick={() => setAsked(next)}>{changes[next].name}</Button>
      <Button look="danger" onClick={() => setAsked('ENDED')}>
        {changes.ENDED.name}
      </Button>
      <Dialog title={question?.title ?? ''} open={asked !== null} onClose={() => setAsked(null)}>
        <p className="mt-2 text-soft">
          {of.open === 1 ? 'One person is' : `${formatNumber(of.open)} people are`} in its sequence. {question?.what}
        </p>
        {change.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {change.error.message}
          </p>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setAsked(null)}>Cancel</Button>
          <Button
            look={asked === 'ENDED' ? 'danger' : 'main'}
            disabled={change.isPending}
            onClick={() => asked !== null && change.mutate(asked, { onSuccess: () => setAsked(null) })}
          >
            {question?.name}
          </Button>
        </div>
      </Dialog>
    </>
  );
}

const cameBy: Record<Lead['cameBy'], string> = { routing: 'by its source', hand: 'by hand', bulk: 'with many' };

function Leads({ of }: { of: CampaignDetails }) {
  const { slug: store, role } = useStore();
  const ask: PageAsk<Lead> = (api, given, signal) => campaigns(api).leads(of.id, given, { signal });
  const pages = usePages(['campaign', of.id, 'leads'], ask, { live: true });
  const ids = (at: number) => pages.data?.pages.at(at)?.data.flatMap(({ contact }) => (contact === null ? [] : [contact])) ?? [];
  const first = usePeopleNames(ids(0));
  const last = usePeopleNames(ids(-1));
  return (
    <Panel
      title="Its leads"
      note="The newest first."
      flush
      aside={
        <span className="flex flex-wrap items-center gap-2">
          {may(role, 'edit') && <EnrollLeads of={of} />}
          <BulkActions filter={{ campaign_id: of.id }} about={`everybody in the sequence of “${of.name}”`} />
          <ExportCsv name="campaign-leads" ask={ask} />
        </span>
      }
    >
      <AllPages
        of={pages}
        empty={<Empty title="No lead yet">It takes new leads as they come in by its sources; a lead’s own page puts one in by hand.</Empty>}
      >
        {(rows) => (
          <DataList
            label="Leads of this campaign"
            rows={rows}
            idOf={({ lead }) => lead}
            linkOf={({ lead }) => ({ to: '/$store/leads/$id', params: { store, id: lead } })}
            columns={[
              {
                name: 'Lead',
                cell: ({ contact }) => {
                  if (contact === null) return 'Somebody unknown';
                  const person = last.get(contact) ?? first.get(contact);
                  return person === undefined ? '…' : nameOf(person);
                },
              },
              {
                name: 'State',
                cell: ({ enrollmentStatus, reason }) => {
                  const status = statusOf(enrollmentStatus);
                  return (
                    <span className="inline-flex flex-wrap gap-1.5">
                      {status !== null && <EnrollmentStatus status={status} />}
                      {reason !== null && <Badge tone="warn">not begun: {plain(reason)}</Badge>}
                    </span>
                  );
                },
              },
              { name: 'Came', wide: true, cell: (row) => cameBy[row.cameBy] },
              { name: 'When', align: 'end', cell: ({ at }) => <Time at={at} /> },
            ]}
          />
        )}
      </AllPages>
    </Panel>
  );
}
