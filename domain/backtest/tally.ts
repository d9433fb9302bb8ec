import type { EpochMs, FinishReason } from '../sequence/plan.ts';

/** What one enrollment of a backtest came to. */
export interface BacktestedEnrollment {
  /** The person as they are known today. */
  personId: string;
  /** null: it was still running when the history ended. */
  finished: FinishReason | null;
  log: readonly BacktestEntry[];
  /** Sequences of the store in which the person was meanwhile. */
  beside: readonly string[];
  /** A message would have gone out after an order of the person had arrived. */
  afterBuying: boolean;
}

/** One action of it. */
export type BacktestEntry =
  | { kind: 'sent'; atMs: EpochMs; step: string; channel: string }
  | { kind: 'deferred'; atMs: EpochMs; step: string; reason: string; untilMs: EpochMs }
  | { kind: 'skipped'; atMs: EpochMs; step: string; reason: string };

/** What a sequence would have done over a stretch of history. */
export interface BacktestReport {
  since: string;
  until: string;
  /** Of the days below. */
  time_zone: string;
  /** People whose events were read. */
  people: number;
  enrollments: {
    begun: number;
    completed: number;
    held_out: number;
    /** Not over when the history ended. */
    running: number;
    /** By the reason of the end. */
    stopped: Record<string, number>;
  };
  /** Subjects about which nothing began, by what kept it from beginning. */
  not_begun: Record<string, number>;
  messages: {
    total: number;
    by_channel: Record<string, number>;
    by_step: Record<string, number>;
    by_day: { day: string; channel: string; messages: number }[];
    /** On the day with the most. */
    busiest_day: { day: string; messages: number } | null;
  };
  /** null: no prices were given. */
  cost: { currency: string | null; total: number; by_channel: Record<string, number> } | null;
  /** How often steps were put off, by reason. */
  deferred: Record<string, number>;
  /** How many steps were left out, by reason. */
  skipped: Record<string, number>;
  /** Enrollments whose person was in another sequence at the time. */
  collisions: { enrollments: number; by_sequence: Record<string, number>; steps_put_off: number; steps_capped: number };
  /** People whom a suppression or an opt-out kept from getting all of it, or from beginning. */
  suppressed: { people: number; share: number };
  /** Must be 0. */
  messaged_after_buying: { people: number; examples: string[] };
}

const mostExamples = 20;

/** Adds up what a backtest finds, person by person; its size depends on the number of days, steps and reasons only. */
export class BacktestTally {
  readonly #dayOf: (atMs: EpochMs) => string;
  #people = 0;
  #begun = 0;
  #running = 0;
  readonly #ends = new Counts();
  readonly #notBegun = new Counts();
  readonly #channels = new Counts();
  readonly #steps = new Counts();
  readonly #days = new Counts();
  readonly #deferred = new Counts();
  readonly #skipped = new Counts();
  readonly #beside = new Counts();
  #collided = 0;
  #putOff = 0;
  #capped = 0;
  #reached = 0;
  #suppressed = 0;
  #afterBuying = 0;
  readonly #examples: string[] = [];

  /** @param dayOf - the local day of an instant, such as `2026-03-10` */
  constructor(dayOf: (atMs: EpochMs) => string) {
    this.#dayOf = dayOf;
  }

  /**
   * Everything about one person.
   * @param notBegun - for each subject about which nothing began, why
   */
  add(enrollments: readonly BacktestedEnrollment[], notBegun: readonly string[]): void {
    this.#people += 1;
    for (const reason of notBegun) this.#notBegun.add(reason);
    for (const enrollment of enrollments) this.#addEnrollment(enrollment);
    const blocked = notBegun.some((reason) => closing.includes(reason)) || enrollments.some(({ log }) => log.some(isSuppressed));
    if (enrollments.length > 0 || blocked) this.#reached += 1;
    if (blocked) this.#suppressed += 1;
    const wronged = enrollments.find(({ afterBuying }) => afterBuying);
    if (wronged === undefined) return;
    this.#afterBuying += 1;
    if (this.#examples.length < mostExamples) this.#examples.push(wronged.personId);
  }

  #addEnrollment({ finished, log, beside }: BacktestedEnrollment): void {
    this.#begun += 1;
    if (finished === null) this.#running += 1;
    else this.#ends.add(finished);
    const others = [...new Set(beside)];
    if (others.length > 0) this.#collided += 1;
    for (const slug of others) this.#beside.add(slug);
    for (const entry of log) {
      switch (entry.kind) {
        case 'sent':
          this.#channels.add(entry.channel);
          this.#steps.add(entry.step);
          this.#days.add(`${this.#dayOf(entry.atMs)} ${entry.channel}`);
          break;
        case 'deferred':
          this.#deferred.add(entry.reason);
          if (others.length > 0 && sharedGates.includes(entry.reason)) this.#putOff += 1;
          break;
        case 'skipped':
          this.#skipped.add(entry.reason);
          if (others.length > 0 && entry.reason === 'capped') this.#capped += 1;
      }
    }
  }

  /** @param prices - of one message, by channel, in major units; null: not asked for */
  report(
    span: { sinceMs: EpochMs; untilMs: EpochMs; timeZone: string },
    prices: Readonly<Record<string, number>> | null,
    currency: string | null,
  ): BacktestReport {
    const { completed = 0, holdout = 0, ...stopped } = this.#ends.all();
    const byChannel = this.#channels.all();
    const byDay = Object.entries(this.#days.all()).map(([key, messages]) => {
      const [day = '', channel = ''] = key.split(' ');
      return { day, channel, messages };
    });
    return {
      since: new Date(span.sinceMs).toISOString(),
      until: new Date(span.untilMs).toISOString(),
      time_zone: span.timeZone,
      people: this.#people,
      enrollments: { begun: this.#begun, completed, held_out: holdout, running: this.#running, stopped },
      not_begun: this.#notBegun.all(),
      messages: { total: sumOf(byChannel), by_channel: byChannel, by_step: this.#steps.all(), by_day: byDay, busiest_day: busiestOf(byDay) },
      cost: prices === null ? null : costOf(byChannel, prices, currency),
      deferred: this.#deferred.all(),
      skipped: this.#skipped.all(),
      collisions: { enrollments: this.#collided, by_sequence: this.#beside.all(), steps_put_off: this.#putOff, steps_capped: this.#capped },
      suppressed: { people: this.#suppressed, share: this.#reached === 0 ? 0 : round(this.#suppressed / this.#reached) },
      messaged_after_buying: { people: this.#afterBuying, examples: this.#examples },
    };
  }
}

/** What keeps whoever has closed all marketing from every sequence. */
const closing: readonly string[] = ['opted_out', 'do_not_contact'];
/** Gates that another sequence's messages can close. */
const sharedGates: readonly string[] = ['cap', 'gap', 'turn'];
const isSuppressed = (entry: BacktestEntry) => entry.kind === 'skipped' && entry.reason === 'suppressed';

/** Counts by name, listed in the order of the names. */
class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  all(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

const sumOf = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, n) => sum + n, 0);
const round = (amount: number) => Math.round(amount * 10_000) / 10_000;

function costOf(byChannel: Readonly<Record<string, number>>, prices: Readonly<Record<string, number>>, currency: string | null) {
  const costs = Object.fromEntries(Object.entries(byChannel).map(([channel, n]) => [channel, round(n * (prices[channel] ?? 0))]));
  return { currency, total: round(sumOf(costs)), by_channel: costs };
}

function busiestOf(byDay: BacktestReport['messages']['by_day']): { day: string; messages: number } | null {
  const days = new Map<string, number>();
  for (const { day, messages } of byDay) days.set(day, (days.get(day) ?? 0) + messages);
  let busiest: { day: string; messages: number } | null = null;
  for (const [day, messages] of days) if (busiest === null || messages > busiest.messages) busiest = { day, messages };
  return busiest;
}
