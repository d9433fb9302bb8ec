import type { OwnOrders } from '../../domain/people/purchases.ts';
import type { contactIdentities, contacts, tenants } from '../../db/schema/index.ts';
import { lifecycleAfter } from '../../domain/people/lifecycle.ts';
import type { BacktestedEnrollment, BacktestEntry } from '../../domain/backtest/tally.ts';
import type { Channel } from '../../domain/channels/index.ts';
import type { DomainEvent, PersonRef } from '../../domain/events.ts';
import { armOf } from '../../domain/experiments/arm.ts';
import { askAgainAt } from '../../domain/gates/ask-again.ts';
import { decideDispatch } from '../../domain/gates/decide-dispatch.ts';
import { activates, type Verdict } from '../../domain/gates/verdict.ts';
import { type Identity, isStrong } from '../../domain/people/choose-contact.ts';
import { dueAt } from '../../domain/sequence/due.ts';
import { statusOf } from '../../domain/sequence/ending.ts';
import { nextMove } from '../../domain/sequence/next-move.ts';
import type { EpochMs, FinishReason, Plan, Progress } from '../../domain/sequence/plan.ts';
import type { SubjectKinds } from '../../domain/subjects/index.ts';
import { triggersOf } from '../../domain/subjects/kind.ts';
import type { Assignment } from '../dispatch/assignment.ts';
import { pointOf } from '../dispatch/assignment.ts';
import type { ClaimName } from '../../domain/claims/index.ts';
import { factsFrom, type Reading, type StepWorld } from '../dispatch/facts.ts';
import { type LedgerRow, readProgress, unsettledRow } from '../dispatch/progress.ts';
import { type ChosenVariant, drawnArm, drawnVariant } from '../dispatch/variant.ts';
import type { DecisionContext } from '../intake/draft.ts';
import { namedBy } from '../intake/source.ts';
import type { ActiveSequence, KnownContact, KnownSubject } from '../intake/world.ts';
import { ofIdentity, ofKey } from './history.ts';
import type { HistoricEvent, PersonHistory } from './people.ts';
import { ReplayedWorld, type Run } from './replayed-world.ts';

/** What a backtest runs, and for whom. */
export interface Trial {
  tenant: typeof tenants.$inferSelect;
  sequence: ActiveSequence;
  kinds: SubjectKinds;
  /** The plan of the sequence at a time scale; the same each time. */
  planAt(timeScale: number): Plan;
  /** Whether messages of a channel can leave, and the version has a text for them. */
  isConnected(content: string | null, channel: Channel): boolean;
  /** What the texts of that name claim. */
  claimsIn: (content: string | null) => readonly ClaimName[];
  /** The version that every replayed enrollment runs on. */
  versions: ReadonlyMap<string, ActiveSequence['version']>;
  /** Of one connection, at one moment. */
  contextAt(connectionId: string, nowMs: EpochMs): DecisionContext;
  hashOf(identity: Identity): string;
  crowded: ReadonlySet<string>;
  /** Where the history begins, from when on enrollments count, and where it ends. */
  fromMs: EpochMs;
  sinceMs: EpochMs;
  untilMs: EpochMs;
}

export interface Replayed {
  enrollments: BacktestedEnrollment[];
  /** Why nothing began, for each subject about which nothing did. */
  notBegun: string[];
}

interface People {
  everyone: (typeof contacts.$inferSelect)[];
  ids: ReadonlySet<string>;
  identities: (typeof contactIdentities.$inferSelect)[];
}

/** Something that happened, in the order in which the store knew of it. */
interface Happening {
  atMs: EpochMs;
  connectionId: string;
  event: DomainEvent;
}

/** A healthy enrollment makes a few moves a step; this many mean that the rules loop. */
const mostMoves = 10_000;

/**
 * Run the history of one person: events are applied by their effects, steps are decided by `nextMove` and `decideDispatch`, at the moments at which
 * workflow and dispatch would have decided.
 */
export function replayPerson(trial: Trial, history: PersonHistory): Replayed {
  return new Replay(trial, history).run();
}

class Replay {
  readonly #trial: Trial;
  readonly #history: PersonHistory;
  readonly #world: ReplayedWorld;
  readonly #logs = new Map<string, BacktestEntry[]>();
  readonly #hashes = new Map<string, string>();
  readonly #oracle: PurchaseOracle;
  readonly #people = new Map<string, People>();
  readonly #subjectRows = new Map<KnownSubject, StepWorld['subject']>();
  /** The latest progress of each, and what it was derived from. */
  readonly #progress = new Map<Run, { row: Run['row']; ledger: Run['ledger']; progress: Progress }>();
  /** Addresses that a provider reported, which no event says. */
  readonly #reported: PersonHistory['suppressions'];

  constructor(trial: Trial, history: PersonHistory) {
    this.#trial = trial;
    this.#history = history;
    this.#world = new ReplayedWorld(trial.crowded, trial.sequence, ({ timeScale }) => trial.planAt(timeScale));
    this.#world.seed(history, trial.fromMs, trial.kinds);
    this.#reported = history.suppressions.filter(({ reason, sinceMs }) => (reason === 'bounce' || reason === 'refused') && sinceMs >= trial.fromMs);
    this.#oracle = new PurchaseOracle(trial, history);
  }

  run(): Replayed {
    for (const { atMs, connectionId, event } of this.#happenings()) {
      this.#dispatchBefore(atMs);
      this.#world.apply(event, this.#context(connectionId, atMs));
      this.#people.clear();
    }
    this.#dispatchBefore(this.#trial.untilMs);
    return { enrollments: this.#enrollments(), notBegun: this.#notBegun() };
  }

  #context(connectionId: string, atMs: EpochMs): DecisionContext {
    return { ...this.#trial.contextAt(connectionId, atMs), addressHash: this.#hashOf };
  }

  /** Deliveries in the order of their arrival, and what the store was told otherwise: by the links in messages, by hand, by the API. */
  #happenings(): Happening[] {
    const { events, suppressions, consents } = this.#history;
    const { fromMs, untilMs } = this.#trial;
    const told: Happening[] = events.map(({ event, connectionId, receivedMs }) => ({ event, connectionId, atMs: receivedMs }));
    const isTold = (atMs: EpochMs) => events.some(({ event }) => Math.abs(event.occurredAtMs - atMs) < 1_000);
    const isNew = (atMs: EpochMs) => atMs >= fromMs && atMs < untilMs && !isTold(atMs);
    for (const { identity, channel, reason, basis, sinceMs } of suppressions) {
      if ((reason !== 'opted_out' && reason !== 'complaint') || !isNew(sinceMs)) continue;
      const said = { source: 'stored', basis: basis ?? 'person', final: reason === 'complaint' } as const;
      const event: DomainEvent = {
        type: 'contact.opted_out',
        occurredAtMs: sinceMs,
        person: refOf(identity),
        channel: optOutChannel(channel),
        ...said,
      };
      told.push({ atMs: sinceMs, connectionId: connectionOf(identity), event });
    }
    for (const { contactId, channel, state, basis, atMs } of consents) {
      const identity = this.#history.identities.find((i) => i.contactId === contactId);
      const on = optOutChannel(channel);
      if (state !== 'granted' || basis !== 'person' || on === null || identity === undefined || !isNew(atMs)) continue;
      const said = { source: 'stored', wording: null, basis: 'person', confirmed: false } as const;
      const event: DomainEvent = { type: 'contact.opted_in', occurredAtMs: atMs, person: refOf(identity), channel: on, ...said };
      told.push({ atMs, connectionId: connectionOf(identity), event });
    }
    return told.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs).sort((a, b) => a.atMs - b.atMs);
  }

  /** Of everything that wants to act before that moment, the earliest first. What happens at an instant happens before a dispatch. */
  #dispatchBefore(endMs: EpochMs): void {
    for (let moves = 0; ; moves += 1) {
      if (moves === mostMoves) throw new Error(`Sequence ${this.#trial.sequence.version.slug} makes no progress`);
      let next: { run: Run; atMs: EpochMs } | null = null;
      for (const run of this.#world.runs.values()) {
        if (run.row.endedAt !== null) continue;
        const atMs = this.#actsAt(run);
        if (atMs < endMs && (next === null || atMs < next.atMs)) next = { run, atMs };
      }
      if (next === null) return;
      this.#act(next.run, next.atMs);
    }
  }

  /** When it acts next if no event comes before: opens and clicks of its own messages are looked at as they come, as the workflow does. */
  #actsAt(run: Run): EpochMs {
    const { row, ledger, plan } = run;
    const sinceMs = Math.max(row.enrolledAt, latest(ledger));
    const looks = [sinceMs, ...this.#engagedAfter(run, sinceMs)];
    for (const [at, nowMs] of looks.entries()) {
      const move = nextMove(plan, this.#progressAt(run, nowMs), nowMs);
      if (move.kind !== 'wait') return nowMs;
      const untilMs = looks[at + 1] ?? Number.POSITIVE_INFINITY;
      if (move.untilMs <= untilMs) return move.untilMs;
    }
    throw new Error('the last look decides');
  }

  #progressAt(run: Run, nowMs: EpochMs): Progress {
    if (this.#history.engagement.length > 0) return readProgress(run.row, this.#ledgerAt(run, nowMs));
    const known = this.#progress.get(run);
    if (known !== undefined && known.row === run.row && known.ledger === run.ledger) return known.progress;
    const progress = readProgress(run.row, run.ledger);
    this.#progress.set(run, { row: run.row, ledger: run.ledger, progress });
    return progress;
  }

  #act(run: Run, nowMs: EpochMs): void {
    const move = nextMove(run.plan, this.#progressAt(run, nowMs), nowMs);
    if (move.kind === 'finish') this.#end(run, move.reason, nowMs);
    if (move.kind !== 'dispatch') return;
    const reading = this.#readingOf(run, move.stepId, nowMs);
    const verdict = decideDispatch(reading.facts, nowMs);
    if (run.row.activatedAt === null && activates(verdict)) run.row = { ...run.row, activatedAt: nowMs };
    this.#carryOut(run, move.stepId, reading, verdict, nowMs);
  }

  /** What `operations/dispatch/` does about a verdict. Every provider accepts: what a call would have come to is not known. */
  #carryOut(run: Run, stepId: string, reading: Reading, verdict: Verdict, nowMs: EpochMs): void {
    const log = this.#logOf(run);
    switch (verdict.kind) {
      case 'send':
        this.#settle(run, stepId, { state: 'sent', channel: verdict.channel, skipReason: null }, nowMs);
        log.push({ kind: 'sent', atMs: nowMs, step: stepId, channel: verdict.channel });
        this.#oracle.sent(run, this.#world.subjects.get(run.row.subjectId), this.#world.keysOf(run.row.subjectId), nowMs);
        return;
      case 'hold':
      case 'defer': {
        const untilMs = verdict.kind === 'hold' ? askAgainAt(reading.facts, nowMs) : verdict.untilMs;
        const anchorAt = verdict.kind === 'defer' ? (verdict.anchorMs ?? run.row.anchorAt) : run.row.anchorAt;
        run.row = { ...run.row, anchorAt, notBefore: { ...run.row.notBefore, [stepId]: untilMs } };
        log.push({ kind: 'deferred', atMs: nowMs, step: stepId, reason: verdict.reason, untilMs });
        return;
      }
      case 'skip':
        this.#settle(run, stepId, { state: 'skipped', channel: null, skipReason: verdict.reason }, nowMs);
        log.push({ kind: 'skipped', atMs: nowMs, step: stepId, reason: verdict.reason });
        return;
      case 'stop':
        this.#end(run, verdict.reason, nowMs);
    }
  }

  #settle(run: Run, stepId: string, to: Pick<LedgerRow, 'state' | 'channel' | 'skipReason'>, nowMs: EpochMs): void {
    const { row, plan, ledger } = run;
    const settled: LedgerRow = {
      ...unsettledRow,
      tenantId: row.tenantId,
      id: `${row.id}:${stepId}`,
      enrollmentId: row.id,
      contactId: row.contactId,
      stepId,
      ...to,
    };
    settled.dueAt = dueAt(plan, this.#progressAt(run, nowMs), stepId);
    settled.settledAt = nowMs;
    settled.createdAt = nowMs;
    run.ledger = [...ledger, settled];
  }

  #end(run: Run, reason: FinishReason, nowMs: EpochMs): void {
    run.row = { ...run.row, status: statusOf(reason), stopReason: reason === 'completed' ? null : reason, endedAt: nowMs };
    const contact = this.#world.contacts.get(run.row.contactId);
    if ((reason === 'completed' || reason === 'expired') && contact?.lifecycle === 'IN_PROGRESS') {
      this.#world.contacts.set(contact.id, { ...contact, lifecycle: lifecycleAfter(contact.lifecycle, 'contacted') });
      this.#people.clear();
    }
  }

  #readingOf(run: Run, stepId: string, nowMs: EpochMs): Reading {
    const { definition } = this.#trial.sequence.version;
    const { row, plan } = run;
    const personId = this.#world.contacts.get(row.contactId)?.personId ?? row.contactId;
    const ledger = [...this.#ledgerAt(run, nowMs)];
    const blocked = [
      ...this.#world.suppressions().map(({ addressHash, channel, reason }) => ({ hash: addressHash, channel, reason })),
      ...this.#reported
        .filter(({ sinceMs, liftedMs }) => sinceMs <= nowMs && (liftedMs === null || liftedMs > nowMs))
        .map(({ addressHash, channel, reason }) => ({ hash: addressHash, channel, reason: reason as string })),
    ];
    const world = this.#stepWorld(run, personId, nowMs);
    return factsFrom(
      {
        world,
        plan,
        definition,
        enrollment: row,
        personId,
        ledger,
        stepId,
        kinds: this.#trial.kinds,
        isConnected: (channel, content) => this.#trial.isConnected(content, channel),
        claimsIn: this.#trial.claimsIn,
      },
      {
        hashOf: this.#hashOf,
        blocked,
        assignment: this.#assignment(run),
        variant: this.#variantOf(run, stepId),
        arm: definition.arms === undefined ? null : { id: drawnArm(row.sequenceId, this.#history.personId, definition.arms).id, toStore: null },
        customer: { orders: this.#ordersAt(nowMs) },
        versions: this.#trial.versions,
      },
    );
  }

  /** The variant that the person would have drawn. Which text of several for variety goes out changes no decision. */
  #variantOf({ row }: Run, stepId: string): ChosenVariant | null {
    const step = this.#trial.sequence.version.definition.steps.find(({ id }) => id === stepId);
    if (step?.variants === undefined || step.varied === true) return null;
    const variant = drawnVariant(row.sequenceId, this.#history.personId, { id: stepId, variants: step.variants });
    return { variant, isTimed: false, differsInReach: false, toStore: null };
  }

  /** By currency, what the store had heard of then. */
  #ordersAt(nowMs: EpochMs): OwnOrders[] {
    const byCurrency = new Map<string, OwnOrders>();
    for (const { currency, orders, netMinor, knownMs } of this.#history.orders) {
      if (knownMs > nowMs) continue;
      const sum = byCurrency.get(currency) ?? { currency, orders: 0, netMinor: 0 };
      byCurrency.set(currency, { currency, orders: sum.orders + orders, netMinor: sum.netMinor + netMinor });
    }
    return [...byCurrency.values()];
  }

  /** The person's contacts and identities as rows, in the order in which they are tried as addresses; the same arrays until something happens. */
  #peopleOf(personId: string, ownId: string): People {
    const key = `${personId} ${ownId}`;
    const known = this.#people.get(key);
    if (known !== undefined) return known;
    const { tenant } = this.#trial;
    const contactsNow = [...this.#world.contacts.values()].filter((c) => c.personId === personId).sort((a, b) => (a.id < b.id ? -1 : 1));
    const ids = new Set(contactsNow.map((c) => c.id));
    const own = ({ contactId }: { contactId: string }) => (contactId === ownId ? 0 : 1);
    const identities = this.#world.identities
      .flatMap((identity, at) => (ids.has(identity.contactId) ? [{ ...identity, tenantId: tenant.id, id: String(at), createdAt: at }] : []))
      .sort((a, b) => own(a) - own(b) || b.createdAt - a.createdAt);
    const people = { everyone: contactsNow.map((contact) => contactRow(tenant.id, contact)), ids, identities };
    this.#people.set(key, people);
    return people;
  }

  #stepWorld(run: Run, personId: string, nowMs: EpochMs): StepWorld {
    const { tenant } = this.#trial;
    const { row } = run;
    const { everyone, ids, identities } = this.#peopleOf(personId, row.contactId);
    const others = [...this.#world.runs.values()].filter((other) => other !== run && ids.has(other.row.contactId));
    const sends = others.flatMap(({ ledger, plan }) =>
      ledger
        .filter((m) => m.state === 'sent')
        .map((m) => ({ channel: m.channel, atMs: m.settledAt ?? m.createdAt, step: `${plan.sequence}/${m.stepId}` })),
    );
    const subject = this.#world.subjects.get(row.subjectId);
    if (subject === undefined) throw new Error('an enrollment without its subject');
    return {
      tenant,
      subject: this.#rowOf(subject),
      paused: false,
      campaign: null,
      scripts: [],
      tests: [],
      move: null,
      contacts: everyone,
      identities,
      consents: this.#world.consents.filter(({ contactId }) => ids.has(contactId)),
      sends: [...sends, ...this.#history.sends.filter(({ atMs }) => atMs <= nowMs)],
      others: others.filter(({ row: other }) => other.endedAt === null).map(({ row: enrollment, ledger }) => ({ enrollment, ledger: [...ledger] })),
    };
  }

  /** The same row for the same state of a subject: what was read of it is found again. */
  #rowOf(subject: KnownSubject): StepWorld['subject'] {
    const known = this.#subjectRows.get(subject) ?? subjectRow(this.#trial.tenant.id, subject);
    this.#subjectRows.set(subject, known);
    return known;
  }

  /** Where the real sequence sent this very message, its opens and clicks are known. */
  #engagementOf(run: Run): PersonHistory['engagement'] {
    const { engagement } = this.#history;
    if (engagement.length === 0) return engagement;
    const keys = this.#world.keysOf(run.row.subjectId);
    return engagement.filter((e) => keys.includes(ofKey(e)));
  }

  #ledgerAt(run: Run, nowMs: EpochMs): readonly LedgerRow[] {
    const engagement = this.#engagementOf(run);
    if (engagement.length === 0) return run.ledger;
    return run.ledger.map((message) => {
      const real = message.state === 'sent' ? engagement.find((e) => e.stepId === message.stepId) : undefined;
      const by = (ms: EpochMs | null | undefined) => (ms !== null && ms !== undefined && ms <= nowMs ? ms : null);
      return real === undefined ? message : { ...message, openedAt: by(real.openedMs), clickedAt: by(real.clickedMs) };
    });
  }

  /** When its messages were opened or clicked after that time, in order. */
  #engagedAfter(run: Run, sinceMs: EpochMs): EpochMs[] {
    const sent = new Set(run.ledger.filter(({ state }) => state === 'sent').map(({ stepId }) => stepId));
    const times = this.#engagementOf(run).flatMap(({ stepId, openedMs, clickedMs }) => (sent.has(stepId) ? [openedMs, clickedMs] : []));
    return times.filter((ms): ms is EpochMs => ms !== null && ms > sinceMs).sort((a, b) => a - b);
  }

  #assignment({ row }: Run): Assignment | null {
    const { definition } = this.#trial.sequence.version;
    const percent = definition.holdoutPercent;
    if (percent === 0 || row.activatedAt !== null) return null;
    const arm = this.#history.arm ?? armOf(pointOf(row.sequenceId, this.#history.personId), percent);
    return { holdout: { percent, heldOut: arm === 'holdout' }, toStore: null };
  }

  readonly #hashOf = (identity: Identity): string => {
    const key = ofIdentity(identity);
    const known = this.#hashes.get(key) ?? this.#trial.hashOf(identity);
    this.#hashes.set(key, known);
    return known;
  };

  #logOf({ row }: Run): BacktestEntry[] {
    const known = this.#logs.get(row.id) ?? [];
    this.#logs.set(row.id, known);
    return known;
  }

  #enrollments(): BacktestedEnrollment[] {
    return [...this.#world.runs.values()]
      .filter(({ row }) => row.enrolledAt >= this.#trial.sinceMs)
      .map((run) => {
        const { row } = run;
        const endMs = row.endedAt ?? this.#trial.untilMs;
        const beside = this.#history.runs.filter(({ fromMs, untilMs }) => fromMs < endMs && untilMs > row.enrolledAt);
        return {
          personId: this.#history.personId,
          finished: row.endedAt === null ? null : (row.stopReason ?? 'completed'),
          log: this.#logOf(run),
          beside: beside.map(({ slug }) => slug),
          afterBuying: this.#oracle.wronged.has(row.id),
        };
      });
  }

  #notBegun(): string[] {
    const { kinds, sequence, sinceMs } = this.#trial;
    const trigger = sequence.version.definition.on;
    const about = new Set([...this.#world.runs.values()].map(({ row }) => row.subjectId));
    return [...this.#world.subjects.values()].flatMap((subject) => {
      const isOurs = triggersOf(kinds.of(subject.kind)).includes(trigger) && subject.noSequence !== null && subject.noSequence.atMs >= sinceMs;
      return isOurs && !about.has(subject.id) ? (subject.noSequence?.keptFrom[0]?.reason ?? []) : [];
    });
  }
}

/**
 * Says whether a message would have gone out after its reader had bought: judged from the orders and reports as they were received, by what they name
 * alone, and by nothing that the rules have made of them.
 */
class PurchaseOracle {
  /** Enrollments with such a message. */
  readonly wronged = new Set<string>();
  readonly #orders: { receivedMs: EpochMs; placedMs: EpochMs; names: Set<string> }[] = [];
  readonly #reports: { receivedMs: EpochMs; names: string[]; keys: string[] }[] = [];

  constructor(trial: Trial, { events }: PersonHistory) {
    // Of those who never ordered there is nothing to find out.
    if (!events.some(({ event }) => event.type === 'order.placed')) return;
    for (const { event, connectionId, receivedMs } of events) this.#note(trial, event, connectionId, receivedMs);
  }

  #note(trial: Trial, event: DomainEvent, connectionId: string, receivedMs: HistoricEvent['receivedMs']): void {
    const isReport = event.type === 'cart.updated' || event.type === 'lead.created' || event.type === 'subject.reported';
    if (event.type !== 'order.placed' && !isReport) return;
    const { identities, keys } = namedBy(trial.contextAt(connectionId, receivedMs).source, event);
    const strong = identities.filter(isStrong).map(ofIdentity);
    const names = strong.filter((name) => !trial.crowded.has(name));
    const byKey = keys.map(ofKey);
    if (isReport) this.#reports.push({ receivedMs, names, keys: byKey });
    // An order that was cancelled or a test is none.
    else if (event.order.noRevenue === null) this.#orders.push({ receivedMs, placedMs: event.occurredAtMs, names: new Set([...names, ...byKey]) });
  }

  sent({ row }: Run, subject: KnownSubject | undefined, keys: readonly string[], nowMs: EpochMs): void {
    if (this.#orders.length === 0 || subject === undefined) return;
    const reports = this.#reports.filter((r) => r.receivedMs <= nowMs && r.keys.some((key) => keys.includes(key)));
    const names = [...keys, ...reports.flatMap((r) => r.names)];
    const bought = this.#orders.some(
      ({ receivedMs, placedMs, names: of }) => receivedMs < nowMs && placedMs >= row.anchorAt && names.some((name) => of.has(name)),
    );
    if (bought) this.wronged.add(row.id);
  }
}

const latest = (ledger: readonly LedgerRow[]) => ledger.reduce((ms, { settledAt }) => Math.max(ms, settledAt ?? 0), 0);

function contactRow(tenantId: string, { details, ...contact }: KnownContact): typeof contacts.$inferSelect {
  return { tenantId, ...contact, ...details, createdAt: 0 };
}

function subjectRow(tenantId: string, { chat, ...subject }: KnownSubject): StepWorld['subject'] {
  const old = { totalMinor: null, items: [], restoreUrl: null, origin: null, bought: null };
  return { tenantId, ...subject, ...chat, ...old, detailsVersion: null, sweptAt: null, createdAt: 0 };
}

function refOf({ kind, value }: Identity): PersonRef {
  return {
    email: kind === 'email' ? value : null,
    phone: kind === 'phone' ? value : null,
    externalId: kind.startsWith('external:') ? value : null,
    ...(kind === 'telegram' ? { telegram: value } : {}),
  };
}

const connectionOf = ({ kind }: Identity) => (kind.startsWith('external:') ? kind.slice('external:'.length) : '');

type OptOutChannel = Extract<DomainEvent, { type: 'contact.opted_out' }>['channel'];
const optOutChannels: readonly string[] = ['email', 'sms', 'whatsapp', 'call', 'push', 'telegram'];
/** null: all of them. */
const optOutChannel = (channel: string): OptOutChannel => (optOutChannels.includes(channel) ? (channel as OptOutChannel) : null);
