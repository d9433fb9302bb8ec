import { afterStop, secondCopies } from '../chaos/promises.ts';
import { type Acceptance, type Call, type StepChannel, stepChannels, times } from './far-end.ts';
import type { SubjectName } from './subjects/index.ts';
import type { Providers } from './world.ts';

/*
 * Judges a history by what was seen from outside: the far end's record, and when which delivery was answered 2xx. The product's rows
 * are looked at last, and only to see whether they say the same.
 */

/** A stop, an answer and whom it named. Times of one monotonic clock. */
export interface StopRecord {
  kind: string;
  by: { run: number } | { address: string };
  /** The run alone that it names; its person; or everybody in the history. */
  reaches: 'run' | 'person' | 'everybody';
  /** The only kind of subject whose runs it ends; null: all. */
  about: SubjectName | null;
  /** It also reaches whoever turns out later to be the same person. */
  lasts: boolean;
  /** The person does not want to be written to: it reaches what begins later, too. */
  optsOut: boolean;
  /** Only the person's email was closed, or only a number: nothing ends, and the other channel goes on. null: everything ends. */
  closesOnly: 'email' | 'number' | null;
  /** The number that an opt-out from texts named. */
  number: string | null;
  sentMs: number;
  /** The first 2xx of the delivery or of a repeat; null: none. */
  answeredMs: number | null;
}

/** Two addresses said to be one person's; `answeredMs` is null while the event is only stored. */
export interface MergeRecord {
  addresses: [string, string];
  answeredMs: number | null;
}

export interface MoveRecord {
  run: number;
  to: string;
  sentMs: number;
  answeredMs: number | null;
}

export interface RunRecord {
  about: SubjectName;
  enrollmentId: string;
  key: string;
  /** The address or number it began with. */
  owner: string;
  /** When the event was answered that began it; null: it was there from the beginning. */
  bornMs: number | null;
}

/** The answer to a delivery. */
export interface AnswerRecord {
  /** null: it was never stored. */
  id: string | null;
  /** What the inbox must say about it. */
  expected: 'applied' | 'quarantined';
  /** What was wrong about the answer; null: nothing. */
  said: string | null;
}

/** What the product's tables say at the end. */
export interface EndState {
  enrollmentId: string;
  ended: boolean;
  stopReason: string | null;
  row: { state: string; live: boolean; channel: string | null } | null;
}

export interface Witnessed {
  providers: Providers;
  /** Everybody has a number: each step has two channels. */
  texts: boolean;
  /** Processes that a fault struck. */
  struck: Set<string>;
  runs: RunRecord[];
  /** Addresses known to be one person's from the beginning. */
  linked: [string, string][];
  stops: StopRecord[];
  merges: MergeRecord[];
  moves: MoveRecord[];
  calls: Call[];
  accepted: Acceptance[];
  /** Enrollments of which some dispatching process died. */
  bereaved: Set<string>;
  end: EndState[];
  answers: AnswerRecord[];
  /** Delivery ids found in the inbox, with their state. */
  inbox: Map<string, string>;
  /** Subjects of strangers that were answered 2xx, by their ids, and whether a sequence began about them. */
  strangers: Map<string, { answeredMs: number; known: boolean }>;
}

export interface Verdict {
  violations: string[];
  /** Calls about which nothing could be said, because this machine held them up for longer than assumption (a) allows. */
  stretched: number;
}

export function judge(seen: Witnessed): Verdict {
  const violations: string[] = [];
  let stretched = 0;
  for (const [index, run] of seen.runs.entries()) {
    const name = `run ${index + 1} (${run.about})`;
    const accepted = seen.accepted.filter((a) => a.key === run.key);
    const calls = seen.calls.filter((c) => c.key === run.key);
    for (const copies of secondCopies(accepted, ({ key }) => key).values())
      violations.push(`G1: ${name} was accepted ${copies.length} times (${copies.map((a) => a.call.channel).join(', ')})`);
    for (const channel of stepChannels) {
      const first = accepted.find((a) => a.call.channel === channel);
      if (seen.providers[channel] !== 'keys' || first === undefined) continue;
      for (const call of calls)
        if (call.channel === channel && call.beganMs > first.atMs && call.body !== first.body)
          violations.push(`G1: ${name}: the repeat of an accepted call has other bytes`);
    }
    stretched += calls.filter((c) => c.stretched).length;
    if (!seen.bereaved.has(run.enrollmentId)) violations.push(...refusedAgain(seen, calls).map((text) => `ADDRESS: ${name}: ${text}`));
    const closed = closedAt(seen, index, 'email');
    for (const channel of stepChannels) {
      const closedHere = closedAt(seen, index, channel);
      for (const call of calls.filter((c) => c.channel === channel)) {
        const at = earliest(closedHere, numberClosedAt(seen, call.to));
        if (at === null) continue;
        const lateMs = afterStop(call.beganMs, at.atMs);
        if (lateMs !== null) violations.push(`G2: a call of ${name} by ${channel} began ${ms(lateMs)} after the 2xx of ${at.by}`);
        else if ((call.endedMs === null || call.endedMs > at.atMs) && !call.stretched)
          violations.push(
            `G2: a call of ${name} by ${channel} was open at the 2xx of ${at.by}, for another ${ms((call.endedMs ?? Infinity) - at.atMs)}`,
          );
      }
    }
    const end = seen.end.find((e) => e.enrollmentId === run.enrollmentId);
    const state = end?.row?.state ?? 'no row';
    if (end?.row?.live === true || state === 'claimed')
      violations.push(`STUCK: ${name} is ${state} and ${end?.row?.live === true ? 'live' : 'not live'}`);
    if (state === 'sent' && accepted.length === 0) violations.push(`TRUTH: ${name} is sent, but was never accepted`);
    if ((state === 'failed' || state === 'skipped' || state === 'no row') && accepted.length > 0)
      violations.push(`TRUTH: ${name} is ${state}, but was accepted`);
    if (state === 'sent' && accepted.length > 0 && !accepted.some((a) => a.call.channel === end?.row?.channel))
      violations.push(`TRUTH: ${name} is sent by ${end?.row?.channel}, but was accepted by ${accepted[0]?.call.channel}`);
    const unclear = calls.some((c) => c.outcome === 'unknown' || c.outcome === 'abandoned') || seen.bereaved.has(run.enrollmentId);
    if (state === 'unknown' && !unclear) violations.push(`LOST: ${name} is unknown, though every call was answered and nobody died`);
    const asked = stepChannels.find((c) => c === end?.row?.channel);
    if (state === 'unknown' && asked !== undefined && seen.providers[asked] === 'find')
      violations.push(`STUCK: ${name} is unknown, though the provider can be asked`);
    const ends = closed !== null && closed.ends;
    if (closed === null && isCertain(seen) && end?.stopReason != null)
      violations.push(`REACH: ${name} was ended as ${end.stopReason}, though nothing that was delivered reaches it`);
    if (ends && end?.ended !== true) violations.push(`G3: ${name} was stopped by ${closed.by}, but runs on`);
    // An opt-out from everything closes the numbers too, also for whoever shares one.
    const closesNumbers = seen.stops.some((s) => s.number !== null || (s.closesOnly === null && s.optsOut));
    const textsOpen = seen.texts && !ends && !closesNumbers && isCertain(seen);
    if ((closed === null || textsOpen) && end?.ended !== true && (state === 'no row' || state === 'failed'))
      violations.push(`LOST: ${name} is ${state} although the provider takes everything`);
    const nothingEnds = seen.stops.every((s) => s.closesOnly !== null);
    const refused = calls.length > 0 && calls.every((c) => c.forGood && !seen.struck.has(c.process));
    if (textsOpen && nothingEnds && refused && state === 'skipped' && calls.every((c) => c.channel !== 'sms'))
      violations.push(`NEXT: ${name} was skipped after a refusal for good, though its second channel was open and never asked`);
  }
  for (const { id, expected, said } of seen.answers) {
    if (said !== null) violations.push(`ANSWER: ${said}`);
    const state = id === null ? expected : (seen.inbox.get(id) ?? 'nothing');
    if (state !== expected) violations.push(`G3: delivery ${id} is to be ${expected}, the inbox says ${state}`);
  }
  for (const [token, { known }] of seen.strangers) if (!known) violations.push(`G3: ${token} was answered 2xx, and no sequence began about it`);
  return { violations, stretched };
}

/** Nobody moved or merged and every stop was answered: whom each of them reaches is beyond doubt. */
function isCertain(seen: Witnessed): boolean {
  return seen.moves.length === 0 && seen.merges.length === 0 && seen.stops.every((s) => s.answeredMs !== null);
}

interface Closed {
  atMs: number;
  by: string;
  ends: boolean;
}

/** From when on no call of a run on a channel may begin or be open, as far as the answers given so far leave no doubt about whom they cover. */
function closedAt(seen: Witnessed, run: number, channel: StepChannel): Closed | null {
  const closings = seen.stops.flatMap((stop): Closed[] => {
    if (stop.answeredMs === null || (stop.closesOnly === 'email' && channel !== 'email')) return [];
    const atMs = coveredFrom(seen, stop, stop.answeredMs, run);
    return atMs === null ? [] : [{ atMs, by: stop.kind, ends: stop.closesOnly === null }];
  });
  const [first] = closings.toSorted((a, b) => a.atMs - b.atMs);
  return first === undefined ? null : { ...first, ends: closings.some((c) => c.ends) };
}

/** From when on nobody may be texted at a number. */
function numberClosedAt(seen: Witnessed, number: string): Closed | null {
  const answered = seen.stops.flatMap((stop) => (stop.answeredMs === null || stop.number !== number ? [] : [stop.answeredMs]));
  return answered.length === 0 ? null : { atMs: Math.min(...answered), by: 'text_opt_out', ends: false };
}

const earliest = (a: Closed | null, b: Closed | null) => (a === null || (b !== null && b.atMs < a.atMs) ? b : a);

/**
 * Calls to an address that had refused the message for good. Where nothing befell the process that was told so, and no call before had left a
 * doubt, the refusal is stored before anybody can take the claim over.
 */
function refusedAgain(seen: Witnessed, calls: readonly Call[]): string[] {
  const inOrder = calls.toSorted((a, b) => a.beganMs - b.beganMs);
  return inOrder.flatMap((refused, at) => {
    const doubtful = inOrder
      .slice(0, at + 1)
      .some((c) => c.outcome === 'unknown' || c.outcome === 'abandoned' || c.stretched || seen.struck.has(c.process));
    if (!refused.forGood || doubtful) return [];
    const again = inOrder
      .slice(at + 1)
      .find((c) => c.channel === refused.channel && c.to === refused.to && c.beganMs < refused.beganMs + times.deadLeaseMs);
    return again === undefined ? [] : [`${refused.channel} was called again at an address that had refused the message for good`];
  });
}

function coveredFrom(seen: Witnessed, stop: StopRecord, answeredMs: number, index: number): number | null {
  const run = seen.runs[index];
  // Judged by the number that is called.
  if (run === undefined || stop.closesOnly === 'number') return null;
  if (stop.about !== null && stop.about !== run.about) return null;
  // What began while a stop was under way may be news that is later than it.
  if (run.bornMs !== null && !stop.optsOut && stop.sentMs < run.bornMs) return null;
  if (stop.reaches === 'everybody') return answeredMs;
  // A closed channel stays with the person: a subject that moves to somebody else may be written about to them.
  if (stop.closesOnly !== null && seen.moves.some((m) => m.run === index)) return null;
  if ('run' in stop.by && stop.by.run === index) return answeredMs;
  if (stop.reaches === 'run') return null;
  const named = 'address' in stop.by ? stop.by.address : ownerDuring(seen, stop.by.run, stop);
  const owner = ownerDuring(seen, index, stop);
  if (named === null || owner === null) return null;
  return connectedFrom(seen, named, owner, stop, answeredMs);
}

/** Whose run it was for as long as the stop was under way; null: it moved about then. */
function ownerDuring(seen: Witnessed, run: number, stop: StopRecord): string | null {
  const move = seen.moves.find((m) => m.run === run);
  const before = seen.runs[run]?.owner ?? null;
  if (move === undefined || (stop.answeredMs !== null && stop.answeredMs < move.sentMs)) return before;
  return move.answeredMs !== null && move.answeredMs < stop.sentMs ? move.to : null;
}

/** When the last of the answers was given that make two addresses one person's; null: nothing says so. */
function connectedFrom(seen: Witnessed, from: string, to: string, stop: StopRecord, answeredMs: number): number | null {
  const links = [
    ...seen.linked.map((addresses) => ({ addresses, atMs: 0 })),
    ...seen.merges.flatMap((m) => (m.answeredMs === null ? [] : [{ addresses: m.addresses, atMs: m.answeredMs }])),
  ]
    .filter(({ atMs }) => stop.lasts || atMs < stop.sentMs)
    .sort((a, b) => a.atMs - b.atMs);
  const reached = new Map([[from, answeredMs]]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const { addresses, atMs } of links) {
      for (const [a, b] of [addresses, [addresses[1], addresses[0]] as const]) {
        const known = reached.get(a);
        if (known === undefined) continue;
        const later = Math.max(known, atMs);
        if (later >= (reached.get(b) ?? Infinity)) continue;
        reached.set(b, later);
        grew = true;
      }
    }
  }
  return reached.get(to) ?? null;
}

const ms = (value: number) => (value === Infinity ? 'ever' : `${value.toFixed(1)} ms`);
