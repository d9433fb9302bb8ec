import { channelWord } from '../../parts/words.ts';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { rehearsals } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { Button } from '../../parts/button.tsx';
import { DataList } from '../../parts/data-list.tsx';
import { noteRehearsed } from '../../parts/first-steps.ts';
import { plain } from '../../parts/format.ts';
import { inputLook, lineOf, TextField } from '../../parts/labelled.tsx';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { Answer } from '../../parts/states.tsx';
import { useSequenceNames } from '../../parts/sequence-names.ts';
import { useStore } from '../../session/session.ts';
import { useStoreQuery } from '../../session/store-query.ts';

import { Backtests } from './backtests.tsx';
import { Lanes, type RehearsedEvent } from './lanes.tsx';
import { OldOnes } from './old-ones.tsx';

const page = getRouteApi('/$store/sequences/$slug/rehearse');

/** What may happen to the person, as a scenario says it. */
const courses = [
  { value: 'nothing', name: 'nothing', events: '' },
  { value: 'buys', name: 'they buy after 26 hours', events: 'events:\n  - { at: 26h, event: purchase }\n' },
  { value: 'replies', name: 'they reply after 26 hours', events: 'events:\n  - { at: 26h, event: reply }\n' },
  { value: 'opts_out', name: 'they opt out after 26 hours', events: 'events:\n  - { at: 26h, event: opt_out }\n' },
  {
    value: 'outage',
    name: 'the provider cannot be reached for a day',
    events: 'events:\n  - { at: 1h, event: provider, answers: outage }\n  - { at: 25h, event: provider, answers: accepted }\n',
  },
  { value: 'workers', name: 'nothing works here for a day', events: 'events:\n  - { at: 1h, event: workers_down, for: 24h }\n' },
] as const;

const tones: Record<RehearsedEvent['kind'], [tone: Tone, word: string]> = {
  received: ['accent', 'happens'],
  sent: ['good', 'sent'],
  deferred: ['warn', 'put off'],
  skipped: ['neutral', 'left out'],
  stopped: ['bad', 'ends'],
};

/** A sequence played for somebody before it happens: what goes out when, what is put off, and why. */
export function Rehearse() {
  const { slug: store } = useStore();
  const { slug } = page.useParams();
  const { who, course, from } = page.useSearch();
  const sequenceName = useSequenceNames();
  const scenario = `${from === '' ? '' : `from: ${from}\n`}${courses.find(({ value }) => value === course)?.events ?? ''}`;
  const found = useStoreQuery(
    ['rehearsal', slug, who, scenario],
    async (api, signal) => {
      const run = await rehearsals(api).run({ ...(who === '' ? {} : { contact: who }), sequence: slug, scenario }, { signal });
      if (run.data !== undefined) noteRehearsed(store);
      return run;
    },
    { keep: true },
  );
  return (
    <>
      <PageHeader
        title={`Rehearsal: ${sequenceName(slug)}`}
        note={
          <>
            <Link to="/$store/sequences/$slug" params={{ store, slug }} className="text-accent underline">
              Back to the sequence
            </Link>{' '}
            · Played by the version in use. For a real person, their clock, consents and what they got lately count. Nothing is sent.
          </>
        }
      />
      <div className="space-y-5">
        <Wish />
        <Answer of={found}>
          {(run) => (
            <>
              <Panel
                title="Over the days"
                note={`${who === '' ? 'An invented first customer, who has agreed to everything. ' : ''}By the clock of ${run.timeZone}, version ${run.version}. ${run.finished === null ? 'It has not ended by then.' : `It ends as ${plain(run.finished.reason)}.`}`}
              >
                <Lanes of={run} />
              </Panel>
              <Panel title="One after the other" flush>
                <DataList
                  label="What happens"
                  rows={run.events.map((event, index) => ({ ...event, index }))}
                  idOf={({ index }) => String(index)}
                  columns={[
                    { name: 'When', cell: ({ at }) => <span className="whitespace-nowrap">{clockOf(at)}</span> },
                    { name: 'What', cell: ({ kind }) => <Badge tone={tones[kind][0]}>{tones[kind][1]}</Badge> },
                    {
                      name: 'Step',
                      cell: ({ step, channel }) => (step === null ? '' : `${plain(step)}${channel === null ? '' : ` by ${channelWord(channel)}`}`),
                    },
                    {
                      name: 'Why',
                      wide: 'below',
                      cell: ({ reason, note, until }) =>
                        `${note ?? (reason === null ? '' : reason === 'subject.updated' ? 'The cart or lead is left.' : plain(reason))}${until === null ? '' : ` Until ${clockOf(until)}.`}`,
                    },
                  ]}
                />
              </Panel>
            </>
          )}
        </Answer>
        <Backtests sequence={slug} />
        <OldOnes sequence={slug} />
      </div>
    </>
  );
}

/** As it stands on the person's clock: `2026-03-10T10:00:00+09:00` → `2026-03-10 10:00`. */
const clockOf = (at: string) => at.slice(0, 16).replace('T', ' ');

function Wish() {
  const { who, course, from } = page.useSearch();
  const navigate = page.useNavigate();
  const [chosen, setChosen] = useState<string>(course);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const next = courses.find(({ value }) => value === chosen)?.value ?? 'nothing';
    void navigate({ search: { who: lineOf(given, 'who'), from: lineOf(given, 'from'), course: next } });
  };
  return (
    <form onSubmit={submit} className="grid items-end gap-4 rounded-lg border border-line bg-surface p-4 sm:grid-cols-2 lg:grid-cols-4">
      <TextField label="For" name="who" defaultValue={who} placeholder="somebody invented, or an email address" />
      <TextField label="Left at" name="from" type="datetime-local" defaultValue={from} />
      <label className="block text-[0.8125rem]">
        <span className="mb-1 block font-medium">And then</span>
        <select className={inputLook} value={chosen} onChange={(event) => setChosen(event.target.value)}>
          {courses.map(({ value, name }) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <div>
        <Button type="submit" look="main">
          Rehearse
        </Button>
      </div>
    </form>
  );
}
