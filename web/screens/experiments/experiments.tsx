import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { experiments, variants } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Choice, Select } from '../../parts/choice.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { ExportCsv } from '../../parts/export-csv.tsx';
import { Definition } from '../../parts/figure.tsx';
import { formatDayTime, formatNumber, formatShare, plain } from '../../parts/format.ts';
import { AllPages, type PageAsk, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { Guardrails, Revenue } from './beside.tsx';
import { IntervalPicture } from './interval-picture.tsx';
import { Narrowing } from './narrowing.tsx';
import { type Experiment, verdictOf } from './verdict.ts';

const page = getRouteApi('/$store/experiments');
type StepVariants = Data<'GET /api/variants'>['data'][number];

/** Texts that are compared by chance: what each brought, and whether the difference is certain. */
export function Experiments() {
  const { status, equal } = page.useSearch();
  const navigate = page.useNavigate();
  const change = (next: Partial<ReturnType<typeof page.useSearch>>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  const ask: PageAsk<Experiment> = (api, given, signal) => experiments(api).list({ ...given, ...(status === 'all' ? {} : { status }) }, { signal });
  const pages = usePages(['experiments', status], ask, { live: true, limit: 20 });
  const steps = useStoreQuery(['variants'], (api, signal) => variants(api).list({ signal }), { live: true });
  return (
    <>
      <PageHeader
        title="Tests"
        note="Two or more texts for the same step, given out by chance. A test ends by itself once one sells better for certain."
      >
        <Select
          label="Does not matter below"
          value={equal}
          options={equalBands.map((value) => ({ value, name: value === '1' ? '1 point' : `${value} points` }))}
          onChange={(value) => change({ equal: equalBands.find((one) => one === value) ?? '1' })}
        />
        <Choice
          label="Show"
          value={status}
          options={[
            { value: 'all', name: 'All' },
            { value: 'RUNNING', name: 'Running' },
            { value: 'DECIDED', name: 'Decided' },
            { value: 'STOPPED', name: 'Stopped' },
          ]}
          onChange={(value) => change({ status: value })}
        />
        <ExportCsv name="tests" ask={ask} />
      </PageHeader>
      <AllPages
        of={pages}
        empty={
          <Panel title="Tests">
            <Empty title={status === 'all' ? 'Nothing is compared yet' : 'No such test'}>
              {status === 'all'
                ? 'Give a step of a sequence two variants, or a campaign two scripts: each person gets one of them by chance, and this page says which sells better.'
                : 'Choose another state above.'}
            </Empty>
          </Panel>
        }
      >
        {(rows) => (
          <div className="space-y-5 pb-5">
            {rows.map((row) => (
              <OneTest
                key={row.id}
                test={row}
                band={Number(equal)}
                step={steps.data?.data.find(({ sequence, step }) => sequence === row.sequence && step === row.step)}
              />
            ))}
          </div>
        )}
      </AllPages>
    </>
  );
}

/** Percentage points that a reader may hold for no difference. */
const equalBands = ['0.5', '1', '2', '5'] as const;

const statuses: Record<Experiment['status'], [Tone, string]> = {
  RUNNING: ['accent', 'running'],
  DECIDED: ['good', 'decided'],
  STOPPED: ['neutral', 'stopped'],
};
const takeovers: Record<NonNullable<Experiment['takeover']>, [Tone, string]> = {
  suggested: ['warn', 'winner waits for you'],
  applied: ['good', 'winner took over'],
  dismissed: ['neutral', 'left as it was'],
};

function OneTest({ test, band, step }: { test: Experiment; band: number; step: StepVariants | undefined }) {
  const { slug: store } = useStore();
  const [tone, word] = statuses[test.status];
  const over = test.ended_at;
  const title =
    test.sequence === null
      ? `${test.campaign_name ?? 'A campaign'}: ${(test.channel ?? '').toLowerCase()}`
      : `${step?.name ?? test.sequence}: ${test.step === null ? 'the whole sequence' : plain(test.step)}`;
  return (
    <Panel
      title={title}
      note={
        <>
          Since <Time at={test.started_at} as="date" />
          {over !== null && (
            <>
              , ended <Time at={over} as="date" />
            </>
          )}
          {test.sequence !== null && (
            <>
              {' · '}
              <Link to="/$store/sequences/$slug" params={{ store, slug: test.sequence }} className="text-accent underline">
                the sequence
              </Link>
            </>
          )}
        </>
      }
      aside={
        <span className="flex flex-wrap gap-1.5">
          <Badge tone={tone}>{word}</Badge>
          {test.takeover !== null && <Badge tone={takeovers[test.takeover][0]}>{takeovers[test.takeover][1]}</Badge>}
        </span>
      }
    >
      <p className="mb-3 font-medium text-balance">{verdictOf(test, band)}</p>
      <IntervalPicture of={test} band={band} />
      <Narrowing of={test} band={band} />
      <Arms of={test} label={`Variants of ${title}, since ${formatDayTime(test.started_at)}`} />
      <Revenue of={test} />
      <Guardrails of={test} label={`${title}, since ${formatDayTime(test.started_at)}`} />
      <div className="mt-3 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p className="flex flex-wrap gap-x-4 gap-y-1 text-[0.8125rem] text-soft">
          {test.mode === 'test' && <Ratio of={test} ratio={step?.sample_ratio ?? null} />}
          {test.p !== null && (
            <Definition of={`p = ${test.p < 0.001 ? 'below 0.001' : formatNumber(Number(test.p.toFixed(3)))}`}>
              <p>
                How likely differences as large as these are, at any look, where there are none. Below 0.05 the test is decided. However often you
                look, it stays right.
              </p>
            </Definition>
          )}
          <Definition of="What the bar shows">
            <p>
              The difference lies within the bar 95 times of 100, at every look and for all variants together. It gets narrower with more people. The
              mark in it is the difference so far. Only people whose time to order is over are compared.
            </p>
          </Definition>
        </p>
        <Actions test={test} />
      </div>
    </Panel>
  );
}

function Ratio({ of: { goes_on_because: because, comparisons }, ratio }: { of: Experiment; ratio: StepVariants['sample_ratio'] }) {
  const wrong = because === 'unsound' || ratio?.mismatch === true;
  const label = wrong
    ? 'Shares: not as they should be'
    : ratio !== null || comparisons.length > 0
      ? 'Shares: as they should be'
      : 'Shares: too early';
  return (
    <Definition of={label} label={<span className={wrong ? 'font-medium text-bad' : ''}>{label}</span>}>
      <p>
        Whether each variant has as many people as its share says. If not, something besides chance decides who gets which, and no difference may be
        believed.
      </p>
      {ratio !== null && (
        <p>
          Over everybody who ever got one of this step’s variants, a deviation this large has a chance of {formatShare(ratio.p)}. Below 0.1% it counts
          as a fault.
        </p>
      )}
    </Definition>
  );
}

const headings: readonly [name: string, means: ReactNode][] = [
  ['People', 'Who got this variant, each counted where they were first.'],
  ['Opened', 'Of the messages that went out, how many were opened. Where opens are not measured, none.'],
  ['Clicked', 'Of the messages that went out, how many had a link clicked.'],
  ['Counted', 'People whose time to order is over: only they are compared.'],
  ['Ordered', 'Of those counted, who ordered in time. Late orders are added when they come; cancelled ones are taken out.'],
];

function Arms({ of: test, label }: { of: Experiment; label: string }) {
  return (
    <div className="mt-3 overflow-x-auto" role="region" aria-label={label} tabIndex={0}>
      <table className="w-full text-[0.8125rem]">
        <thead className="text-xs text-soft">
          <tr>
            <th scope="col" className="py-1.5 pe-3 text-start font-medium">
              Variant
            </th>
            {headings.map(([name, means]) => (
              <th
                key={name}
                scope="col"
                className={`py-1.5 ps-3 text-end font-medium ${name === 'Opened' || name === 'Clicked' ? 'hidden md:table-cell' : ''}`}
              >
                <Definition of={name}>
                  <p>{means}</p>
                </Definition>
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-y border-line">
          {test.arms.map(({ variant, share, people, sent, opened, clicked, complete, converted }) => (
            <tr key={variant}>
              <th scope="row" className="py-1.5 pe-3 text-start font-medium">
                {variant} {test.winner === variant && <Badge tone="good">winner</Badge>}{' '}
                <span className="font-normal text-soft">{formatShare(share)}</span>
              </th>
              <td className="py-1.5 ps-3 text-end">{formatNumber(people)}</td>
              <td className="hidden py-1.5 ps-3 text-end md:table-cell">{`${formatNumber(opened)} of ${formatNumber(sent)}`}</td>
              <td className="hidden py-1.5 ps-3 text-end md:table-cell">{formatNumber(clicked)}</td>
              <td className="py-1.5 ps-3 text-end">{formatNumber(complete)}</td>
              <td className="py-1.5 ps-3 text-end">
                {formatNumber(converted)} {complete > 0 && <span className="text-soft">{formatShare(converted / complete)}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type Act = 'approve' | 'dismiss' | 'stop';
const acts: Record<Act, { name: string; title: (test: Experiment) => string; means: (test: Experiment) => string }> = {
  approve: {
    name: 'Let it take over',
    title: ({ winner }) => `Let ${winner ?? 'the winner'} take over?`,
    means: ({ sequence, winner }) =>
      sequence === null
        ? `Whoever begins from now on gets ${winner ?? 'the winner'}’s script. Dismissing the test later brings the campaign’s own script back.`
        : `A new version of the sequence is published with ${winner ?? 'the winner'} alone. It is for whoever begins from now on; those under way keep what they have. The version before can be published again.`,
  },
  dismiss: {
    name: 'Leave as it is',
    title: () => 'Leave everything as it is?',
    means: ({ sequence }) =>
      sequence === null
        ? 'The test is over by this, and the campaign’s own script goes out again.'
        : 'The winner does not take over, and the variants go on being given out by chance.',
  },
  stop: {
    name: 'Stop the test',
    title: () => 'Stop this test?',
    means: () => 'Nothing is certain yet, and nothing will be. The campaign’s own script goes out again, and the test cannot be gone on with.',
  },
};

const offeredFor = ({ status, campaign, takeover }: Experiment): Act[] => [
  ...(status === 'RUNNING' && campaign !== null ? (['stop'] as const) : []),
  ...(takeover === 'suggested' || (takeover === 'applied' && campaign !== null) ? (['dismiss'] as const) : []),
  ...(takeover === 'suggested' ? (['approve'] as const) : []),
];

function Actions({ test }: { test: Experiment }) {
  const { role } = useStore();
  const [asked, setAsked] = useState<Act | null>(null);
  const run = useAction((api, act: Act) => experiments(api)[act](test.id));
  if (!may(role, 'edit')) return null;
  const close = () => {
    run.reset();
    setAsked(null);
  };
  return (
    <span className="flex flex-wrap gap-2">
      {offeredFor(test).map((act) => (
        <Button key={act} look={act === 'approve' ? 'main' : act === 'stop' ? 'danger' : 'plain'} onClick={() => setAsked(act)}>
          {acts[act].name}
        </Button>
      ))}
      <Dialog title={asked === null ? '' : acts[asked].title(test)} open={asked !== null} onClose={close}>
        <p className="mt-2 text-soft">{asked !== null && acts[asked].means(test)}</p>
        {run.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {run.error.message}
          </p>
        )}
        <div className="mt-4 flex flex-wrap justify-end gap-2">
          <Button onClick={close}>Cancel</Button>
          <Button
            look={asked === 'stop' ? 'danger' : 'main'}
            disabled={run.isPending}
            onClick={() => asked !== null && run.mutate(asked, { onSuccess: close })}
          >
            {asked !== null && acts[asked].name}
          </Button>
        </div>
      </Dialog>
    </span>
  );
}
