import { readable } from '../../parts/words.ts';
import type { Item } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { formatDayTime, formatDuration, plain, sentenceCase } from '../../parts/format.ts';

type Gate = Item<'GET /api/decisions'>['gates'][number];

const tones: Record<Gate['result'], Tone> = { pass: 'good', defer: 'warn', hold: 'warn', skip: 'neutral', stop: 'bad' };
const words: Record<Gate['result'], string> = { pass: 'open', defer: 'later', hold: 'holds', skip: 'leave out', stop: 'stop' };

/** What was looked at before a step, in its order, and what was found. What stood in the way comes first. */
export function Gates({ of: gates }: { of: readonly Gate[] }) {
  if (gates.length === 0) return <p className="text-[0.8125rem] text-soft">Nothing was looked at: the decision was made before.</p>;
  const closed = gates.filter(({ result }) => result !== 'pass');
  const open = gates.filter(({ result }) => result === 'pass');
  return (
    <>
      {closed.length > 0 && <List of={closed} label="What stood in the way" />}
      {open.length > 0 && (
        <details className="mt-2">
          <summary className="cursor-pointer text-[0.8125rem] text-soft">
            {closed.length === 0 ? `What was looked at: all ${open.length} are open` : `${open.length} others are open`}
          </summary>
          <List of={open} label="What was looked at" />
        </details>
      )}
    </>
  );
}

const List = ({ of: gates, label }: { of: readonly Gate[]; label: string }) => (
  <ul aria-label={label} className="mt-2 divide-y divide-line border-t border-line">
    {gates.map(({ gate, result, input, note }, index) => (
      <li key={`${gate} ${index}`} className="grid grid-cols-[4.5rem_minmax(0,1fr)] gap-x-2 py-1.5 text-[0.8125rem]">
        <span>
          <Badge tone={tones[result]}>{words[result]}</Badge>
        </span>
        <div className="min-w-0">
          <span className="font-medium">{sentenceCase(inWords(gate))}</span>
          {note !== undefined && <span className="text-soft"> · {readable(note)}</span>}
          <p className="text-xs break-words text-soft">
            {Object.entries(input).map(([name, value]) => (
              <span key={name} className="me-3 inline-block">
                {inWords(name.replace(/Ms$/, ''))}: <span className="text-ink">{shown(name, value)}</span>
              </span>
            ))}
          </p>
        </div>
      </li>
    ))}
  </ul>
);

/** `lastSendDue` → `last send due`. */
const inWords = (name: string) => plain(name).replaceAll(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);

/** Milliseconds are a moment where they are as large as one, else a time that passes. */
function shown(name: string, value: Gate['input'][string]): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number' && name.endsWith('Ms'))
    return value > 1e11 ? formatDayTime(new Date(value).toISOString()) : formatDuration(value / 1_000);
  return String(value);
}
