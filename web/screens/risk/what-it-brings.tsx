import { channelWord } from '../../parts/words.ts';
import type { ReactNode } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { interventions } from '../../../sdk/index.ts';
import { Definition, Figure } from '../../parts/figure.tsx';
import { formatDuration, formatNumber, formatPercent } from '../../parts/format.ts';
import { Panel } from '../../parts/panel.tsx';
import { Answer, Empty } from '../../parts/states.tsx';
import { useStoreQuery } from '../../session/store-query.ts';
import { bandOf } from './words.ts';

type Figures = Data<'GET /api/interventions/figures'>;
type Sums = Figures['all'];
const days = 90;
const capDays = 30;

/** What was done about accounts at risk, what came of it, and how often the caps on messages acted. */
export function WhatItBrings() {
  const found = useStoreQuery(['interventions', 'figures', days], (api, signal) => interventions(api).figures({ days }, { signal }), { live: true });
  const caps = useStoreQuery(['caps', 'figures', capDays], (api, signal) => interventions(api).caps({ days: capDays }, { signal }), { live: true });
  return (
    <div className="space-y-5">
      <Panel title="What came of it" note={`What was begun about accounts at risk in the last ${days} days.`}>
        <Answer of={found}>
          {(figures) => (figures.all.begun === 0 ? <Empty title="Nothing was begun in these days" /> : <Outcomes of={figures} />)}
        </Answer>
      </Panel>
      <Panel
        title="Not too many messages"
        note={`How often the caps on messages to one person acted in the last ${capDays} days, over all sequences.`}
        flush
      >
        <Answer of={caps}>
          {({ channels }) => (channels.length === 0 ? <Empty title="No message was decided about in these days" /> : <Caps of={channels} />)}
        </Answer>
      </Panel>
    </div>
  );
}

function Outcomes({ of: { all, bands, targets, first_action_ms: first } }: { of: Figures }) {
  return (
    <div className="space-y-5">
      <div className="grid grid-cols-2 gap-x-6 gap-y-5 sm:grid-cols-4">
        <Figure
          name="Begun"
          value={formatNumber(all.begun)}
          note={`${formatNumber(all.held_out)} left out by chance, ${formatNumber(all.actions)} actions`}
          means={
            <p>
              Accounts for which something was begun. Some are left out by chance and get nothing, so that the effect on the others can be measured.
            </p>
          }
        />
        <Figure
          name="Came back"
          value={rate(all.success)}
          note={ofCases(all.success)}
          means={
            <p>
              Of those for which something was done and the time is over, the share that came back, by what each band counts. Some would have come
              back anyway. Aimed at: {formatPercent(targets.success_percent)} and more.
            </p>
          }
        />
        <Figure
          name="Cost"
          value={money(all.cost.amounts)}
          note={all.cost.unknown.length === 0 ? 'of all actions' : `without ${all.cost.unknown.join(', ')}: no price is set`}
          means={<p>Messages, people’s time and models, by the prices in the settings. What has no price there is in no sum.</p>}
        />
        <Figure
          name="First action after"
          value={first === null ? '–' : formatDuration(first.p50 / 1_000)}
          note={first === null ? 'none yet' : `at most ${formatDuration(first.p99 / 1_000)} for 99 of 100`}
          means={<p>From the moment that an account came into its band to the first action: half of them were faster than this.</p>}
        />
      </div>
      <Came of={all.outcomes} />
      <div className="overflow-x-auto" role="region" aria-label="By band" tabIndex={0}>
        <table className="w-full text-[0.8125rem]">
          <thead className="text-xs text-soft">
            <tr>
              <Heading name="Band" start />
              <Heading name="Begun">Accounts for which something was begun.</Heading>
              <Heading name="Came back">The share that came back by what the band counts, with where the true share lies 95 times of 100.</Heading>
              <Heading name="Because of it">
                How many more of every 100 stayed than of those left out by chance, with where the true difference lies 95 times of 100.
              </Heading>
              <Heading name="Protected">
                How much more these accounts bought than those left out by chance. In brackets: where the true amount lies, 95 times of 100.
              </Heading>
              <Heading name="Attributed">Orders after an action. Some of them would have come anyway.</Heading>
            </tr>
          </thead>
          <tbody className="divide-y divide-line border-y border-line">
            {bands.map((one) => (
              <tr key={one.band} className="align-top">
                <th scope="row" className="py-1.5 pe-3 text-start font-medium whitespace-nowrap">
                  <Definition of={bandOf(one.band).name}>
                    <p>Counts as coming back: {one.success.means}</p>
                    <p>
                      Aimed at: {formatPercent(one.success.target.from)} to {formatPercent(one.success.target.to)}. {lost(one.effect)}
                    </p>
                  </Definition>
                </th>
                <Cell>{formatNumber(one.begun)}</Cell>
                <Cell note={ofCases(one.success)}>{rate(one.success)}</Cell>
                <Cell note={ofArms(one.arms)}>
                  {one.effect === null
                    ? 'not enough data'
                    : `${signed(one.effect.percentage_points)} of 100${one.effect.interval === null ? '' : ` (${signed(one.effect.interval.low)} to ${signed(one.effect.interval.high)})`}`}
                </Cell>
                <Cell>
                  {one.protected === null || one.protected.length === 0
                    ? '–'
                    : one.protected
                        .map(
                          ({ amount, currency, low, high }) =>
                            `${asMoney(amount, currency)} (${asMoney(low, currency)} to ${asMoney(high, currency)})`,
                        )
                        .join(', ')}
                </Cell>
                <Cell>{money(one.attributed)}</Cell>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

const lost = (effect: Figures['bands'][number]['effect']): string => {
  if (effect === null) return '';
  const { held_out: without, treated, reduction } = effect.churn;
  return `Lost of those left out by chance: ${formatPercent(without)}; of the others: ${formatPercent(treated)}${reduction === null ? '' : `, ${formatPercent(reduction)} fewer`}.`;
};

const rate = ({ rate: found }: Sums['success']): string => (found === null ? '–' : formatPercent(found));
const ofCases = ({ cases, successes, interval }: Sums['success']): string =>
  cases === 0
    ? 'nobody’s time is over yet'
    : `${formatNumber(successes)} of ${formatNumber(cases)}${interval === null ? '' : `; ${formatPercent(interval.low)} to ${formatPercent(interval.high)}`}`;
const ofArms = (arms: Figures['bands'][number]['arms']): string =>
  arms
    .map(({ arm, complete, stayed }) => `${arm === 'treated' ? 'with' : 'left out'}: ${formatNumber(stayed)} of ${formatNumber(complete)}`)
    .join(', ');
const signed = (points: number): string => `${points > 0 ? '+' : ''}${formatNumber(Number(points.toFixed(1)))}`;
const asMoney = (amount: string, currency: string): string =>
  new Intl.NumberFormat([...navigator.languages], { style: 'currency', currency }).format(Number(amount));
const money = (amounts: readonly { amount: string; currency: string }[]): string =>
  amounts.length === 0 ? '–' : amounts.map(({ amount, currency }) => asMoney(amount, currency)).join(', ');

const came: readonly { outcome: keyof Sums['outcomes']; name: string; colour: string; means: string }[] = [
  { outcome: 'converted', name: 'bought', colour: 'bg-good', means: 'The account did what counts within the window after the action.' },
  { outcome: 'engaged', name: 'reacted', colour: 'bg-[var(--series-1)]', means: 'It was opened, clicked, answered or spoken about.' },
  { outcome: 'delivered', name: 'delivered', colour: 'bg-[var(--series-2)]', means: 'It arrived, and the time to react is not over.' },
  { outcome: 'pending', name: 'under way', colour: 'bg-line-strong', means: 'It is not known yet whether it arrived.' },
  { outcome: 'escalated', name: 'to a manager', colour: 'bg-[var(--series-3)]', means: 'A manager has it.' },
  { outcome: 'ignored', name: 'no reaction', colour: 'bg-[var(--series-5)]', means: 'It arrived, and nothing came of it in time.' },
  { outcome: 'failed', name: 'failed', colour: 'bg-bad', means: 'It did not arrive.' },
];

/** What became of the actions: a bar of its parts, each with what it means. */
function Came({ of: counts }: { of: Sums['outcomes'] }) {
  const shown = came.filter(({ outcome }) => counts[outcome] > 0);
  if (shown.length === 0) return null;
  return (
    <div>
      <div className="flex h-4 gap-px overflow-hidden rounded" aria-hidden="true">
        {shown.map(({ outcome, colour }) => (
          <div key={outcome} className={`min-w-1 ${colour}`} style={{ flexGrow: counts[outcome] }} />
        ))}
      </div>
      <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-[0.8125rem] text-soft" aria-label="What became of the actions">
        {shown.map(({ outcome, name, colour, means }) => (
          <li key={outcome} className="flex items-center gap-1.5">
            <span aria-hidden="true" className={`size-2.5 rounded-[2px] ${colour}`} />
            <Definition of={name} label={`${name}: ${formatNumber(counts[outcome])}`}>
              <p>{means}</p>
            </Definition>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Heading({ name, start = false, children }: { name: string; start?: boolean; children?: ReactNode }) {
  return (
    <th scope="col" className={`py-1.5 font-medium whitespace-nowrap ${start ? 'pe-3 text-start' : 'ps-3 text-end'}`}>
      {children === undefined ? (
        name
      ) : (
        <Definition of={name}>
          <p>{children}</p>
        </Definition>
      )}
    </th>
  );
}

function Cell({ note, children }: { note?: string; children: ReactNode }) {
  return (
    <td className="py-1.5 ps-3 text-end">
      {children}
      {note !== undefined && <span className="block text-xs text-soft">{note}</span>}
    </td>
  );
}

function Caps({ of: channels }: { of: Data<'GET /api/caps/figures'>['channels'] }) {
  return (
    <div className="overflow-x-auto border-t border-line px-4 pb-2" role="region" aria-label="Caps by channel" tabIndex={0}>
      <table className="w-full text-[0.8125rem]">
        <thead className="text-xs text-soft">
          <tr>
            <Heading name="Channel" start />
            <Heading name="Decided about">Steps whose time had come, each once.</Heading>
            <Heading name="Put off">Of these, how many a cap moved to a later time at least once.</Heading>
            <Heading name="Left out">Of these, how many a cap kept from going out at all.</Heading>
            <Heading name="People">On whose steps a cap acted.</Heading>
            <Heading name="Share">Of the steps decided about, the share that a cap put off or left out.</Heading>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {channels.map((one) => (
            <tr key={one.channel}>
              <th scope="row" className="py-1.5 pe-3 text-start font-medium">
                {channelWord(one.channel)}
              </th>
              <Cell>{formatNumber(one.steps)}</Cell>
              <Cell>{formatNumber(one.put_off)}</Cell>
              <Cell>{formatNumber(one.left_out)}</Cell>
              <Cell>{formatNumber(one.people)}</Cell>
              <Cell>{formatPercent(one.share)}</Cell>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
