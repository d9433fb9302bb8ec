import { sql } from 'drizzle-orm';
import { foreignKey, index, integer, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { offerSources } from '../../domain/offers/policy.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { contacts } from './people.ts';
import { enrollments } from './sequences.ts';
import { tenants } from './tenants.ts';

/**
 * The offer ledger: one row per step that was granted a discount. `granted`: the code is chosen and may not exist yet at the shop. `minted`: it does.
 * `refused`: it could not be made. `revoked`: taken back before it was sent, or by hand.
 */
export const offers = pgTable(
  'offers',
  {
    tenantId: tenantId(),
    id: ownId(),
    enrollmentId: uuid('enrollment_id').notNull(),
    stepId: text('step_id').notNull(),
    contactId: uuid('contact_id').notNull(),
    /** In capitals: shops do not distinguish. */
    code: text('code').notNull(),
    percentOff: integer('percent_off').notNull(),
    source: text('source', { enum: offerSources }).notNull(),
    state: text('state', { enum: ['granted', 'minted', 'refused', 'revoked'] }).notNull(),
    grantedAt: instant('granted_at').notNull(),
    endsAt: instant('ends_at').notNull(),
    revokedAt: instant('revoked_at'),
    /** Who took it back, or what the shop said. */
    note: text('note'),
    redeemedAt: instant('redeemed_at'),
    redeemedOrder: text('redeemed_order'),
    /** The shop in which it is made; null: none was asked yet, or the code is of the pool. */
    connectionId: uuid('connection_id'),
    /** When the shop was asked to make it, while no clear answer has come: the code may exist. */
    askedAt: instant('asked_at'),
    /** Calls in a row that the shop did not answer clearly, and when it is called again. */
    shopFailures: integer('shop_failures').notNull().default(0),
    shopAfter: instant('shop_after'),
    /** When the shop closed what was taken back; null: it has not yet, or the code stands, or it never was at a shop. */
    closedAtShop: instant('closed_at_shop'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('offers_step').on(t.tenantId, t.enrollmentId, t.stepId),
    index('offers_contact').on(t.tenantId, t.contactId, t.grantedAt),
    index('offers_budget').on(t.tenantId, t.grantedAt),
    index('offers_ends').on(t.tenantId, t.endsAt, t.id),
    index('offers_apart').on(t.tenantId, t.state, t.id).where(sql`state <> 'minted'`),
    index('offers_code').on(t.tenantId, t.code),
    // What may have to be closed at a shop: a code that has ended by itself needs nothing.
    index('offers_at_shop').on(t.endsAt).where(sql`source <> 'pool' and closed_at_shop is null`),
    foreignKey({ columns: [t.tenantId, t.enrollmentId], foreignColumns: [enrollments.tenantId, enrollments.id], name: 'offers_enrollment_fk' }),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'offers_contact_fk' }),
    tenantPolicy(),
  ],
);

/** Codes that the store has made and uploaded, for one person each. */
export const offerCodes = pgTable(
  'offer_codes',
  {
    tenantId: tenantId(),
    id: ownId(),
    code: text('code').notNull(),
    /** When the shop stops taking it; null: it does not. */
    expiresAt: instant('expires_at'),
    /** The grant that has it; null: nobody does. */
    offerId: uuid('offer_id'),
    uploadedAt: instantNow('uploaded_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('offer_codes_code').on(t.tenantId, t.code),
    index('offer_codes_free').on(t.tenantId, t.id).where(sql`offer_id is null`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'offer_codes_tenant' }),
    tenantPolicy(),
  ],
);
