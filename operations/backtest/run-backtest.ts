import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { eq } from 'drizzle-orm';
import { claimsIn, hasCopy } from '../../content/channels/index.ts';
import type { Tx } from '../../db/client.ts';
import { sequences, tenants } from '../../db/schema/index.ts';
import { type BacktestReport, BacktestTally } from '../../domain/backtest/tally.ts';
import { type Channel, channelNames } from '../../domain/channels/index.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import type { SequenceDefinition } from '../../domain/sequence/definition.ts';
import type { Plan } from '../../domain/sequence/plan.ts';
import { kindOfSequence } from '../../domain/sequence/triggers.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { offsetMsAt } from '../../domain/time/zones.ts';
import type { Deps } from '../deps.ts';
import { readConfigured, toOutlets } from '../outlets.ts';
import { decisionContext } from '../intake/tenant.ts';
import { countPasses, readHistory } from './history.ts';
import { type PeopleQuestion, readPeople } from './people.ts';
import { type Replayed, replayPerson, type Trial } from './replay-person.ts';

const dayMs = 86_400_000;
/** What happened before decides what a sequence may do: who was in it already, and what a person has got. */
const leadInMs = 30 * dayMs;
const peopleAtOnce = 400;
/** Other work of the process waits no longer than this, and a person. Giving way after each of them costs more than some people do. */
const mostTurnMs = 5;

/** The version that is tried. */
export interface Tried {
  version: number;
  definition: SequenceDefinition;
  /** Compiled texts; null: it is a file, whose texts are taken to exist. */
  content: Record<string, unknown> | null;
}

export interface BacktestInput {
  tenantId: string;
  tried: Tried;
  days: number;
  /** Of one message, by channel, in major units. */
  prices: Readonly<Record<string, number>> | null;
  /** Called now and then with the progress. */
  onProgress(done: number, of: number): void;
  /** Called with each person's result before it is added up. */
  onReplayed?(personId: string, replayed: Replayed): void;
  signal?: AbortSignal;
}

export type BacktestDeps = Pick<
  Deps,
  | 'db'
  | 'clock'
  | 'sealing'
  | 'subjects'
  | 'timeScale'
  | 'interventionStores'
  | 'createSenders'
  | 'integrations'
  | 'defaultSenders'
  | 'publicUrl'
  | 'log'
>;

/**
 * Run a sequence over the stored events of real people, as of one moment, and write nothing. Memory depends on neither the number of people nor the
 * length of the history. Every few milliseconds other work of the process gets its turn.
 * Source: docs/rehearsal.md#backtests
 */
export function runBacktest(deps: BacktestDeps, input: BacktestInput): Promise<BacktestReport> {
  return deps.db.snapshot(input.tenantId, (tx) => backtest(tx, deps, input));
}

async function backtest(tx: Tx, deps: BacktestDeps, input: BacktestInput): Promise<BacktestReport> {
  const { tenantId, days, prices, onProgress, signal } = input;
  const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
  if (tenant === undefined) throw new Error('the tenant does not exist');
  const settings = settingsOf(tenant);
  const untilMs = deps.clock.nowMs();
  const sinceMs = untilMs - days * dayMs;
  const span = { fromMs: sinceMs - leadInMs, sinceMs, untilMs };
  const { slug, ...trial } = await trialOf(tx, deps, input, tenant);
  const tally = new BacktestTally(localDay(settings.timeZone));
  const passes = await countPasses(tx, span);
  let turnMs = performance.now();
  for (let part = 0; part < passes; part++) {
    const history = await readHistory(tx, { tenantId, settings }, span, { part, of: passes });
    const ofPart = { ...trial, ...span, crowded: history.crowded };
    const people = [...history.events];
    const question: PeopleQuestion = { slug, sequenceId: trial.known, fromMs: span.fromMs, hashOf: trial.hashOf };
    const read = (at: number) => readPeople(tx, new Map(people.slice(at, at + peopleAtOnce)), question);
    let next = read(0);
    for (let at = 0; at < people.length; at += peopleAtOnce) {
      signal?.throwIfAborted();
      onProgress((part + at / people.length) / passes, 1);
      const now = await next;
      // Postgres reads the next ones while these are run.
      next = read(at + peopleAtOnce);
      next.catch(() => undefined);
      for (const person of now) {
        const replayed = replayPerson(ofPart, person);
        input.onReplayed?.(person.personId, replayed);
        tally.add(replayed.enrollments, replayed.notBegun);
        if (performance.now() - turnMs < mostTurnMs) continue;
        await setImmediate();
        turnMs = performance.now();
      }
    }
    await next;
  }
  onProgress(1, 1);
  return tally.report({ sinceMs, untilMs, timeZone: settings.timeZone }, prices, settings.currency);
}

type TrialOfStore = Omit<Trial, 'crowded' | 'fromMs' | 'sinceMs' | 'untilMs'> & { slug: string; known: string | null };

async function trialOf(tx: Tx, deps: BacktestDeps, { tenantId, tried }: BacktestInput, tenant: typeof tenants.$inferSelect): Promise<TrialOfStore> {
  const slug = tried.definition.sequence;
  const kind = kindOfSequence(deps.subjects, tried.definition);
  if (kind === null) throw new Error(`nothing is known about what ${tried.definition.on} starts`);
  const [known] = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug));
  // A sequence that only somebody starts is run as if every subject of its kind had started it.
  const definition = { ...tried.definition, on: kind.trigger };
  const version = { slug, version: tried.version, definition, content: tried.content ?? {} };
  const outlets = toOutlets(deps, await readConfigured(tx));
  const newId = idsInOrder();
  const contexts = new Map<string, ReturnType<typeof decisionContext>>();
  const plans = new Map<number, Plan>();
  const planAt = (timeScale: number) => {
    const plan = plans.get(timeScale) ?? compilePlan(definition, tried.version, timeScale);
    plans.set(timeScale, plan);
    return plan;
  };
  const sendable = new Map<string | null, ReadonlySet<Channel>>();
  /** The channels that a text of that name may go out on: no different for anybody. */
  const sendableOf = (content: string | null) => {
    const canSend = (channel: Channel) =>
      outlets.forChannel(channel) !== null && (tried.content === null || hasCopy(tried.content, content, channel));
    const known = sendable.get(content) ?? new Set(channelNames.filter(canSend));
    sendable.set(content, known);
    return known;
  };
  const contextOf = (connectionId: string) => {
    const context = contexts.get(connectionId) ?? decisionContext(deps, { tenantId, connectionId, inboxId: null }, tenant);
    contexts.set(connectionId, context);
    return context;
  };
  const versionId = idFrom(`${tenantId} ${slug} tried`);
  return {
    slug,
    known: known?.id ?? null,
    tenant,
    sequence: { id: known?.id ?? idFrom(`${tenantId} ${slug}`), versionId, version },
    versions: new Map([[versionId, version]]),
    kinds: deps.subjects,
    planAt,
    isConnected: (content: string | null, channel: Channel) => sendableOf(content).has(channel),
    claimsIn: (content) => (tried.content === null ? [] : claimsIn(tried.content, content)),
    contextAt: (connectionId, nowMs) => ({ ...contextOf(connectionId), nowMs, newId }),
    hashOf: ({ kind: of, value }) => deps.sealing.addressHash(tenantId, of, value),
  };
}

/** An id for what has none in the tables; the same for the same name, so that the same people are held out each time. */
function idFrom(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** Ids of what is made in memory: in order, later than any stored one, and without the randomness that costs more than a decision. */
function idsInOrder(): () => string {
  let made = 0;
  return () => `ffffffff-ffff-7fff-8fff-${(made++).toString(16).padStart(12, '0')}`;
}

/** The local day of an instant. */
function localDay(timeZone: string): (atMs: number) => string {
  return (atMs) => new Date(atMs + offsetMsAt(timeZone, atMs)).toISOString().slice(0, 10);
}
