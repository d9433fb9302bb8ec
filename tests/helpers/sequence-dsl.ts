import type { Channel } from '../../domain/channels/index.ts';
import type { ProviderAnswer, RehearsalEvent } from '../../domain/rehearsal/events.ts';
import type { LogEntry } from '../../domain/rehearsal/rehearse.ts';
import { rehearse as rehearseEvents } from '../../domain/rehearsal/rehearse.ts';
import type { Setting } from '../../domain/rehearsal/world.ts';
import { plainSetting, plainSettings } from '../../domain/rehearsal/world.ts';
import type { DailyWindow } from '../../domain/time/quiet-hours.ts';
import type { Condition, OnFailure, SequenceDefinition, StepDefinition } from '../../domain/sequence/definition.ts';
import { parseDuration } from '../../domain/sequence/duration.ts';
import type { EpochMs, Reaction, StepId, StopTrigger } from '../../domain/sequence/plan.ts';
import type { WeeklyWindow } from '../../domain/time/weekly-window.ts';
import { offsetMsAt } from '../../domain/time/zones.ts';

const dayMs = 86_400_000;

/** Milliseconds of `1h`, `3d`; for tests, so a wrong span throws. */
export function ms(span: string): number {
  const spanMs = parseDuration(span);
  if (spanMs === null) throw new Error(`${span} is no span`);
  return spanMs;
}

export interface StepWords {
  id?: StepId;
  at?: string;
  after?: string;
  /** What it reacts to; `after` counts from then. */
  on?: Reaction;
  channels?: Channel[];
  when?: Condition;
  expires?: string;
  lapsesWith?: StepId;
  maxRetries?: number;
  onFailure?: OnFailure;
  window?: WeeklyWindow;
}

/** A step; unless told otherwise an email called `email`. */
export function anEmail(words: StepWords): StepDefinition {
  return {
    id: words.id ?? 'email',
    due:
      words.at === undefined
        ? { from: words.on === undefined ? 'previous' : 'event', delayMs: ms(words.after ?? '0s') }
        : { from: 'anchor', delayMs: ms(words.at) },
    ...(words.on === undefined ? {} : { on: words.on }),
    channels: words.channels ?? ['email'],
    content: 'cart/email_2h',
    when: words.when ?? null,
    lapsesWith: words.lapsesWith ?? null,
    expiresAfterMs: words.expires === undefined ? null : ms(words.expires),
    maxRetries: words.maxRetries ?? 3,
    ...(words.onFailure === undefined ? {} : { onFailure: words.onFailure }),
    ...(words.window === undefined ? {} : { window: words.window }),
  };
}

export function aSequence(words: { steps: StepDefinition[]; stopOn?: StopTrigger[]; quietFor?: string; maxAge?: string }): SequenceDefinition {
  return {
    sequence: 'cart',
    name: 'Cart recovery',
    on: 'cart.abandoned',
    quietForMs: ms(words.quietFor ?? '0s'),
    stopOn: words.stopOn ?? ['purchased', 'replied', 'opted_out'],
    maxAgeMs: ms(words.maxAge ?? '30d'),
    reentry: 'once-per-subject',
    holdoutPercent: 0,
    priority: 3,
    goal: { event: 'order.placed', withinMs: ms('7d') },
    steps: words.steps,
  };
}

type WithoutTime<Event> = Event extends { atMs: EpochMs } ? Omit<Event, 'atMs'> : never;
/** An event at a local time of the rehearsal: `20:30`, `tomorrow 08:00`, `day 3 09:15`. */
export interface TimedWords {
  at: string;
  until?: string;
  event: WithoutTime<RehearsalEvent>;
}

export const cartUpdated = (at: string): TimedWords => ({ at, event: { type: 'subject.updated' } });
export const shopVisited = (at: string): TimedWords => ({ at, event: { type: 'person.seen' } });
export const orderPlaced = (at: string): TimedWords => ({ at, event: { type: 'order.placed', matched: true } });
export const orderPlacedElsewhere = (at: string): TimedWords => ({ at, event: { type: 'order.placed', matched: false } });
export const checkoutGone = (at: string): TimedWords => ({ at, event: { type: 'subject.gone' } });
export const replied = (at: string): TimedWords => ({ at, event: { type: 'message.received' } });
export const optedOut = (at: string, channel: Channel | null = null): TimedWords => ({ at, event: { type: 'contact.opted_out', channel } });
export const opened = (at: string, step: StepId): TimedWords => ({ at, event: { type: 'message.opened', step } });
export const clicked = (at: string, step: StepId): TimedWords => ({ at, event: { type: 'message.clicked', step } });
export const askedLater = (at: string, until: string): TimedWords => ({ at, until, event: { type: 'snoozed', untilMs: 0 } });
export const provider = (at: string, answer: ProviderAnswer): TimedWords => ({ at, event: { type: 'provider.answers', with: answer } });
export const paused = (at: string): TimedWords => ({ at, event: { type: 'paused' } });
export const resumed = (at: string): TimedWords => ({ at, event: { type: 'resumed' } });
export const workersDown = (at: string, until: string): TimedWords => ({ at, until, event: { type: 'workers.down', untilMs: 0 } });

/** What a rehearsal did, in the words of its events. */
export interface RunInWords {
  sent: { step: StepId; at: string }[];
  deferred: { step: StepId; until: string; reason: string }[];
  skipped: { step: StepId; reason: string }[];
  finished: { reason: string; at: string } | null;
  log: LogEntry[];
}

/** The quiet hours of a tenant that never changed them. */
export const usualQuietHours = { fromMinute: 21 * 60, toMinute: 8 * 60 };

/** A rehearsal in words. @param options.day - the local date that `20:30` falls on; 10 March 2026 where it does not matter */
export function rehearse(
  sequence: SequenceDefinition,
  events: TimedWords[],
  options: Partial<Setting> & { day?: string; quietHours?: DailyWindow | null } = {},
): RunInWords {
  const { day = '2026-03-10', quietHours = usualQuietHours, ...given } = options;
  const setting = { settings: { ...plainSettings, quietHours }, ...given };
  const [timeZone = 'UTC'] = setting.timeZones ?? plainSetting.timeZones;
  const clock = localClock(day, timeZone);
  const timed = events.map(({ at, until, event }): RehearsalEvent => {
    const atMs = clock.read(at);
    return event.type === 'workers.down' || event.type === 'snoozed' ? { ...event, atMs, untilMs: clock.read(until ?? at) } : { ...event, atMs };
  });
  const { log, finished } = rehearseEvents(sequence, timed, setting);
  return {
    sent: log.flatMap((entry) => (entry.kind === 'sent' ? [{ step: entry.step, at: clock.say(entry.atMs) }] : [])),
    deferred: log.flatMap((entry) =>
      entry.kind === 'deferred' ? [{ step: entry.step, until: clock.say(entry.untilMs), reason: entry.reason }] : [],
    ),
    skipped: log.flatMap((entry) => (entry.kind === 'skipped' ? [{ step: entry.step, reason: entry.reason }] : [])),
    finished: finished === null ? null : { reason: finished.reason, at: clock.say(finished.atMs) },
    log,
  };
}

/** Epoch milliseconds of a local time such as `2026-03-29T01:30` in a zone; where it repeats, the first. */
export function localMs(timeZone: string, local: string): EpochMs {
  const asUtcMs = Date.parse(`${local}Z`);
  const candidates = [asUtcMs - offsetMsAt(timeZone, asUtcMs - dayMs), asUtcMs - offsetMsAt(timeZone, asUtcMs + dayMs)];
  const exact = candidates.filter((atMs) => atMs + offsetMsAt(timeZone, atMs) === asUtcMs);
  const [first] = exact.toSorted((a, b) => a - b);
  if (first === undefined) throw new Error(`${local} does not exist in ${timeZone}`);
  return first;
}

function localClock(day: string, timeZone: string) {
  const dayIndex = Date.parse(`${day}Z`) / dayMs;
  return {
    read(words: string): EpochMs {
      const [, tomorrow, nth, time] = /^(?:(tomorrow) |day (\d+) )?(\d\d:\d\d)$/.exec(words) ?? [];
      if (time === undefined) throw new Error(`${words} is no time`);
      const later = tomorrow === undefined ? Number(nth ?? 1) - 1 : 1;
      return localMs(timeZone, `${new Date((dayIndex + later) * dayMs).toISOString().slice(0, 10)}T${time}`);
    },
    say(atMs: EpochMs): string {
      const localIso = new Date(atMs + offsetMsAt(timeZone, atMs)).toISOString();
      const later = Date.parse(`${localIso.slice(0, 10)}Z`) / dayMs - dayIndex;
      const time = localIso.slice(11, localIso.endsWith('00.000Z') ? 16 : 19);
      return later === 0 ? time : later === 1 ? `tomorrow ${time}` : `day ${later + 1} ${time}`;
    },
  };
}
