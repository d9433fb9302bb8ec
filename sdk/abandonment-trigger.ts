import type { Body } from './route-types.ts';

/** One silent lead's recovery, as `POST /api/market-triggers` takes it. */
export type AbandonmentTrigger = Extract<Body<'POST /api/market-triggers'>, { type: 'ABANDONMENT_RECOVERY' }>;

/** How long a lead has been silent. */
export type AbandonmentStage = AbandonmentTrigger['stage'];

/** Whose recovery is asked for: by an address, a number, or an id that the lead's source has for it. */
export type AbandonedContact = AbandonmentTrigger['contact'];

/**
 * Make the trigger of one silent lead's recovery; `client.marketTriggers.create(trigger)` sends it.
 * @param template - the sequence whose texts are sent; absent: the one about silent leads that is in use
 * @throws RangeError when the contact names nobody
 */
export function createAbandonmentTrigger(contact: AbandonedContact, stage: AbandonmentStage, template?: string): AbandonmentTrigger {
  if (Object.values(contact).every((value) => value === undefined || value === ''))
    throw new RangeError('The contact names nobody: give an email, a phone or an externalId.');
  return { type: 'ABANDONMENT_RECOVERY', contact, stage, ...(template === undefined ? {} : { template }) };
}
