import { pgTable, text } from 'drizzle-orm/pg-core';
import { instantNow } from './columns.ts';

/**
 * The installation's own keys, by what they are for, sealed under the master key: it may be replaced, and they stay. No tenant's; the application reads
 * and writes it by `installation_keys` and `put_installation_key` alone.
 */
export const installationKeys = pgTable('installation_keys', {
  name: text('name').primaryKey(),
  /** Base64 of 32 bytes. */
  sealed: text('sealed').notNull(),
  createdAt: instantNow('created_at'),
}).enableRLS();
