import type { NotificationCause } from '../../domain/notifications/cause.ts';
import { cleanLine } from '../plain-text.ts';

/** What is known of a task when its notification is written. */
export interface TaskFacts {
  kind: string;
  cause: NotificationCause;
  /** Whose it is; null: anybody's. */
  owner: string | null;
  /** Who had it and was late. */
  late: readonly string[];
  dueAtMs: number;
  nowMs: number;
  recommendation: string | null;
  /** The note left by the creator of the task. */
  data: Readonly<Record<string, unknown>>;
  person: { name: string | null; email: string | null; phone: string | null };
  /** The latest of what is recorded about the person, in sentences. */
  history: readonly { atMs: number; sentence: string }[];
  store: { name: string; timeZone: string; locale: string };
}

/** The variables of a template. What is not known is null. */
export interface NotificationView {
  task: { kind: string; title: string; due: string; isOverdue: boolean; recommendation: string | null; note: string | null; late: string[] };
  cause: string;
  owner: { name: string | null };
  person: { name: string | null; email: string | null; phone: string | null };
  risk: { band: string; says: string; factors: string[] } | null;
  tried: string[];
  history: string[];
  store: { name: string };
  language: string;
  locale: string;
  timeZone: string;
}

/** What people call the kinds of tasks. A kind that is not among them is called by its name. */
const titles: Readonly<Record<string, string>> = {
  agent_call: 'Call',
  assignment: 'New assignment',
  escalation: 'Escalation',
  approval: 'Approval',
  hot_lead: 'Callback',
  consultation: 'Consultation',
  interest: 'Interest in an offer',
  question: 'Question',
  opt_out_in_words: 'Opt-out in words',
};
export const taskTitle = (kind: string): string => titles[kind] ?? kind.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());

/** Kinds that have a name of their own; templates may be written for others, too. */
export const namedKinds: readonly string[] = Object.keys(titles);

const most = 300;
const text = (value: unknown): string | null => (typeof value === 'string' ? cleanLine(value, most) : null);
const rows = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter((row) => typeof row === 'object' && row !== null) : [];

export function notificationView({
  kind,
  cause,
  owner,
  late,
  dueAtMs,
  nowMs,
  recommendation,
  data,
  person,
  history,
  store,
}: TaskFacts): NotificationView {
  const at = (ms: number) => momentIn(ms, store);
  return {
    task: {
      kind,
      title: taskTitle(kind),
      due: at(dueAtMs),
      isOverdue: dueAtMs < nowMs,
      recommendation: text(recommendation),
      note: notesOf(data),
      late: late.map(text).filter((name) => name !== null),
    },
    cause,
    owner: { name: text(owner) },
    person: { name: text(person.name) ?? text(data['name']), email: text(person.email), phone: text(person.phone) ?? text(data['phone']) },
    risk: riskOf(data['risk']),
    tried: rows(data['tried']).flatMap((row) => triedIn(row, at)),
    history: history.map(({ atMs, sentence }) => `${at(atMs)}: ${cleanLine(sentence, most) ?? ''}`),
    store: { name: cleanLine(store.name, 80) ?? 'Your store' },
    language: 'en',
    locale: store.locale,
    timeZone: store.timeZone,
  };
}

/** On the store's clock, as a person writes it: `Mon, 30 Nov, 14:05`. */
function momentIn(ms: number, { timeZone }: { timeZone: string }): string {
  return new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  }).format(ms);
}

/** What people and bots have written down: tasks from chats have it under different names. */
function notesOf(data: Readonly<Record<string, unknown>>): string | null {
  const notes = ['note', 'question', 'text', 'goal', 'time'].map((name) => text(data[name])).filter((note) => note !== null);
  return notes.length === 0 ? null : notes.join('. ');
}

function riskOf(given: unknown): NotificationView['risk'] {
  if (typeof given !== 'object' || given === null || !('band' in given)) return null;
  const risk: Record<string, unknown> = { ...given };
  return { band: text(risk['band']) ?? 'unknown', says: text(risk['says']) ?? '', factors: rows(risk['factors']).flatMap(factorIn) };
}

/** A factor as assessments store it: what it is made of, and its weight, above 0 towards being lost. */
function factorIn({ features, weight }: Record<string, unknown>): string[] {
  const names = (Array.isArray(features) ? features : []).map(text).filter((name) => name !== null);
  if (names.length === 0) return [];
  const says = names.map(inWords).join(' with ');
  return [typeof weight === 'number' ? `${says} (${weight > 0 ? '+' : ''}${weight.toFixed(2)})` : says];
}

/** `daysSinceOrder` and `days_since_order` as `days since order`. */
const inWords = (name: string): string =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();

function triedIn(row: Record<string, unknown>, at: (ms: number) => string): string[] {
  const [channel, step, sequence, state] = ['channel', 'step', 'sequence', 'state'].map((name) => text(row[name]));
  if (channel == null || step == null) return [];
  const when = typeof row['at'] === 'string' ? `, ${at(Date.parse(row['at']))}` : '';
  return [`${channel}, step ${step} of ${sequence ?? 'a sequence'}${state === 'unknown' ? ', may have arrived' : ''}${when}`];
}
