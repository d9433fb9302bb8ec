import { type Brief, generalBrief } from '../../../content/model/brief.ts';
import { type ModelFacts, modelFactsOf } from '../../../content/model/facts.ts';
import { type GuardFault, judgeWords } from '../../../content/model/guard.ts';
import { samplesOf } from '../../../content/samples.ts';
import { subjectKinds } from '../../../domain/subjects/index.ts';
import type { WrittenWords } from '../../../domain/composition/words.ts';
import type { CommonFacts } from '../../../content/copy-facts.ts';

const kind = subjectKinds.of('cart');
const [everything] = samplesOf(kind);
if (everything === undefined) throw new Error('there is no sample');

/** A cart with these products, in a store where everything is known. All invented. */
export function cartFacts(items: readonly Record<string, unknown>[], more: Partial<CommonFacts> = {}): CommonFacts {
  const details = kind.details.parse({ ...(everything?.facts.subject.details as object), items });
  return { ...(everything as { facts: CommonFacts }).facts, ...more, subject: { kind, details, valueMinor: 12_990, currency: 'EUR' } };
}

export const aLamp = { title: 'Walnut desk lamp', quantity: 1, priceMinor: 12_990 };

export function modelFacts(
  items: readonly Record<string, unknown>[] = [aLamp],
  brief: Partial<Brief> = {},
  more: Partial<CommonFacts> = {},
): ModelFacts {
  return modelFactsOf({
    facts: cartFacts(items, more),
    brief: { ...generalBrief('cart'), ...brief },
    channel: 'email',
    orders: 2,
    lastName: 'Vandermeer',
  });
}

export const goodWords: WrittenWords = {
  subject: 'Walnut desk lamp is still in your cart',
  body: 'You left the Walnut desk lamp with us, and it is still where you put it.\n\nIf you have a question about it, answer this email.',
  cta: 'Back to my cart',
  language: 'en',
};

export function judge(words: Partial<WrittenWords>, brief: Partial<Brief> = {}, facts = modelFacts([aLamp], brief)): GuardFault[] {
  return judgeWords({
    words: { ...goodWords, ...words },
    facts,
    brief: { ...generalBrief('cart'), ...brief },
    brand: { voice: null, banned: [], required: [] },
    secrets: ['Vandermeer'],
  });
}
