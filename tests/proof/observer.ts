import { type Acceptance, type Call, type StepChannel, stepChannels, times } from './far-end.ts';
import type { StopKind } from './schedule.ts';
import type { Providers } from './world.ts';

/*
 * Judges a history by what was seen from outside: the far end's record, and when which delivery was answered 2xx. The product's rows
 * are looked at last, and only to see whether they say the same.
 */

/** A stop, an answer and whom it named. Times of one monotonic clock. */
export interface StopRecord {
  kind: StopKind;
  by: { cart: number } | { address: string };
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
  cart: number;
  to: string;
  sentMs: number;
  answeredMs: number | null;
}

export interface CartRecord {
  enrollmentId: string;
  key: string;
  /** The address it began with. */
  owner: string;
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
  carts: CartRecord[];
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
  /** Delivery ids answered 2xx, and those found in the inbox with their state. */
  answered: string[];
  inbox: Map<string, string>;
}

export interface Verdict {
  violations: string[];
  /** Calls about which nothing could be said, because this machine held them up for longer than assumption (a) allows. */
  stretched: number;
}

export function judge(seen: Witnessed): Verdict {
  const violations: string[] = [];
  let stretched = 0;
  for (const [index, cart] of seen.carts.entries()) {
    const name = `cart ${index + 1}`;
    const accepted = seen.accepted.filter((a) => a.key === cart.key);
    const calls = seen.calls.filter((c) => c.key === cart.key);
    if (accepted.length > 1) violations.push(`G1: ${name} was accepted ${accepted.length} times (${accepted.map((a) => a.call.channel).join(', ')})`);
    for (const channel of stepChannels) {
      const first = accepted.find((a) => a.call.channel === channel);
      if (seen.providers[channel] !== 'keys' || first === undefined) continue;
      for (const call of calls)
        if (call.channel === channel && call.beganMs > first.atMs && call.body !== first.body)
          violations.push(`G1: ${name}: the repeat of an accepted call has other bytes`);
    }
    stretched += calls.filter((c) => c.stretched).length;
    if (!seen.bereaved.has(cart.enrollmentId)) violations.push(...refusedAgain(seen, calls).map((text) => `ADDRESS: ${name}: ${text}`));
    const closed = closedAt(seen, index, 'email');
    for (const channel of stepChannels) {
      const closedHere = closedAt(seen, index, channel);
      for (const call of calls.filter((c) => c.channel === channel)) {
        const at = earliest(closedHere, numberClosedAt(seen, call.to));
        if (at === null) continue;
        if (call.beganMs > at.atMs)
          violations.push(`G2: a call of ${name} (${channel}) began ${ms(call.beganMs - at.atMs)} after the 2xx of ${at.by}`);
        else if ((call.endedMs === null || call.endedMs > at.atMs) && !call.stretched)
          violations.push(
            `G2: a call of ${name} (${channel}) was open at the 2xx of ${at.by}, for another ${ms((call.endedMs ?? Infinity) - at.atMs)}`,
          );
      }
    }
    const end = seen.end.find((e) => e.enrollmentId === cart.enrollmentId);
    const state = end?.row?.state ?? 'no row';
    if (end?.row?.live === true || state === 'claimed')
      violations.push(`STUCK: ${name} is ${state} and ${end?.row?.live === true ? 'live' : 'not live'}`);
    if (state === 'sent' && accepted.length === 0) violations.push(`TRUTH: ${name} is sent, but was never accepted`);
    if ((state === 'failed' || state === 'skipped' || state === 'no row') && accepted.length > 0)
      violations.push(`TRUTH: ${name} is ${state}, but was accepted`);
    if (state === 'sent' && accepted.length > 0 && !accepted.some((a) => a.call.channel === end?.row?.channel))
      violations.push(`TRUTH: ${name} is sent by ${end?.row?.channel}, but was accepted by ${accepted[0]?.call.channel}`);
    const unclear = calls.some((c) => c.outcome === 'unknown' || c.outcome === 'abandoned') || seen.bereaved.has(cart.enrollmentId);
    if (state === 'unknown' && !unclear) violations.push(`LOST: ${name} is unknown, though every call was answered and nobody died`);
    const asked = stepChannels.find((c) => c === end?.row?.channel);
    if (state === 'unknown' && asked !== undefined && seen.providers[asked] === 'find')
      violations.push(`STUCK: ${name} is unknown, though the provider can be asked`);
    const ends = closed !== null && closed.ends;
    if (closed === null && isCertain(seen) && end?.stopReason != null)
      violations.push(`REACH: ${name} was ended as ${end.stopReason}, though nothing that was delivered reaches it`);
    if (ends && end?.ended !== true) violations.push(`G3: ${name} was stopped by ${closed.by}, but runs on`);
    // An opt-out from everything closes the numbers too, also for whoever shares one.
    const closesNumbers = seen.stops.some((s) => s.number !== null || (s.closesOnly === null && (s.kind === 'opt_out' || s.kind === 'unsubscribe')));
    const textsOpen = seen.texts && !ends && !closesNumbers && isCertain(seen);
    if ((closed === null || textsOpen) && end?.ended !== true && (state === 'no row' || state === 'failed'))
      violations.push(`LOST: ${name} is ${state} although the provider takes everything`);
    const nothingEnds = seen.stops.every((s) => s.closesOnly !== null);
    const refused = calls.length > 0 && calls.every((c) => c.forGood && !seen.struck.has(c.process));
    if (textsOpen && nothingEnds && refused && state === 'skipped' && calls.every((c) => c.channel !== 'sms'))
      violations.push(`NEXT: ${name} was skipped after a refusal for good, though its second channel was open and never asked`);
  }
  for (const id of seen.answered) {
    const state = seen.inbox.get(id);
    if (state !== 'applied') violations.push(`G3: delivery ${id} was answered 2xx, the inbox says ${state ?? 'nothing'}`);
  }
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

/** From when on no call of a cart on a channel may begin or be open, as far as the answers given so far leave no doubt about whom they cover. */
function closedAt(seen: Witnessed, cart: number, channel: StepChannel): Closed | null {
  const closings = seen.stops.flatMap((stop): Closed[] => {
    if (stop.answeredMs === null || (stop.closesOnly === 'email' && channel !== 'email')) return [];
    const atMs = coveredFrom(seen, stop, stop.answeredMs, cart);
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

function coveredFrom(seen: Witnessed, stop: StopRecord, answeredMs: number, cart: number): number | null {
  // Judged by the number that is called.
  if (stop.closesOnly === 'number') return null;
  // The others who have its number have the same product in their carts.
  if (stop.kind === 'purchase_with_number') return answeredMs;
  // A closed channel stays with the person: a cart that moves to somebody else may be written about to them.
  if (stop.closesOnly !== null && seen.moves.some((m) => m.cart === cart)) return null;
  if ('cart' in stop.by && stop.by.cart === cart) return answeredMs;
  if (stop.kind === 'by_hand') return null;
  const named = 'address' in stop.by ? stop.by.address : ownerDuring(seen, stop.by.cart, stop);
  const owner = ownerDuring(seen, cart, stop);
  if (named === null || owner === null) return null;
  return connectedFrom(seen, named, owner, answeredMs);
}

/** Whose cart it was for as long as the stop was under way; null: it moved about then. */
function ownerDuring(seen: Witnessed, cart: number, stop: StopRecord): string | null {
  const move = seen.moves.find((m) => m.cart === cart);
  const before = seen.carts[cart]?.owner ?? null;
  if (move === undefined || (stop.answeredMs !== null && stop.answeredMs < move.sentMs)) return before;
  return move.answeredMs !== null && move.answeredMs < stop.sentMs ? move.to : null;
}

/** When the last of the answers was given that make two addresses one person's; null: nothing says so. */
function connectedFrom(seen: Witnessed, from: string, to: string, answeredMs: number): number | null {
  const links = [
    ...seen.linked.map((addresses) => ({ addresses, atMs: 0 })),
    ...seen.merges.flatMap((m) => (m.answeredMs === null ? [] : [{ addresses: m.addresses, atMs: m.answeredMs }])),
  ].sort((a, b) => a.atMs - b.atMs);
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
