import type { Data } from '../../../sdk/index.ts';
import { formatDayTime, plain, sentenceCase } from '../../parts/format.ts';

type Transcript = Data<'POST /api/rehearsals'>;
export type RehearsedEvent = Transcript['events'][number];

const dayMs = 86_400_000;
const spanDays = 30;
const row = 34;
const colours: Record<RehearsedEvent['kind'], string> = {
  received: 'fill-accent',
  sent: 'fill-good',
  deferred: 'fill-warn',
  skipped: 'fill-line-strong',
  stopped: 'fill-bad',
};

/** By the clock of the person or of the law, beside everything else that puts a step off. */
const byTheClock = new Set(['quiet_hours', 'legal_hours', 'blackout', 'send_window', 'campaign_schedule']);

/** When the clocks of a zone are changed within a span, to the hour. Epoch milliseconds. */
function clockChanges(timeZone: string, fromMs: number, untilMs: number): number[] {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const offset = (ms: number) => format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value;
  const found: number[] = [];
  for (let ms = fromMs; ms < untilMs; ms += dayMs / 24) if (offset(ms) !== offset(ms + dayMs / 24)) found.push(ms + dayMs / 24);
  return found;
}

/** A lane for each step, over 30 days or as long as it takes: from where a step was put off to where it goes out is a bar. */
export function Lanes({ of: { events, finished, timeZone } }: { of: Transcript }) {
  const times = events.map(({ at }) => Date.parse(at));
  const fromMs = Math.min(...times);
  const lastMs = Math.max(
    ...times,
    ...events.flatMap(({ until }) => (until === null ? [] : [Date.parse(until)])),
    finished === null ? 0 : Date.parse(finished.at),
  );
  // A short sequence is not squeezed into the first tenth.
  const days = Math.min(spanDays, Math.max(2, Math.ceil((lastMs - fromMs) / dayMs) + 1));
  const x = (ms: number) => `${Math.min(100, (100 * (ms - fromMs)) / (days * dayMs))}%`;
  const lanes = [null, ...new Set(events.flatMap(({ step }) => (step === null ? [] : [step])))];
  const height = lanes.length * row + 22;
  const changes = clockChanges(timeZone, fromMs, fromMs + days * dayMs);
  const every = days <= 7 ? 1 : days <= 14 ? 2 : 5;
  return (
    <figure className="grid grid-cols-[7rem_minmax(0,1fr)] sm:grid-cols-[10rem_minmax(0,1fr)]">
      <div aria-hidden="true">
        {lanes.map((lane) => (
          <div key={lane} className="flex h-8.5 items-center truncate pe-2 text-[0.8125rem]">
            {lane === null ? 'The person' : sentenceCase(plain(lane))}
          </div>
        ))}
      </div>
      <svg
        height={height}
        width="100%"
        className="block overflow-visible rtl:-scale-x-100"
        role="img"
        aria-label={`Each step over ${days} days, by the clock of ${timeZone}. The same stands in the list below.`}
      >
        {Array.from({ length: Math.floor(days / every) + 1 }, (_, index) => index * every).map((day, index) => (
          <g key={day}>
            <line x1={x(fromMs + day * dayMs)} x2={x(fromMs + day * dayMs)} y1={0} y2={lanes.length * row} className="stroke-line" />
            <text
              x={x(fromMs + day * dayMs)}
              y={lanes.length * row + 16}
              // On a phone all of them would touch.
              className={`fill-soft text-2xs rtl:hidden ${index % 2 === 1 ? 'max-sm:hidden' : ''}`}
              textAnchor={day === 0 ? 'start' : day >= days ? 'end' : 'middle'}
            >
              {day === 0 ? 'start' : `day ${day}`}
            </text>
          </g>
        ))}
        {changes.map((ms) => (
          <g key={ms}>
            <line x1={x(ms)} x2={x(ms)} y1={0} y2={lanes.length * row} strokeWidth={2} className="stroke-[var(--series-4)]" strokeDasharray="2 4" />
            <title>{`The clocks are changed: ${formatDayTime(new Date(ms).toISOString())}`}</title>
          </g>
        ))}
        {events.map(({ at, kind, step, until, reason }, index) => {
          const y = lanes.indexOf(step) * row + row / 2;
          return (
            // Two things may happen at the same moment.
            <g key={index}>
              {until !== null && (
                <line
                  x1={x(Date.parse(at))}
                  x2={x(Date.parse(until))}
                  y1={y}
                  y2={y}
                  strokeWidth={8}
                  className={byTheClock.has(reason ?? '') ? 'stroke-[var(--series-2)]/50' : 'stroke-warn/40'}
                />
              )}
              <circle cx={x(Date.parse(at))} cy={y} r={5.5} className={colours[kind]}>
                <title>{`${formatDayTime(at)} ${kind}`}</title>
              </circle>
            </g>
          );
        })}
        {finished !== null && (
          <line
            x1={x(Date.parse(finished.at))}
            x2={x(Date.parse(finished.at))}
            y1={0}
            y2={lanes.length * row}
            strokeDasharray="3 3"
            className="stroke-ink"
          />
        )}
      </svg>
      <figcaption className="col-span-2 mt-1 flex flex-wrap gap-x-4 gap-y-1 text-xs text-soft">
        {(
          [
            ['bg-accent', 'happens'],
            ['bg-good', 'sent'],
            ['bg-warn', 'put off'],
            ['bg-[var(--series-2)]/50', 'waits for the clock'],
            ['bg-warn/40', 'waits for something else'],
            ['bg-line-strong', 'left out'],
            ['bg-bad', 'stopped'],
            ...(changes.length > 0 ? [['bg-[var(--series-4)]', 'the clocks are changed'] as const] : []),
          ] as const
        ).map(([look, name]) => (
          <span key={name} className="flex items-center gap-1.5">
            <span aria-hidden="true" className={`size-2.5 rounded-[2px] ${look}`} />
            {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
