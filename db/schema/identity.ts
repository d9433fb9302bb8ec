import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  pgSchema,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { roleNames } from '../../domain/access/permissions.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/**
 * People who sign in, in a schema of its own: they belong to the installation and not to a store, so row-level security cannot keep them apart.
 * The role of the application cannot read them, and the role that can (`rekindle_identity`) reads nothing else.
 * Columns and names are those that Better Auth's adapter expects.
 */
export const identitySchema = pgSchema('identity');

const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
const made = { createdAt: moment('created_at').notNull().defaultNow(), updatedAt: moment('updated_at').notNull().defaultNow() };

export const user = identitySchema.table(
  'users',
  {
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    /** In lower case. */
    email: text('email').notNull(),
    /** Proven by an identity provider or by a link that was sent to it. */
    emailVerified: boolean('email_verified').notNull().default(false),
    image: text('image'),
    ...made,
  },
  (t) => [unique('users_email').on(t.email)],
);

export const session = identitySchema.table(
  'sessions',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id').notNull(),
    /** The cookie carries it with a signature, without which it opens nothing. */
    token: text('token').notNull(),
    expiresAt: moment('expires_at').notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
    ...made,
  },
  (t) => [
    unique('sessions_token').on(t.token),
    index('sessions_user').on(t.userId),
    foreignKey({ columns: [t.userId], foreignColumns: [user.id], name: 'sessions_user_id' }).onDelete('cascade'),
  ],
);

/** A way in: a password, or an account at an identity provider. */
export const account = identitySchema.table(
  'accounts',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id').notNull(),
    /** `credential`, or `oidc`. */
    providerId: text('provider_id').notNull(),
    accountId: text('account_id').notNull(),
    /** Its scrypt hash. */
    password: text('password'),
    accessToken: text('access_token'),
    refreshToken: text('refresh_token'),
    idToken: text('id_token'),
    accessTokenExpiresAt: moment('access_token_expires_at'),
    refreshTokenExpiresAt: moment('refresh_token_expires_at'),
    scope: text('scope'),
    ...made,
  },
  (t) => [
    unique('accounts_provider').on(t.providerId, t.accountId),
    index('accounts_user').on(t.userId),
    foreignKey({ columns: [t.userId], foreignColumns: [user.id], name: 'accounts_user_id' }).onDelete('cascade'),
  ],
);

/** What was begun and is to be finished with a token: a new password, a sign-in at an identity provider. */
export const verification = identitySchema.table(
  'verifications',
  {
    id: uuid('id').primaryKey(),
    identifier: text('identifier').notNull(),
    value: text('value').notNull(),
    expiresAt: moment('expires_at').notNull(),
    ...made,
  },
  (t) => [index('verifications_identifier').on(t.identifier), index('verifications_expires').on(t.expiresAt)],
);

/** Attempts by address and kind of request, shared by all processes. */
export const rateLimit = identitySchema.table(
  'rate_limits',
  {
    id: uuid('id').primaryKey(),
    key: text('key').notNull(),
    count: integer('count').notNull(),
    /** Epoch milliseconds. */
    lastRequest: bigint('last_request', { mode: 'number' }).notNull(),
  },
  (t) => [unique('rate_limits_key').on(t.key)],
);

/** Wrong passwords for one email address, wherever they come from. */
export const signInFailures = identitySchema.table('sign_in_failures', {
  /** SHA-256 of the address, hex: most of those that are tried belong to nobody here. */
  emailHash: text('email_hash').primaryKey(),
  count: integer('count').notNull(),
  since: moment('since').notNull(),
});

/** Who may come into a store, and as what. */
export const members = pgTable(
  'members',
  {
    tenantId: tenantId(),
    userId: uuid('user_id').notNull(),
    role: text('role', { enum: roleNames }).notNull(),
    /** `person:<id>` or `api_key:<id>`. */
    invitedBy: text('invited_by').notNull(),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.userId] }),
    check('members_role', sql`role in ('viewer', 'agent', 'editor', 'admin', 'owner')`),
    index('members_user').on(t.userId),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'members_tenant' }),
    foreignKey({ columns: [t.userId], foreignColumns: [user.id], name: 'members_user_id' }).onDelete('cascade'),
    tenantPolicy(),
  ],
);

export const invitations = pgTable(
  'invitations',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** In lower case. */
    email: text('email').notNull(),
    role: text('role', { enum: roleNames }).notNull(),
    /** SHA-256 of the link's token, hex. */
    tokenHash: text('token_hash').notNull(),
    invitedBy: text('invited_by').notNull(),
    createdAt: instantNow('created_at'),
    expiresAt: instant('expires_at').notNull(),
    acceptedAt: instant('accepted_at'),
    revokedAt: instant('revoked_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('invitations_role', sql`role in ('viewer', 'agent', 'editor', 'admin', 'owner')`),
    unique('invitations_token').on(t.tenantId, t.tokenHash),
    index('invitations_lookup').on(t.tokenHash),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'invitations_tenant' }),
    tenantPolicy(),
  ],
);
