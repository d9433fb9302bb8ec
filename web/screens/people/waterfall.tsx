import { readable } from '../../parts/words.ts';
import { type CSSProperties, useState } from 'react';
import type { Data } from '../../../sdk/index.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { formatDayTime, formatDuration, plain, sentenceCase } from '../../parts/format.ts';
import { useNow } from '../../parts/use-now.ts';
import { Gates } from './gates.tsx';

type Explanation = Data<'GET /api/enrollments/{id}/explain'>;
type Entry = Explanation['entries'][number];
type Decision = Extract<Entry, { kind: 'decision' }>;
type Step = Explanation['enrollment']['steps'][number];

const verdictTone: Record<Decision['verdict'], Tone> = { send: 'good', defer: 'warn', hold: 'warn', skip: 'neutral', stop: 'bad' };
const verdictWord: Record<Decision['verdict'], string> = { send: 'sent', defer: 'put off', hold: 'held', skip: 'left out', stop: 'stopped' };
const tickLook: Record<Decision['verdict'], string> = { send: 'bg-good', defer: 'bg-warn', hold: 'bg-warn', skip: 'bg-soft', stop: 'bg-bad' };

/**
 * The waits of one enrollment, a line for each step from the begin on until it was decided or is due. Every tick is a decision: it opens what was
 * looked at, and what was found.
 */
export function Waterfall({ of: { enrollment, entries, next } }: { of: Explanation }) {
  const nowMs = useNow();
  const [open, setOpen] = useState<string | null>(null);
  const decisions = entries.filter((entry): entry is Decision => entry.kind === 'decision');
  const ms = (iso: string) => new Date(iso).getTime();
  const beginMs = Math.min(ms(enrollment.anchor_at), ms(enrollment.enrolled_at));
  const endMs = Math.max(
    enrollment.ended_at === null ? nowMs : ms(enrollment.ended_at),
    ...enrollment.steps
      .flatMap((step) => [step.settled_at, enrollment.ended_at === null ? step.due_at : null])
      .flatMap((at) => (at === null ? [] : [ms(at)])),
    ...decisions.map(({ at }) => ms(at)),
  );
  const spanMs = Math.max(1_000, endMs - beginMs);
  const at = (time: number) => `${Math.min(100, Math.max(0, (100 * (time - beginMs)) / spanMs))}%`;
  const chosen = decisions.find((decision) => keyOf(decision) === open) ?? null;
  const isNow = enrollment.ended_at === null && nowMs < endMs;
  return (
    <div>
      <div className="relative">
        {enrollment.steps.map((step) => {
          const own = decisions.filter((decision) => decision.step === step.id);
          const until = step.settled_at ?? own.at(-1)?.until ?? step.due_at;
          return (
            <div
              key={step.id}
              className="grid grid-cols-[6.5rem_minmax(0,1fr)] items-center gap-x-3 border-t border-line py-1.5 first:border-t-0 sm:grid-cols-[11rem_minmax(0,1fr)]"
            >
              <div className="min-w-0">
                <div className="truncate text-[0.8125rem] font-medium">{sentenceCase(plain(step.id))}</div>
                <div className="truncate text-xs text-soft">{stateOf(step, enrollment.ended_at !== null)}</div>
              </div>
              <div className="relative h-8">
                <div className="absolute inset-x-0 top-1/2 h-px bg-line" />
                {until !== null && (
                  <div
                    className={`absolute start-0 top-1/2 h-2 -translate-y-1/2 rounded-full ${step.state === 'sent' ? 'bg-accent' : step.state === 'waiting' ? 'bg-accent-soft' : step.state === 'not_sent' ? 'bg-line' : 'bg-line-strong'}`}
                    style={{ width: at(ms(until)) } satisfies CSSProperties}
                  />
                )}
                {own.map((decision) => (
                  <button
                    key={keyOf(decision)}
                    type="button"
                    aria-expanded={open === keyOf(decision)}
                    aria-label={`${formatDayTime(decision.at)}: ${verdictWord[decision.verdict]}. ${readable(decision.sentence)}`}
                    title={readable(decision.sentence)}
                    onClick={() => setOpen(open === keyOf(decision) ? null : keyOf(decision))}
                    className="absolute top-0 grid h-8 w-6 -translate-x-1/2 place-items-center rtl:translate-x-1/2"
                    style={{ insetInlineStart: at(ms(decision.at)) }}
                  >
                    <span
                      className={`h-6 w-1.5 rounded-full ring-2 ring-surface ${tickLook[decision.verdict]} ${open === keyOf(decision) ? 'outline-2 outline-offset-2 outline-accent' : ''}`}
                    />
                  </button>
                ))}
              </div>
            </div>
          );
        })}
        {isNow && (
          <div
            aria-hidden="true"
            className="pointer-events-none absolute inset-y-0 start-[calc(6.5rem+0.75rem)] end-0 sm:start-[calc(11rem+0.75rem)]"
          >
            <div className="absolute inset-y-0 border-s border-dashed border-accent" style={{ insetInlineStart: at(nowMs) }} />
          </div>
        )}
      </div>
      <div className="ms-[calc(6.5rem+0.75rem)] flex justify-between gap-3 pt-1 text-xs text-soft sm:ms-[calc(11rem+0.75rem)]">
        <span>{formatDayTime(new Date(beginMs).toISOString())}</span>
        <span>{formatDuration(spanMs / 1_000)}</span>
        <span className="text-end">{formatDayTime(new Date(endMs).toISOString())}</span>
      </div>
      {chosen !== null && (
        <div className="mt-3 rounded-md border border-line bg-sunken/60 p-3">
          <p className="flex flex-wrap items-center gap-2">
            <Badge tone={verdictTone[chosen.verdict]}>{verdictWord[chosen.verdict]}</Badge>
            <span className="text-soft">
              {formatDayTime(chosen.at)}, by version {chosen.version}
            </span>
          </p>
          <p className="my-1.5">{readable(chosen.sentence)}</p>
          <Gates of={chosen.gates} />
        </div>
      )}
      {next !== null && (
        <details className="mt-3 rounded-md border border-line p-3">
          <summary className="cursor-pointer">
            <span className="font-medium">Next: {plain(next.step)}.</span> <span className="text-soft">{readable(next.sentence)}</span>
          </summary>
          <Gates of={next.gates} />
        </details>
      )}
    </div>
  );
}

const keyOf = ({ at, step, verdict }: Decision) => `${at} ${step ?? ''} ${verdict}`;

function stateOf(step: Step, ended: boolean): string {
  if (step.clicked_at !== null) return 'clicked';
  if (step.opened_at !== null) return 'opened';
  if (step.state === 'skipped') return step.skip_reason === null ? 'left out' : `left out: ${plain(step.skip_reason)}`;
  if (step.state === 'unknown') return 'in doubt';
  if (step.state === 'claimed') return 'being sent';
  if (step.state === 'not_sent') return 'ended before';
  if (step.state === 'waiting') return ended ? 'ended before' : step.due_at === null ? 'waits for something' : `due ${formatDayTime(step.due_at)}`;
  return plain(step.state);
}
