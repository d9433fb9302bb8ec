import { channelWord } from '../../parts/words.ts';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { sequences } from '../../../sdk/index.ts';
import { BulkActions } from '../../parts/bulk-actions.tsx';
import { Button, buttonLook } from '../../parts/button.tsx';
import { Choice } from '../../parts/choice.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { EnrollmentStatus } from '../../parts/enrollment-status.tsx';
import { Figure } from '../../parts/figure.tsx';
import { formatAmount, formatDuration, formatNumber, formatShare, plain, sentenceCase } from '../../parts/format.ts';
import { AllPages, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { nameOf, usePeopleNames } from '../../parts/people-names.ts';
import { Answer, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { riverOf } from './river.ts';
import { RiverPicture } from './river-picture.tsx';
import { SequenceStatus } from './sequence-status.tsx';

const page = getRouteApi('/$store/sequences/$slug');
type Details = Data<'GET /api/sequences/{slug}'>;
type Stats = Data<'GET /api/sequences/{slug}/stats'>;

/** One sequence: its steps, what they come to, and who stands where. */
export function SequencePage() {
  const { slug } = page.useParams();
  const { days } = page.useSearch();
  const { slug: store, role } = useStore();
  const navigate = page.useNavigate();
  const found = useStoreQuery(['sequence', slug], (api, signal) => sequences(api).get(slug, { signal }), { live: true });
  const stats = useStoreQuery(['sequence', slug, 'stats', days], (api, signal) => sequences(api).stats(slug, { days: Number(days) }, { signal }), {
    keep: true,
  });
  return (
    <Answer of={found}>
      {(sequence) => (
        <>
          <PageHeader
            title={
              <span className="flex flex-wrap items-center gap-2">
                {sequence.name} <SequenceStatus of={sequence} />
              </span>
            }
            note={sequence.description ?? undefined}
          >
            <Choice
              label="Over"
              value={days}
              options={[
                { value: '7', name: '7 days' },
                { value: '30', name: '30 days' },
                { value: '90', name: '90 days' },
              ]}
              onChange={(value) => void navigate({ search: (old) => ({ ...old, days: value }), replace: true })}
            />
            <Link to="/$store/sequences/$slug/edit" params={{ store, slug }} className={buttonLook()}>
              {may(role, 'edit') ? 'Edit' : 'Look at its texts'}
            </Link>
            <Link to="/$store/sequences/$slug/rehearse" params={{ store, slug }} className={buttonLook()}>
              Rehearse
            </Link>
            <PauseButton sequence={sequence} />
          </PageHeader>
          <div className="space-y-5">
            <Answer of={stats}>
              {(data) => (
                <>
                  <Totals of={data} />
                  <Panel
                    title="The way through"
                    note="The width is the people who are still in. People leave after the last message that they got. Open a branch to see who they are."
                  >
                    {data.enrolled === 0 ? (
                      <Empty title="Nobody has begun in these days" />
                    ) : (
                      <RiverPicture
                        river={riverOf(data)}
                        onOpen={({ status, reason = '', step = '' }) => {
                          void navigate({ search: (old) => ({ ...old, status, reason, step }), replace: true, resetScroll: false });
                          document.getElementById('who')?.scrollIntoView({ block: 'start' });
                        }}
                      />
                    )}
                  </Panel>
                  <Steps of={data} sequence={sequence} />
                </>
              )}
            </Answer>
            <Who slug={slug} since={stats.data?.since ?? null} />
          </div>
        </>
      )}
    </Answer>
  );
}

function Totals({ of }: { of: Stats }) {
  return (
    <section aria-label="Figures" className="grid grid-cols-2 gap-x-6 gap-y-5 rounded-lg border border-line bg-surface p-4 sm:grid-cols-4">
      <Figure
        name="Began"
        value={formatNumber(of.enrolled)}
        note={`${formatNumber(of.heldOut)} left out by chance`}
        means={<p>People whose sequence began in these days, without those who are left out by chance.</p>}
      />
      <Figure
        name="Conversion rate"
        value={of.conversionRate.rate === null ? '–' : formatShare(of.conversionRate.rate)}
        note={
          of.conversionRate.interval === null
            ? 'nobody yet'
            : `${formatShare(of.conversionRate.interval.low)} to ${formatShare(of.conversionRate.interval.high)}`
        }
        means={<p>Of those who began, the share that ordered. Below: where the true share lies, 95 times of 100.</p>}
      />
      <Figure
        name="Attributed revenue"
        value={
          of.revenue.length === 0
            ? '–'
            : of.revenue.map(({ amount, currency }) => (
                <span key={currency} className="block">
                  {formatAmount(Number(amount), currency)}
                </span>
              ))
        }
        note={
          of.revenue.length === 0
            ? 'no order yet'
            : `${of.revenue.map(({ perEnrolled, currency }) => formatAmount(perEnrolled, currency)).join(', ')} for each who began`
        }
        means={<p>What their orders came to, less refunds and cancellations. Some would have ordered without any message.</p>}
      />
      <Figure
        name="Time to order"
        value={of.timeToConversionSeconds.median === null ? '–' : formatDuration(of.timeToConversionSeconds.median)}
        note="half were faster"
        means={<p>From the begin of the sequence to the order. Half of all orders came sooner.</p>}
      />
    </section>
  );
}

function Steps({ of, sequence }: { of: Stats; sequence: Details }) {
  const planned = new Map(sequence.steps.map((step) => [step.id, step]));
  return (
    <Panel
      title="Steps"
      note={of.largestDropOff === null ? undefined : `Most are lost behind “${plain(of.largestDropOff.step)}”. ${of.largestDropOff.advice}`}
      flush
    >
      <DataList
        label="Steps"
        rows={of.steps}
        idOf={({ step }) => step}
        columns={[
          { name: 'Step', cell: ({ step }) => <span className="font-medium">{sentenceCase(plain(step))}</span> },
          { name: 'When', wide: true, cell: ({ step }) => whenOf(planned.get(step)) },
          { name: 'By', wide: true, cell: ({ step }) => sentenceCase(planned.get(step)?.channels.map(channelWord).join(', then ') ?? '') },
          { name: 'Due', align: 'end', cell: ({ entered }) => formatNumber(entered) },
          { name: 'Went out', align: 'end', cell: ({ executed }) => formatNumber(executed) },
          { name: 'Opened', align: 'end', wide: true, cell: ({ opened }) => formatNumber(opened) },
          { name: 'Clicked', align: 'end', wide: true, cell: ({ clicked }) => formatNumber(clicked) },
          { name: 'Bought after it', align: 'end', cell: ({ converted }) => formatNumber(converted) },
        ]}
      />
    </Panel>
  );
}

function whenOf(step: Details['steps'][number] | undefined): string {
  if (step === undefined) return 'no longer planned';
  const delay = `${step.delayValue} ${step.delayValue === 1 ? step.delayUnit.slice(0, -1) : step.delayUnit}`;
  if (step.anchor === 'event') return `${delay} after something happens`;
  return step.anchor === 'previous' ? `${delay} after the one before` : `after ${delay}`;
}

const statuses = [
  { value: 'all', name: 'All' },
  { value: 'ACTIVE', name: 'Running' },
  { value: 'PAUSED', name: 'On hold' },
  { value: 'CONVERTED', name: 'Bought' },
  { value: 'COMPLETED', name: 'Completed' },
  { value: 'EXITED', name: 'Ended' },
] as const;

/** `opted out, after email 2h`. */
const branchName = (reason: string, step: string): string =>
  [...(reason === '' ? [] : [plain(reason)]), ...(step === '' ? [] : [step === '-' ? 'before any message' : `after ${plain(step)}`])].join(', ');

/** @param since - where the figures begin: behind a branch of the river stand those whom it counts */
function Who({ slug, since }: { slug: string; since: string | null }) {
  const { slug: store } = useStore();
  const { status, reason, step } = page.useSearch();
  const isBranch = reason !== '' || step !== '';
  const navigate = page.useNavigate();
  const pages = usePages(
    ['sequence', slug, 'who', status, reason, step, isBranch ? since : null],
    (api, given, signal) =>
      sequences(api).enrollments(
        slug,
        {
          ...given,
          ...(status === 'all' ? {} : { status }),
          ...(reason === '' ? {} : { reason }),
          ...(step === '' ? {} : { lastStep: step }),
          ...(isBranch && since !== null ? { since } : {}),
        },
        { signal },
      ),
    { live: true },
  );
  const names = usePeopleNames(pages.data?.pages.at(-1)?.data.map(({ contact }) => contact) ?? []);
  const known = usePeopleNames(pages.data?.pages[0]?.data.map(({ contact }) => contact) ?? []);
  return (
    <Panel
      title="Who is where"
      flush
      aside={
        <span className="flex flex-wrap items-center gap-2">
          <Choice
            label="Show"
            value={status}
            options={statuses}
            onChange={(value) =>
              void navigate({ search: (old) => ({ ...old, status: value, reason: '', step: '' }), replace: true, resetScroll: false })
            }
          />
          {isBranch && (
            <Button onClick={() => void navigate({ search: (old) => ({ ...old, reason: '', step: '' }), replace: true, resetScroll: false })}>
              Only: {branchName(reason, step)} <span aria-hidden="true">×</span>
              <span className="sr-only">, show the others too</span>
            </Button>
          )}
          {/* Who has ended by a reason is in it no more: there is nothing to do for them. */}
          {!isBranch && (
            <BulkActions
              filter={{ sequence: slug, ...(status === 'all' ? {} : { status }) }}
              about="everybody in this sequence whom this list shows"
            />
          )}
        </span>
      }
    >
      <div id="who">
        <AllPages of={pages} empty={<Empty title="Nobody">Nobody in this sequence stands there.</Empty>}>
          {(rows) => (
            <DataList
              label="People in this sequence"
              rows={rows}
              idOf={({ id }) => id}
              linkOf={({ contact }) => ({ to: '/$store/people/$id', params: { store, id: contact } })}
              columns={[
                {
                  name: 'Person',
                  cell: ({ contact }) => {
                    const person = names.get(contact) ?? known.get(contact);
                    return person === undefined ? '…' : nameOf(person);
                  },
                },
                { name: 'State', cell: (row) => <EnrollmentStatus status={row.status} reason={row.exitReason} /> },
                { name: 'Steps done', align: 'end', wide: true, cell: ({ completedSteps }) => formatNumber(completedSteps.length) },
                { name: 'Next', cell: ({ nextExecuteAt }) => (nextExecuteAt === null ? '' : <Time at={nextExecuteAt} />) },
                { name: 'Began', align: 'end', wide: true, cell: ({ enrolledAt }) => <Time at={enrolledAt} /> },
              ]}
            />
          )}
        </AllPages>
      </div>
    </Panel>
  );
}

function PauseButton({ sequence }: { sequence: Details }) {
  const { role } = useStore();
  const [asked, setAsked] = useState(false);
  const change = useAction((api, pause: boolean) => (pause ? sequences(api).pause(sequence.slug, null) : sequences(api).resume(sequence.slug, null)));
  if (!may(role, 'edit') || sequence.status !== 'ACTIVE') return null;
  const pause = !sequence.paused;
  return (
    <>
      <Button onClick={() => setAsked(true)}>{pause ? 'Pause' : 'Resume'}</Button>
      <Dialog title={pause ? `Pause “${sequence.name}”?` : `Resume “${sequence.name}”?`} open={asked} onClose={() => setAsked(false)}>
        <p className="mt-2 text-soft">
          {pause
            ? `${formatNumber(sequence.open_enrollments)} people are in it. Nothing goes out to them until it is resumed; steps that become too old meanwhile are left out.`
            : 'What is overdue goes out bit by bit, and what has become too old is left out.'}
        </p>
        {change.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {change.error.message}
          </p>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setAsked(false)}>Cancel</Button>
          <Button look="main" disabled={change.isPending} onClick={() => change.mutate(pause, { onSuccess: () => setAsked(false) })}>
            {pause ? 'Pause' : 'Resume'}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
