import { leadsSomewhere } from '../../contact-in-text.ts';
import type { Subject, ViewTools } from '../kind.ts';
import type { LeadDetails } from './details.ts';

/** What copy about a lead may use. Not the person's message: anybody can fill in a form with anybody's address. */
export interface LeadView extends Record<string, unknown> {
  lead: {
    /** What they asked about; null: nothing in particular, or nothing that may be repeated. */
    interest: string | null;
    /** What it is worth, as a price. */
    value: string | null;
    /** The page about it, else the store. */
    url: string;
    hasPage: boolean;
  };
  /** The area that they named, else what they asked about; and `lead.value`, by the names that leads' forms have for them. */
  interest_area: string | null;
  budget: string | null;
  /** What else they want of it, as they or the source put it. */
  preferences: string | null;
}

export function view({ details, valueMinor }: Pick<Subject<LeadDetails>, 'details' | 'valueMinor'>, tools: ViewTools): LeadView {
  const interest = interestOf(tools.line(details.interest, 80));
  const value = valueMinor === 0 ? null : tools.money(valueMinor);
  return {
    lead: {
      interest,
      value,
      url: tools.link ?? tools.storeUrl,
      hasPage: tools.link !== null,
    },
    interest_area: interestOf(tools.line(details.area ?? null, 80)) ?? interest,
    budget: value,
    preferences: interestOf(tools.line(details.preferences ?? null, 160)),
  };
}

function interestOf(interest: string | null): string | null {
  if (interest === null || !/\p{L}/u.test(interest)) return null;
  return leadsSomewhere(interest) ? null : interest;
}
