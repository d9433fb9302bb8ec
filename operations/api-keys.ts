import { createHash, randomBytes } from 'node:crypto';
import { and, eq, gt, isNull, lt, or, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/client.ts';
import { apiKeys } from '../db/schema/index.ts';
import { type Role, roleNames } from '../domain/access/permissions.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { type Page, type PageWanted, readSorted } from './read/page.ts';

export interface ApiKeyView {
  id: string;
  name: string;
  /** How it begins; null: it was made before beginnings were kept. */
  prefix: string | null;
  role: Role;
  createdAtMs: number;
  expiresAtMs: number | null;
  /** null: as many as the settings say. */
  requestsPerMinute: number | null;
  /** To the minute; null: never. */
  lastUsedAtMs: number | null;
  revokedAtMs: number | null;
}

/** A key to be made. */
export interface KeyWish {
  name: string;
  role: Role;
  /** Epoch milliseconds from which it opens nothing; null: it does not expire. */
  expiresAtMs: number | null;
  /** How many requests it may make in a minute; null or left out: as many as the settings say. */
  requestsPerMinute?: number | null;
}

/** How an API key is stored: its SHA-256, hex. The key has 256 bits of its own, so nothing slower is needed. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Enough to tell keys apart, and useless for guessing the rest. */
const prefixLength = 'rk_'.length + 6;

/** The only place where keys are made. @returns the key itself, which is shown once and stored only as a hash */
export async function insertKey(
  tx: Tx,
  tenantId: string,
  { name, role, expiresAtMs, requestsPerMinute = null }: KeyWish,
  by: string,
): Promise<{ id: string; apiKey: string }> {
  const [id, apiKey] = [uuidv7(), `rk_${randomBytes(32).toString('base64url')}`];
  await tx
    .insert(apiKeys)
    .values({ tenantId, id, name, hash: hashApiKey(apiKey), prefix: apiKey.slice(0, prefixLength), role, expiresAt: expiresAtMs, requestsPerMinute });
  await recordAudit(tx, { tenantId, actor: by, action: 'api_key.issue', subject: id, data: { name, role } });
  return { id, apiKey };
}

/** The key that a store begins with. */
export const firstKey: KeyWish = { name: 'first key', role: 'owner', expiresAtMs: null };

/** One more key for a tenant. @param by - who, for the audit log */
export function issueKey(deps: Pick<Deps, 'db'>, tenantId: string, wish: KeyWish, by: string): Promise<{ id: string; apiKey: string }> {
  return deps.db.withTenant(tenantId, (tx) => insertKey(tx, tenantId, wish, by));
}

/** The key opens nothing from now on. @returns false when there is no such key, or it was revoked before */
export function revokeKey(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, keyId: string, by: string): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const revoked = await tx
      .update(apiKeys)
      .set({ revokedAt: deps.clock.nowMs() })
      .where(and(eq(apiKeys.id, keyId), isNull(apiKeys.revokedAt)))
      .returning({ id: apiKeys.id });
    if (revoked.length === 0) return false;
    await recordAudit(tx, { tenantId, actor: by, action: 'api_key.revoke', subject: keyId });
    return true;
  });
}

/**
 * Replace a key by a new one of the same name and role. The old one opens the store for `overlapMs` longer, so that programs can change over without a gap;
 * 0: it opens nothing from now on.
 * @returns null when there is no such key, or it opens nothing any more
 */
export function rotateKey(
  deps: Pick<Deps, 'db' | 'clock'>,
  tenantId: string,
  keyId: string,
  overlapMs: number,
  by: string,
): Promise<{ id: string; apiKey: string; oldUntilMs: number } | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const nowMs = deps.clock.nowMs();
    const opens = and(eq(apiKeys.id, keyId), isNull(apiKeys.revokedAt), or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, nowMs)));
    const [old] = await tx.select().from(apiKeys).where(opens).for('no key update');
    if (old === undefined) return null;
    const oldUntilMs = Math.min(old.expiresAt ?? Number.POSITIVE_INFINITY, nowMs + overlapMs);
    await tx.update(apiKeys).set({ expiresAt: oldUntilMs }).where(eq(apiKeys.id, keyId));
    await recordAudit(tx, { tenantId, actor: by, action: 'api_key.rotate', subject: keyId, data: { oldUntil: new Date(oldUntilMs).toISOString() } });
    const made = await insertKey(
      tx,
      tenantId,
      { name: old.name, role: old.role, expiresAtMs: old.expiresAt, requestsPerMinute: old.requestsPerMinute },
      by,
    );
    return { ...made, oldUntilMs };
  });
}

/** The oldest first, revoked ones too. */
export function listApiKeys(deps: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<ApiKeyView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const columns = { last_used_at: apiKeys.lastUsedAt };
    const { items, next } = await readSorted(page, { usual: 'oldest', id: apiKeys.id, columns }, (part) =>
      tx
        .select({ id: apiKeys.id, sortedBy: part.sortedBy, key: apiKeys })
        .from(apiKeys)
        .where(part.where)
        .orderBy(...part.orderBy)
        .limit(part.limit),
    );
    const views = items.map(({ key: { id, name, prefix, role, createdAt, expiresAt, requestsPerMinute, lastUsedAt, revokedAt } }) => ({
      ...{ id, name, prefix, role, requestsPerMinute },
      createdAtMs: createdAt,
      expiresAtMs: expiresAt,
      lastUsedAtMs: lastUsedAt,
      revokedAtMs: revokedAt,
    }));
    return { items: views, next };
  });
}

/** A key that opens a store. */
export interface OpenKey {
  tenantId: string;
  id: string;
  role: Role;
}

const noteUseEveryMs = 60_000;

/** Whose key it is. Its use is noted once a minute, and never keeps a request waiting. @returns null: it opens nothing */
export async function resolveKey({ db, clock, log }: Pick<Deps, 'db' | 'clock' | 'log'>, key: string): Promise<OpenKey | null> {
  const found = await db.resolveApiKey(hashApiKey(key));
  if (found === null) return null;
  const role = roleNames.find((name) => name === found.role);
  // Of a later version of the product.
  if (role === undefined) return null;
  const { tenantId, id, lastUsedMs } = found;
  if (clock.nowMs() - (lastUsedMs ?? 0) >= noteUseEveryMs)
    noteUse(db, tenantId, id).catch((err: unknown) => log.warn({ err, apiKey: id }, 'the use of an API key was not noted'));
  return { tenantId, id, role };
}

const noteUse = (db: Deps['db'], tenantId: string, id: string): Promise<unknown> =>
  db.withTenant(tenantId, (tx) =>
    tx
      .update(apiKeys)
      .set({ lastUsedAt: sql`clock_timestamp()` })
      .where(and(eq(apiKeys.id, id), or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, sql`clock_timestamp() - interval '1 minute'`)))),
  );
