import { decideOffer, refusalWords } from '../offers/decide-offer.ts';
import type { Answer, DecisiveGate } from './gate.ts';

/**
 * Whether the person gets the offer that a step asks for. Without one, the step goes out without the sentence about it, or is left out, as its author
 * wants.
 * Source: docs/rules.md#rule-48
 */
export const offer: DecisiveGate = {
  name: 'offer',
  check({ facts, nowMs }): Answer {
    const wanted = facts.step.offer;
    if (wanted === undefined) return { result: 'pass', input: {} };
    // Looked at where every other gate is open; a rehearsal without terms knows none.
    if (facts.offer === undefined) return { result: 'pass', input: { asked: true } };
    const decision = decideOffer(facts.offer, facts.subject, nowMs, facts.plan.timeScale);
    if (decision.granted) {
      const { percentOff, endsAtMs } = decision;
      const { policy, spentAtMs, own } = facts.offer;
      const unsure = own === null && policy?.budget != null && spentAtMs === null ? ' Whether the budget is spent is not known here.' : '';
      const note = `An offer: ${percentOff}%, until ${new Date(endsAtMs).toISOString().slice(0, 16).replace('T', ' ')} UTC.${unsure}`;
      return { result: 'pass', input: { granted: true, percentOff, endsMs: endsAtMs }, note };
    }
    const { earlier, cartsLeft } = facts.offer;
    const why = {
      ...(decision.reason === 'had_one' ? { before: earlier[0]?.step ?? null } : {}),
      ...(decision.reason === 'leaves_carts' ? { cartsLeft } : {}),
    };
    const input = { granted: false, refusal: decision.reason, ...why };
    const note = `No offer: ${refusalWords(decision.reason)}.`;
    return wanted.without === 'skip' ? { result: 'skip', reason: 'no_offer', input, note } : { result: 'pass', input, note };
  },
};
