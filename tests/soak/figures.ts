import type { Accepted } from './mail-record.ts';
import type { SoakReport } from './run-soak.ts';
import { isStopping } from './shopper.ts';
import { isToldByShopify } from './webhook.ts';
import type { Violation } from './verdict.ts';
import type { Witnessed } from './witnessed.ts';

const farEnds: Record<string, string> = { mail: 'mail server', provider: 'provider of texts and calls' };

type Counts = Record<string, number>;

/** The figures of a run, for people and for programs. */
export function figuresOf({ seed, digest, tookMs, verdict, flatness, witnessed: seen, violations }: SoakReport) {
  const of = (kind: Violation['kind']) => violations.filter((v) => v.kind === kind).length;
  const acceptedBy = (channel: Accepted['channel']) => seen.messages.filter((message) => message.channel === channel).length;
  const answered = seen.deliveries.filter((d) => d.answeredMs !== null);
  const stops = answered.filter((d) => isStopping(d.planned.event));
  return {
    seed,
    digest,
    seconds: { storm: Math.round(tookMs.storm / 1_000), drain: Math.round(tookMs.drain / 1_000) },
    violations: {
      'second copies of a message': of('G1'),
      'messages accepted after an answered stop': of('G2'),
      'acknowledged stops without effect': of('G3'),
      'messages or sequences of the wrong store': of('G10'),
      'lost or unexplained': of('LOST'),
      'ledger and far end disagree': of('TRUTH'),
      stuck: of('STUCK'),
      'answers outside the contract': of('ANSWER'),
      'processes that ended wrongly': of('PROCESS'),
      'processes that grew': of('GROWTH'),
    },
    traffic: {
      shoppers: seen.shoppers.length,
      'of them in the store with Shopify': seen.shoppers.filter((s) => s.store === 'shopify').length,
      'of them in the store with leads': seen.shoppers.filter((s) => s.store === 'leads').length,
      'with the address of somebody in another store': seen.shoppers.filter((s) => s.addresses[0] !== `${s.name}@example.com`).length,
      'webhooks acknowledged': answered.length,
      'of them in Shopify’s format': answered.filter(({ planned }) => isToldByShopify(planned)).length,
      'stops among them': stops.length,
      'unsubscribes by link': seen.unsubscribes.length,
      'attempts at the API': sum(attemptsOf(seen)),
      'emails accepted': acceptedBy('email'),
      'texts accepted': acceptedBy('sms'),
      'calls accepted': acceptedBy('call'),
    },
    attempts: attemptsOf(seen),
    faults: countBy(seen.faults, ({ fault }) => `${farEnds[fault.kind] ?? fault.kind} ${fault.what}`),
    subjects: verdict.subjects,
    messages: verdict.messages,
    unknown: verdict.unknown,
    unsent: verdict.unsent,
    stops: {
      'stops judged, by cart or lead': verdict.stops.judged,
      'sequences of other stores that a stop left alone': verdict.stops.spared,
      'covered messages accepted while the stop waited for its 2xx': verdict.stops.met,
      'after a stop, worker paused (beyond assumption a)': verdict.stops.beyondAssumption,
    },
    workflows: { ...seen.remains.workflows, 'run more than once': seen.remains.workflowsRunAgain },
    rows: seen.remains.rows,
    sessions: flatness.sessions,
    processes: flatness.processes,
    'load per core': loadOf(seen),
    starts: countBy(seen.lives, (life) => (life.readyMs === null && life.end === 'by itself' ? `${life.name}, in vain` : life.name)),
  };
}

function attemptsOf(seen: Witnessed): Counts {
  const all: Counts = {};
  for (const { attempts } of [...seen.deliveries, ...seen.unsubscribes])
    for (const [result, n] of Object.entries(attempts)) all[result] = (all[result] ?? 0) + n;
  return all;
}

function countBy<T>(list: readonly T[], name: (item: T) => string): Counts {
  const counts: Counts = {};
  for (const item of list) counts[name(item)] = (counts[name(item)] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b)));
}

function loadOf({ loads }: Witnessed) {
  const sorted = loads.map((l) => l.perCore).toSorted((a, b) => a - b);
  return { median: Number((sorted[sorted.length >> 1] ?? 0).toFixed(1)), most: Number((sorted.at(-1) ?? 0).toFixed(1)) };
}

const sum = (counts: Counts) => Object.values(counts).reduce((total, n) => total + n, 0);
