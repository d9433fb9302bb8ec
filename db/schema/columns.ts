import { sql } from 'drizzle-orm';
import { customType, pgPolicy, pgRole, text, uuid } from 'drizzle-orm/pg-core';

/** The role that the application acts as. It owns nothing, so row-level security holds for it everywhere. */
export const appRole = pgRole('rekindle_app').existing();

/** `timestamptz` in the database, epoch milliseconds in the code. */
export const instant = customType<{ data: number; driverData: string }>({
  dataType: () => 'timestamp (3) with time zone',
  toDriver: (ms) => new Date(ms).toISOString(),
  fromDriver: (text) => Date.parse(text),
});

/** The tenant of this transaction. `nullif`: on a pooled connection the setting may be an empty string, which must deny, not fail. */
export const currentTenant = sql`nullif(current_setting('app.tenant', true), '')::uuid`;

export const tenantId = () => uuid('tenant_id').notNull();
export const ownId = () => uuid('id').notNull();
export const instantNow = (name: string) => instant(name).notNull().default(sql`clock_timestamp()`);

/** Every table has this policy: rows of the transaction's tenant, nothing else, for reading and for writing. */
export const tenantPolicy = () =>
  pgPolicy('tenant_rows', { for: 'all', to: appRole, using: sql`tenant_id = ${currentTenant}`, withCheck: sql`tenant_id = ${currentTenant}` });

/** The request that a row was written for, as `X-Request-Id` names it; null: it came from none, or an earlier build wrote it. The transaction knows it. */
export const requestId = () => text('request_id').default(sql`nullif(current_setting('app.request', true), '')`);
