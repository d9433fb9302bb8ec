import type { Channel } from '../channels/index.ts';
import type { GateCheck } from '../gates/verdict.ts';
import type { EpochMs, FinishReason } from '../sequence/plan.ts';
import { offsetMsAt } from '../time/zones.ts';
import type { RehearsalEvent } from './events.ts';
import type { LogEntry, LogEntryOf, Rehearsal } from './rehearse.ts';
import type { Scenario } from './scenario.ts';

/** One line of a rehearsal. */
export interface TranscriptEvent {
  /** ISO 8601 with the offset of the person's clock. */
  at: string;
  /** `received`: something that the scenario lets happen. */
  kind: 'received' | 'sent' | 'deferred' | 'skipped' | 'stopped';
  step: string | null;
  channel: Channel | null;
  /** What happened, why a step was put off or left out, or why the sequence ended. */
  reason: string | null;
  /** A sentence for a person, where the reason needs one. */
  note: string | null;
  /** To when a step was put off, like `at`. */
  until: string | null;
}

export interface Transcript {
  sequence: string;
  version: number;
  timeZone: string;
  events: TranscriptEvent[];
  /** null: it is held, and nothing in the scenario ends that. */
  finished: { reason: FinishReason; at: string } | null;
}

/** A rehearsal as a list of what happened, on the person's clock. */
export function transcriptOf({ plan, log, finished }: Rehearsal, { events, timeZone }: Scenario): Transcript {
  const at = (ms: EpochMs) => onClock(timeZone, ms);
  const endMs = finished?.atMs ?? Number.POSITIVE_INFINITY;
  // What happens after the end changes nothing, and what happens at an instant happens before a dispatch.
  const received = events.filter(({ atMs }) => atMs <= endMs).map((event) => ({ atMs: event.atMs, line: lineOfEvent(event, at) }));
  const done = log.map((entry) => ({ atMs: entry.atMs, line: lineOfEntry(entry, at) }));
  const lines = [...received, ...done].sort((a, b) => a.atMs - b.atMs).flatMap(({ line }) => line ?? []);
  return {
    sequence: plan.sequence,
    version: plan.version,
    timeZone,
    events: lines,
    finished: finished === null ? null : { reason: finished.reason, at: at(finished.atMs) },
  };
}

/** The transcript as text, one line for each event, for people and for comparing. */
export function formatTranscript({ sequence, timeZone, events, finished }: Transcript): string {
  const rows = events.map((event) => [clockOf(event.at), event.kind, event.step ?? '', whatOf(event)]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  const end = finished === null ? 'It is held, and nothing ends that.' : `Ended ${clockOf(finished.at)}: ${finished.reason}`;
  const body = rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [`${sequence}, on the clock of ${timeZone}`, '', ...body, '', end, ''].join('\n');
}

function whatOf({ kind, channel, reason, note, until }: TranscriptEvent): string {
  const what = kind === 'sent' ? `by ${channel ?? 'no channel'}` : (reason ?? '');
  const when = until === null ? what : `${what} until ${clockOf(until)}`;
  return note === null ? when : `${when}: ${note}`;
}

function lineOfEntry(entry: LogEntry, at: (ms: EpochMs) => string): TranscriptEvent | null {
  const nothing = { step: null, channel: null, reason: null, note: null, until: null };
  switch (entry.kind) {
    case 'sent': {
      const doubt = entry.outcome === 'unknown' ? 'The provider gave no answer: it counts as sent.' : null;
      const offer = entry.checks.find(({ gate }) => gate === 'offer')?.note ?? null;
      const other = doubt ?? noteOf(entry.checks.filter(({ gate }) => gate !== 'offer'));
      const note = [entry.variant === undefined ? null : `Variant ${entry.variant}.`, offer, other].filter((part) => part !== null).join(' ');
      return { ...nothing, at: at(entry.atMs), kind: 'sent', step: entry.step, channel: entry.channel, note: note === '' ? null : note };
    }
    case 'deferred':
      return {
        ...nothing,
        ...{ at: at(entry.atMs), kind: 'deferred', step: entry.step, reason: entry.reason, note: everyDelay(entry.checks), until: at(entry.untilMs) },
      };
    case 'skipped':
      return { ...nothing, at: at(entry.atMs), kind: 'skipped', step: entry.step, reason: entry.reason, note: noteOfSkip(entry, at) };
    case 'finished':
      return entry.reason === 'completed' ? null : { ...nothing, at: at(entry.atMs), kind: 'stopped', reason: entry.reason };
  }
}

/** The sentences of all gates that put the step off: its reason names only the one that opened last. */
function everyDelay(checks: readonly GateCheck[]): string | null {
  const notes = checks.filter(({ result }) => result !== 'pass').map(({ note }) => note);
  return notes.filter((note) => note !== undefined).join(' ') || null;
}

/** A step that is too old was kept until then by the gates that were closed, or by the steps before it: without that nobody knows what to change. */
function noteOfSkip({ reason, checks }: LogEntryOf<'skipped'>, at: (ms: EpochMs) => string): string | null {
  if (reason !== 'too_old') return noteOf(checks);
  const expiryMs = checks.find(({ gate }) => gate === 'too_old')?.input['expiryMs'];
  const until = typeof expiryMs === 'number' ? `It could be sent until ${clockOf(at(expiryMs))}.` : null;
  return [everyDelay(checks), until].filter((part) => part !== null).join(' ') || null;
}

/** The sentence of the gate that decided, or the last that had something to say. */
function noteOf(checks: readonly GateCheck[]): string | null {
  const decided = checks.find(({ result }) => result !== 'pass' && result !== 'defer') ?? checks.find(({ result }) => result === 'defer');
  return (decided ?? checks.findLast(({ note }) => note !== undefined))?.note ?? null;
}

function lineOfEvent(event: RehearsalEvent, at: (ms: EpochMs) => string): TranscriptEvent {
  const nothing = { channel: null, note: null, until: null };
  const line = { ...nothing, at: at(event.atMs), kind: 'received' as const, step: null, reason: event.type as string };
  switch (event.type) {
    case 'message.opened':
    case 'message.clicked':
      return { ...line, step: event.step };
    case 'contact.opted_out':
      return { ...line, channel: event.channel, reason: `${event.type} ${event.channel ?? 'everything'}` };
    case 'order.placed':
      return { ...line, reason: event.matched ? event.type : `${event.type} elsewhere` };
    case 'provider.answers':
      return { ...line, reason: `${event.type} ${event.with}` };
    case 'taken_over':
      return { ...line, until: event.untilMs === null ? null : at(event.untilMs) };
    case 'other.sent':
      return { ...line, channel: event.channel, reason: `${event.type} ${event.step}` };
    case 'snoozed':
    case 'workers.down':
      return { ...line, until: at(event.untilMs) };
    default:
      return line;
  }
}

/** ISO 8601 with offset, to the second. */
function onClock(timeZone: string, atMs: EpochMs): string {
  const offsetMs = offsetMsAt(timeZone, atMs);
  const sign = offsetMs < 0 ? '-' : '+';
  const minutes = Math.abs(offsetMs) / 60_000;
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  return `${new Date(atMs + offsetMs).toISOString().slice(0, 19)}${sign}${two(minutes / 60)}:${two(minutes % 60)}`;
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `Tue 2026-03-10 12:00`, with seconds where there are some. */
function clockOf(iso: string): string {
  const day = weekdays[new Date(`${iso.slice(0, 10)}T00:00Z`).getUTCDay()];
  const seconds = iso.slice(16, 19);
  return `${day} ${iso.slice(0, 10)} ${iso.slice(11, 16)}${seconds === ':00' ? '' : seconds}`;
}
