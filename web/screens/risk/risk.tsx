import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { risk } from '../../../sdk/index.ts';
import { Badge } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Definition, Figure } from '../../parts/figure.tsx';
import { formatNumber, formatShare, plain } from '../../parts/format.ts';
import { AllPages, usePages } from '../../parts/pages.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { nameOf, usePeopleNames } from '../../parts/people-names.ts';
import { Answer, Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/time.tsx';
import { may, useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { useAction } from '../../session/use-action.ts';
import { Contributions } from './contributions.tsx';
import { Escalations } from './escalations.tsx';
import { Reliability } from './reliability.tsx';
import { WhatItBrings } from './what-it-brings.tsx';
import { type Assessment, type Band, bandOf, bands } from './words.ts';

const page = getRouteApi('/$store/risk');
type Standing = Data<'GET /api/risk'>;

/** Accounts that are about to leave: who, why, what is done about it, and what that brings. */
export function Risk() {
  const { band } = page.useSearch();
  const navigate = page.useNavigate();
  const choose = (next: Band | 'all') => void navigate({ search: { band: next === band ? 'all' : next }, replace: true, resetScroll: false });
  const found = useStoreQuery(['risk'], (api, signal) => risk(api).get({ signal }), { live: true });
  return (
    <>
      <PageHeader title="Risk" note="Accounts that are about to leave: who, why, what is done about it, and what that brings.">
        <AssessAll />
      </PageHeader>
      <div className="space-y-5">
        <Answer of={found}>
          {(standing) => (
            <Panel title="Accounts by risk" note={`What is looked out for: ${standing.prediction.words}. Choose a band to see who is in it.`}>
              <Bands of={standing} chosen={band} onChoose={choose} />
              <By of={standing} />
            </Panel>
          )}
        </Answer>
        <Accounts band={band} />
        <Escalations />
        <WhatItBrings />
      </div>
    </>
  );
}

function Bands({ of: { bands: counts }, chosen, onChoose }: { of: Standing; chosen: Band | 'all'; onChoose: (band: Band) => void }) {
  const all = bands.reduce((sum, { band }) => sum + counts[band], 0);
  if (all === 0)
    return (
      <Empty title="No account is assessed yet">An account is assessed as soon as your shop reports what it did: visits, orders, messages.</Empty>
    );
  return (
    <div>
      <div className="flex h-6 gap-px overflow-hidden rounded" aria-hidden="true">
        {bands
          .filter(({ band }) => counts[band] > 0)
          .map(({ band, colour }) => (
            <div
              key={band}
              className={`min-w-1.5 ${colour} ${chosen !== 'all' && chosen !== band ? 'opacity-35' : ''}`}
              style={{ flexGrow: counts[band] }}
            />
          ))}
      </div>
      <ul className="mt-3 grid gap-x-6 gap-y-3 sm:grid-cols-2 lg:grid-cols-4">
        {bands.map(({ band, name, colour, means }) => (
          <li key={band}>
            <button
              type="button"
              aria-pressed={chosen === band}
              onClick={() => onChoose(band)}
              className="flex items-center gap-1.5 rounded text-start hover:underline aria-pressed:font-semibold aria-pressed:text-accent pointer-coarse:min-h-10"
            >
              <span aria-hidden="true" className={`size-2.5 rounded-[2px] ${colour}`} />
              {name}
            </button>
            <div className="text-[1.375rem] leading-8 font-semibold">
              {formatNumber(counts[band])} <span className="text-xs font-normal text-soft">{formatShare(counts[band] / all)}</span>
            </div>
            <p className="text-xs text-soft">{means}</p>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What the assessments are made by, and how good that is. */
function By({ of: { by, model, training } }: { of: Standing }) {
  if (by === 'rules' || model === null)
    return (
      <div className="mt-4 rounded-md bg-warn-soft p-3 text-[0.8125rem] text-warn">
        <p className="font-medium">Rules of thumb rank the accounts; nobody knows yet how often such accounts really leave.</p>
        <p>
          {training === null
            ? 'A model is learned by itself once enough accounts have left and enough have stayed.'
            : `${training.detail} (${formatNumber(training.examples)} outcomes so far, ${formatNumber(training.lost)} of them lost.)`}
        </p>
      </div>
    );
  const { quality, version, notes } = model;
  return (
    <div className="mt-5 border-t border-line pt-4">
      <p className="mb-3 text-[0.8125rem] text-soft">
        A model assesses them, learned from outcomes and calibrated: of accounts with a chance of 30%, about 30 of 100 leave. Version {version}, since{' '}
        <Time at={model.trained_at} as="date" />.
      </p>
      <div className="grid grid-cols-2 gap-x-6 gap-y-4 sm:grid-cols-4">
        <Figure
          name="Tried on"
          value={formatNumber(quality.examples)}
          note={`outcomes, ${formatNumber(quality.lost)} lost`}
          means={<p>The newest outcomes, which the model had not seen when it was judged by them.</p>}
        />
        <Figure
          name="Tells them apart"
          value={quality.auc === null ? '–' : formatShare(quality.auc)}
          means={<p>Of an account that left and one that stayed, how often the model gave the first the higher chance. 50% would be chance.</p>}
        />
        <Figure
          name="Better than guessing"
          value={quality.brier_skill === null ? '–' : formatShare(quality.brier_skill)}
          means={
            <p>
              How much smaller the squared errors of its chances are than those of giving everybody the same chance. 100% would be perfect; below 0 is
              worse.
            </p>
          }
        />
        <Figure
          name="Calibration"
          value={quality.calibration_slope === null ? '–' : formatNumber(Number(quality.calibration_slope.toFixed(2)))}
          note={quality.calibration_intercept === null ? undefined : `shifted by ${formatNumber(Number(quality.calibration_intercept.toFixed(2)))}`}
          means={
            <p>
              1 and shifted by 0: its chances are neither too bold nor too timid. Below 1 they are too bold; a shift above 0 says that more leave than
              it says.
            </p>
          }
        />
      </div>
      {quality.reliability !== null && <Reliability bins={quality.reliability} />}
      {notes.map((note) => (
        <p key={note} className="mt-3 text-[0.8125rem] text-warn">
          {note}
        </p>
      ))}
    </div>
  );
}

function Accounts({ band }: { band: Band | 'all' }) {
  const pages = usePages(
    ['risk', 'assessments', band],
    (api, given, signal) => risk(api).assessments({ ...given, latest: 'true', ...(band === 'all' ? {} : { band }) }, { signal }),
    { live: true, limit: 25 },
  );
  return (
    <Panel
      title={band === 'all' ? 'Accounts' : `Accounts: ${bandOf(band).name}`}
      note="The one that was assessed last is first. Open one to see why."
      flush
    >
      <AllPages of={pages} empty={<Empty title={band === 'all' ? 'No account is assessed yet' : 'No account is in this band'} />}>
        {(rows) => <AccountRows rows={rows} />}
      </AllPages>
    </Panel>
  );
}

function AccountRows({ rows }: { rows: readonly Assessment[] }) {
  const people = usePeopleNames(rows.flatMap(({ contact }) => (contact === null ? [] : [contact])));
  return (
    <ul className="divide-y divide-line border-t border-line">
      {rows.map((row) => {
        const person = row.contact === null ? undefined : people.get(row.contact);
        return <Account key={row.account} row={row} name={row.name ?? (person === undefined ? 'An account' : nameOf(person))} />;
      })}
    </ul>
  );
}

function Account({ row, name }: { row: Assessment; name: string }) {
  const { slug: store } = useStore();
  const { tone, name: band } = bandOf(row.band);
  return (
    <li className="px-4 py-2.5">
      <details>
        <summary className="cursor-pointer">
          <span className="inline-flex w-[calc(100%-1.5rem)] flex-wrap items-center justify-between gap-x-4 gap-y-1 align-top">
            <span className="min-w-0 font-medium break-words">{name}</span>
            <span className="flex items-center gap-2 text-[0.8125rem] text-soft">
              {row.basis === 'chance' ? `chance ${formatShare(row.score)}` : `rank ${formatNumber(Number(row.score.toFixed(2)))}`}
              <Badge tone={tone}>{band}</Badge>
              <Time at={row.at} />
            </span>
          </span>
        </summary>
        <div className="space-y-3 pt-2">
          <p className="max-w-prose text-[0.8125rem] text-soft">{row.sentence}</p>
          <Contributions of={row} />
          <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-[0.8125rem]">
            {row.contact !== null && (
              <Link to="/$store/people/$id" params={{ store, id: row.contact }} className="text-accent hover:underline">
                What they did, and what was done
              </Link>
            )}
            <span className="text-soft">{whatIsDone(row)}</span>
            <Begin account={row.account} name={name} open={row.band !== 'none' && row.begun === null} />
          </div>
        </div>
      </details>
    </li>
  );
}

function whatIsDone({ begun, kept_from: kept, band, band_before: before }: Assessment): string {
  if (begun !== null) return 'A sequence about it has begun.';
  if (kept === 'no_sequence') return 'Nothing was begun: no sequence of this band is running.';
  if (kept !== null) return `Nothing was begun: ${plain(kept)}.`;
  if (band === 'none') return 'Nothing has to be done.';
  return before === band ? 'It was in this band before.' : '';
}

/** By hand: what else would begin by itself. */
function Begin({ account, name, open }: { account: string; name: string; open: boolean }) {
  const { role } = useStore();
  const [asked, setAsked] = useState(false);
  const begin = useAction((api, id: string) => risk(api).intervene({ account: id }));
  if (!open || !may(role, 'operate')) return null;
  const close = () => {
    begin.reset();
    setAsked(false);
  };
  return (
    <>
      <Button onClick={() => setAsked(true)}>Do something now</Button>
      <Dialog title={`Begin the sequence for ${name}?`} open={asked} onClose={close}>
        <p className="mt-2 text-soft">
          It is assessed again, and the sequence of its band begins: messages, offers or a call, as you have set it up. Who has opted out gets
          nothing.
        </p>
        {begin.data !== undefined && begin.data.intervention === null && (
          <p role="status" className="mt-2">
            Nothing has begun{begin.data.kept_from === null ? '' : `: ${plain(begin.data.kept_from)}`}.
          </p>
        )}
        {begin.error !== null && (
          <p role="alert" className="mt-2 text-bad">
            {begin.error.message}
          </p>
        )}
        <div className="mt-4 flex flex-wrap justify-end gap-2">
          <Button onClick={close}>{begin.data === undefined ? 'Cancel' : 'Close'}</Button>
          {begin.data === undefined && (
            <Button
              look="main"
              disabled={begin.isPending}
              onClick={() => begin.mutate(account, { onSuccess: ({ intervention }) => intervention !== null && close() })}
            >
              Begin
            </Button>
          )}
        </div>
      </Dialog>
    </>
  );
}

function AssessAll() {
  const { role } = useStore();
  const begin = useAction((api, _none: null) => risk(api).assessPortfolio());
  const runs = useStoreQuery(['risk', 'runs'], (api, signal) => risk(api).runs({ limit: 1 }, { signal }), { live: true });
  const latest = runs.data?.data[0];
  const under = latest !== undefined && latest.state !== 'done';
  return (
    <span className="flex flex-wrap items-center gap-3 text-[0.8125rem] text-soft">
      {latest !== undefined && (
        <span role="status">
          {under ? (
            `Being assessed: ${formatNumber(latest.assessed)} so far`
          ) : (
            <>
              All assessed <Time at={latest.ended_at ?? latest.created_at} />
              {latest.failed > 0 && `, ${formatNumber(latest.failed)} could not be`}
            </>
          )}
        </span>
      )}
      {begin.error !== null && (
        <span role="alert" className="text-bad">
          {begin.error.message}
        </span>
      )}
      {may(role, 'operate') && (
        <Definition of="When are they assessed?">
          <p>An account is assessed by itself within seconds of what it did, and once a day. This does it for all of them now.</p>
        </Definition>
      )}
      {may(role, 'operate') && (
        <Button disabled={begin.isPending || under} onClick={() => begin.mutate(null)}>
          Assess everybody
        </Button>
      )}
    </span>
  );
}
