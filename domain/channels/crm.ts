import type { MessageChannel } from './channel.ts';

/** A contact of the merchant's CRM, and the workflow there that it is put into. */
export interface CrmPayload {
  channel: 'crm';
  /** An email address or a number in E.164, by which the contact is found there. */
  to: string;
  /** What a new contact is called; null: not known. */
  firstName: string | null;
  lastName: string | null;
  /** Its name at the CRM, or its id. */
  workflow: string;
}

/**
 * A workflow of the merchant's CRM, which does and says what was set up there. What it sends is not known here, so it counts as a text, and an opt-out on
 * any channel closes it.
 * Source: docs/rules.md#rule-65
 */
export const crm: MessageChannel<CrmPayload> = {
  noun: 'workflow',
  address: 'email',
  orAddress: 'phone',
  purpose: 'marketing',
  disturbs: true,
  law: 'texts',
  consentClass: 'texts',
  consentOf: 'sms',
  closedByAny: true,
  carriesCopy: true,
  addressOf: ({ to }) => to,
};
