import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgPolicy,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { roleNames } from '../../domain/access/permissions.ts';
import type { Rate } from '../../domain/rate.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import { appRole, currentTenant, instant, instantNow, ownId, requestId, tenantId, tenantPolicy } from './columns.ts';

/** A store, or an agency's client. Owns every row of every other table. */
export const tenants = pgTable(
  'tenants',
  {
    id: uuid('id').primaryKey(),
    slug: text('slug').notNull().unique(),
    name: text('name').notNull(),
    settings: jsonb('settings').$type<TenantSettings>().notNull(),
    /** How many times faster than wall time this tenant's plans run; 1 outside demos. */
    timeScale: doublePrecision('time_scale').notNull().default(1),
    synthetic: boolean('synthetic').notNull().default(false),
    createdAt: instantNow('created_at'),
  },
  () => [pgPolicy('tenant_rows', { for: 'all', to: appRole, using: sql`id = ${currentTenant}`, withCheck: sql`id = ${currentTenant}` })],
);

export const apiKeys = pgTable(
  'api_keys',
  {
    tenantId: tenantId(),
    id: ownId(),
    name: text('name').notNull(),
    /** SHA-256 of the key, hex: the key itself is shown once and never stored. */
    hash: text('hash').notNull(),
    /** How it begins, so that people can tell which of their keys it is; null in rows of builds before. */
    prefix: text('prefix'),
    role: text('role', { enum: roleNames }).notNull().default('owner'),
    createdAt: instantNow('created_at'),
    /** Opens nothing from then on; null: it does not expire. */
    expiresAt: instant('expires_at'),
    /** How many requests it may make in a minute; null: as many as the settings say. */
    requestsPerMinute: integer('requests_per_minute'),
    /** To the minute. */
    lastUsedAt: instant('last_used_at'),
    revokedAt: instant('revoked_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('api_keys_role', sql`role in ('viewer', 'agent', 'editor', 'admin', 'owner')`),
    unique('api_keys_hash').on(t.tenantId, t.hash),
    index('api_keys_lookup').on(t.hash),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'api_keys_tenant' }),
    tenantPolicy(),
  ],
);

/** A tenant's configured account at an integration. Secrets are sealed with AES-256-GCM under the master key. */
export const connections = pgTable(
  'connections',
  {
    tenantId: tenantId(),
    id: ownId(),
    integration: text('integration').notNull(),
    name: text('name').notNull(),
    /** One or two live webhook secrets, sealed; the first is the newer one. */
    secrets: jsonb('secrets').$type<string[]>().notNull().default([]),
    /** What a sender needs (an SMTP URL …), sealed; null for receivers. */
    sealedConfig: text('sealed_config'),
    state: text('state', { enum: ['connected', 'disconnected'] })
      .notNull()
      .default('connected'),
    /** What its provider allows; null: no limit is known. */
    rate: jsonb('rate').$type<Rate>(),
    /** Why its provider does not let us in, as far as the latest call has shown; null: it does. A new configuration is tried anew. */
    fault: text('fault'),
    /** Since when; null: it does, or an earlier build has noted the fault. */
    faultAt: instant('fault_at'),
    /** When a delivery came last that was not signed with its secrets, within a minute; null: none since they were changed. */
    missignedAt: instant('missigned_at'),
    /** Its webhooks are refused and nothing is sent through it any more; the row stays for what it brought. */
    removedAt: instant('removed_at'),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('connections_lookup').on(t.integration, t.id),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'connections_tenant' }),
    tenantPolicy(),
  ],
);

/** When the next message may leave under a rate: of a connection, of a sequence, or of what an outage has held up (rule 34). */
export const sendRates = pgTable(
  'send_rates',
  {
    tenantId: tenantId(),
    scope: text('scope').notNull(),
    freeAt: instantNow('free_at'),
    /** By how much answers in chats have moved the moments that were reserved before them, since the rate is kept. Only grows. */
    pushedMs: doublePrecision('pushed_ms').notNull().default(0),
    /** From when on another answer in a chat takes nothing from the messages of sequences. */
    answersAt: instantNow('answers_at'),
    /** What has left lately, or has its place, where the rate has a window (`leaves_from`): the latest first, no more than the window holds. */
    leftAt: timestamp('left_at', { withTimezone: true }).array().notNull().default(sql`'{}'`),
    /** The provider has said that it takes nothing before then; null: it has not. */
    closedUntil: instant('closed_until'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.scope] }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'send_rates_tenant' }),
    tenantPolicy(),
  ],
);

/** Every version of a tenant's settings, with who made it and when. `tenants.settings` is the latest. */
export const settingsVersions = pgTable(
  'settings_versions',
  {
    tenantId: tenantId(),
    version: integer('version').notNull(),
    settings: jsonb('settings').$type<TenantSettings>().notNull(),
    /** What the change asked for. */
    changes: jsonb('changes').$type<Partial<TenantSettings>>().notNull(),
    changedBy: text('changed_by').notNull(),
    changedAt: instantNow('changed_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.version] }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'settings_versions_tenant' }),
    tenantPolicy(),
  ],
);

/** Changes made by hand, and repairs made by the product. */
export const auditLog = pgTable(
  'audit_log',
  {
    tenantId: tenantId(),
    id: ownId(),
    at: instantNow('at'),
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    subject: text('subject'),
    data: jsonb('data').$type<Record<string, unknown>>().notNull().default({}),
    requestId: requestId(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('audit_log_time').on(t.tenantId, t.at),
    index('audit_log_actor').on(t.tenantId, t.actor, t.id),
    index('audit_log_action').on(t.tenantId, t.action.op('text_pattern_ops'), t.id),
    index('audit_log_subject').on(t.tenantId, t.subject, t.id).where(sql`subject is not null`),
    index('audit_log_request').on(t.tenantId, t.requestId).where(sql`request_id is not null`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'audit_log_tenant' }),
    tenantPolicy(),
  ],
);
