import { type ClaimName, claimNames, type Claims, judgeClaims, noClaims } from '../claims/index.ts';
import { type Fact, factWords } from '../facts/index.ts';
import type { EpochMs } from '../sequence/plan.ts';
import type { Facts } from './facts.ts';
import type { Answer, DecisiveGate, GateInput } from './gate.ts';

/** What one claim comes to, as far as a decision goes. */
interface Answered {
  holds: boolean;
  why: string;
  fact: Fact | null;
}

/** Every claim, judged by what is known; the same for the decision and for what is composed. */
export function claimsAt({ claims, settings }: Pick<Facts, 'claims' | 'settings'>, nowMs: EpochMs): Claims {
  if (claims === undefined || 'assumed' in claims.known) return noClaims;
  return judgeClaims({ ...claims.known, thresholds: settings }, nowMs);
}

/**
 * What the step's texts claim is judged when it is decided, and kept with the decision: which fact, what it says, who says so, from when until when.
 * Where a claim is the point of the step and does not hold, the step is left out. Source: docs/rules.md#rule-39
 */
export const claims: DecisiveGate = {
  name: 'claims',
  check({ facts, nowMs }): Answer {
    const { claims: asked } = facts;
    if (asked === undefined) return { result: 'pass', input: {} };
    const judged = claimsAt(facts, nowMs);
    const answerTo = (name: ClaimName): Answered =>
      'assumed' in asked.known
        ? { holds: asked.known.assumed.includes(name), why: 'as the scenario says', fact: null }
        : { holds: judged[name].holds, why: judged[name].why, fact: judged[name].fact };
    const input: GateInput = {};
    for (const name of claimNames) if (asked.made.includes(name) || asked.required === name) Object.assign(input, inputOf(name, answerTo(name)));
    if (asked.required === null) return { result: 'pass', input };
    input['required'] = asked.required;
    const { holds, why } = answerTo(asked.required);
    if (holds) return { result: 'pass', input };
    return { result: 'skip', reason: 'claim', input, note: `What the step is to say cannot be claimed (${asked.required}): ${why}.` };
  },
};

function inputOf(name: ClaimName, { holds, why, fact }: Answered): GateInput {
  const input: GateInput = { [name]: holds, [`${name}.why`]: why };
  if (fact === null) return input;
  return {
    ...input,
    [`${name}.fact`]: fact.id,
    [`${name}.value`]: factWords(fact),
    [`${name}.source`]: fact.source,
    [`${name}.observedAtMs`]: fact.observedAtMs,
    [`${name}.expiresAtMs`]: fact.expiresAtMs,
  };
}

const claimWords: Record<ClaimName, string> = {
  stock: 'few are left',
  price_drop: 'the price has fallen',
  reviews: 'what customers say',
  market: 'what happens in the area',
  offer_end: 'when an offer ends',
};

/** From what the gate has recorded: "few are left (3 left, says cart), what customers say (4.7 of 5 from 128, says office)"; empty: nothing was claimed. */
export function claimedWords(input: GateInput): string {
  return claimNames
    .filter((name) => input[name] === true)
    .map((name) => {
      const { [`${name}.value`]: value, [`${name}.source`]: source } = input;
      return typeof value === 'string' && typeof source === 'string' ? `${claimWords[name]} (${value}, says ${source})` : claimWords[name];
    })
    .join(', ');
}

/** Why what a step is to say could not be claimed: "few are left: its stock is not known"; null: nothing of it was recorded. */
export function unclaimedWords(input: GateInput): string | null {
  const name = claimNames.find((one) => one === input['required']);
  const why = name === undefined ? undefined : input[`${name}.why`];
  return name === undefined || typeof why !== 'string' ? null : `${claimWords[name]}, but ${why}`;
}
