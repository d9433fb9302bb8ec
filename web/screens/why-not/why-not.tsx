import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { explain } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { Choice, Select } from '../../parts/choice.tsx';
import { Definition } from '../../parts/figure.tsx';
import { formatDay, formatNumber, plain, sentenceCase } from '../../parts/format.ts';
import { PageHeader, Panel } from '../../parts/panel.tsx';
import { useSequenceNames } from '../../parts/sequence-names.ts';
import { Answer, Empty } from '../../parts/states.tsx';
import { readable } from '../../parts/words.ts';
import { useStoreQuery } from '../../session/store-query.ts';
import { DayBars, type Row, type Summary } from './day-bars.tsx';
import { Decided } from './decided.tsx';

const page = getRouteApi('/$store/why-not');

const kinds: Record<Row['kind'], { name: string; tone: Tone; means: string }> = {
  blocker: {
    name: 'blocker',
    tone: 'bad',
    means: 'Something is in the way that somebody may want to mend: no consent, no connected channel, a refused login.',
  },
  normal_wait: {
    name: 'normal wait',
    tone: 'warn',
    means: 'The message comes later by itself: quiet hours, a rate, the person is on the site right now.',
  },
  as_planned: { name: 'as planned', tone: 'good', means: 'Exactly what the sequence wants: they bought, replied, or a condition was not met.' },
};

/** Why people got no message: by reason and day, and who it was. */
export function WhyNot() {
  const { days, sequence, reason } = page.useSearch();
  const navigate = page.useNavigate();
  const found = useStoreQuery(
    ['why-not', days, sequence],
    (api, signal) => explain(api).summary({ days: Number(days), ...(sequence === '' ? {} : { sequence }) }, { signal }),
    { live: true, keep: true },
  );
  const change = (next: Partial<ReturnType<typeof page.useSearch>>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  // All that were seen so far, so that choosing one does not take the others away.
  const [seen, setSeen] = useState<readonly string[]>([]);
  const sequenceName = useSequenceNames();
  const names = [...new Set([...seen, ...(found.data?.rows.map((row) => row.sequence) ?? [])])].toSorted();
  if (names.length > seen.length) setSeen(names);
  return (
    <>
      <PageHeader title="Why not" note="Every message that was put off, left out or stopped, with its reason.">
        <Select
          label="Sequence"
          value={sequence}
          options={[{ value: '', name: 'All' }, ...names.map((slug) => ({ value: slug, name: sequenceName(slug) }))]}
          onChange={(value) => change({ sequence: value })}
        />
        <Choice
          label="Over"
          value={days}
          options={[
            { value: '1', name: 'Today' },
            { value: '7', name: '7 days' },
            { value: '30', name: '30 days' },
          ]}
          onChange={(value) => change({ days: value })}
        />
      </PageHeader>
      <Answer of={found}>
        {(summary) =>
          summary.rows.length === 0 && summary.not_begun.length === 0 ? (
            <Panel title="By day">
              <Empty title="Nothing was kept back in these days" />
            </Panel>
          ) : (
            <div className="space-y-5">
              {summary.rows.length > 0 && (
                <Panel title="By day" note={`Days as the store counts them (${summary.time_zone}). Choose a reason to see who it was.`}>
                  <DayBars rows={summary.rows} chosen={reason} onChoose={(value) => change({ reason: value === reason ? '' : value })} />
                </Panel>
              )}
              {summary.reasons.length > 0 && (
                <Reasons of={summary} chosen={reason} onChoose={(value) => change({ reason: value === reason ? '' : value })} />
              )}
              {reason !== '' && <Decided reason={reason} />}
              {summary.not_begun.length > 0 && <NotBegun of={summary} />}
            </div>
          )
        }
      </Answer>
    </>
  );
}

function Reasons({ of: { reasons }, chosen, onChoose }: { of: Summary; chosen: string; onChoose: (reason: string) => void }) {
  const most = Math.max(1, ...reasons.map(({ count }) => count));
  return (
    <Panel title="By reason" flush>
      <ul className="divide-y divide-line border-t border-line">
        {reasons.map(({ kind, verdict, reason, subject_kind: about, sentence, count }) => (
          <li key={`${verdict} ${reason} ${about}`} className={`px-4 py-2.5 ${reason === chosen ? 'bg-accent-soft/50' : ''}`}>
            <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
              <button
                type="button"
                aria-pressed={reason === chosen}
                onClick={() => onChoose(reason)}
                className="min-w-0 rounded text-start font-medium hover:underline"
              >
                {sentenceCase(plain(reason))}
                <span className="font-normal text-soft"> · {plain(about)}</span>
              </button>
              <span className="flex items-center gap-2">
                <Definition of={kinds[kind].name} label={<Badge tone={kinds[kind].tone}>{kinds[kind].name}</Badge>}>
                  <p>{kinds[kind].means}</p>
                </Definition>
                <span className="min-w-10 text-end">{formatNumber(count)}</span>
              </span>
            </div>
            <p className="text-[0.8125rem] text-soft">{readable(sentence)}</p>
            <div className="mt-1.5 h-1 rounded-full bg-sunken" aria-hidden="true">
              <div className="h-full rounded-full bg-accent" style={{ width: `${(100 * count) / most}%` }} />
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function NotBegun({ of: { not_begun: rows } }: { of: Summary }) {
  const sequenceName = useSequenceNames();
  return (
    <Panel title="No sequence began" note="Carts and leads about which nothing was begun at all." flush>
      <ul className="divide-y divide-line border-t border-line">
        {rows.map(({ day, subject_kind: about, sequence, reason, sentence, count }) => (
          <li key={`${day} ${about} ${sequence ?? ''} ${reason}`} className="flex items-baseline justify-between gap-4 px-4 py-2">
            <span className="min-w-0">
              <span className="font-medium">{sentenceCase(plain(reason))}</span>{' '}
              <span className="text-soft">
                · {[plain(about), sequence === null ? null : sequenceName(sequence), formatDay(day)].filter((one) => one !== null).join(' · ')}
              </span>
              <span className="block text-[0.8125rem] text-soft">{readable(sentence)}</span>
            </span>
            <span>{formatNumber(count)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
