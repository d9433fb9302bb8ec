import { sql } from 'drizzle-orm';
import { boolean, check, foreignKey, index, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { campaigns } from './campaigns.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** Texts of one channel that the steps of sequences may use in the place of their own. */
export const scripts = pgTable(
  'scripts',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** By which steps name it. */
    name: text('name').notNull(),
    channel: text('channel').notNull(),
    /** The kind of subject that it is about. */
    about: text('about').notNull(),
    /** The campaign whose own it is; null: nobody's. */
    campaignId: uuid('campaign_id'),
    isDefault: boolean('is_default').notNull().default(false),
    /** As it was written, by language; empty: the language that the others are translated from. */
    texts: jsonb('texts').$type<Record<string, string>>().notNull(),
    /** Compiled when it was saved, by name (`content/step-texts.ts`). */
    content: jsonb('content').$type<Record<string, unknown>>().notNull(),
    /** How calls by it are made: overrides the campaign's configuration key by key. */
    call: jsonb('call').$type<Record<string, unknown>>(),
    createdAt: instantNow('created_at'),
    changedAt: instantNow('changed_at'),
    changedBy: text('changed_by').notNull(),
    /** Null: it is in use. Messages remember those that are not. */
    removedAt: instant('removed_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('scripts_default', sql`not (is_default and campaign_id is not null)`),
    uniqueIndex('scripts_name').on(t.tenantId, t.name).where(sql`removed_at is null`),
    uniqueIndex('scripts_of_campaign').on(t.tenantId, t.campaignId, t.channel, t.about).where(sql`removed_at is null and campaign_id is not null`),
    uniqueIndex('scripts_default_one').on(t.tenantId, t.channel, t.about).where(sql`removed_at is null and is_default`),
    index('scripts_campaign').on(t.tenantId, t.campaignId),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'scripts_tenant' }),
    foreignKey({ columns: [t.tenantId, t.campaignId], foreignColumns: [campaigns.tenantId, campaigns.id], name: 'scripts_campaign_fk' }),
    tenantPolicy(),
  ],
);
