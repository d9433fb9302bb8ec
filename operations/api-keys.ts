import { createHash, randomBytes } from 'node:crypto';
import { and, asc, eq, gt, isNull } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/client.ts';
import { apiKeys } from '../db/schema/index.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { type Page, pageOf } from './read/page.ts';

export interface ApiKeyView {
  id: string;
  name: string;
  createdAtMs: number;
  revokedAtMs: number | null;
}

/** How an API key is stored: its SHA-256, hex. The key has 256 bits of its own, so nothing slower is needed. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** The only place where keys are made. @returns the key itself, which is shown once and stored only as a hash */
export async function insertKey(tx: Tx, tenantId: string, name: string, by: string): Promise<{ id: string; apiKey: string }> {
  const [id, apiKey] = [uuidv7(), `rk_${randomBytes(32).toString('base64url')}`];
  await tx.insert(apiKeys).values({ tenantId, id, name, hash: hashApiKey(apiKey) });
  await recordAudit(tx, { tenantId, actor: by, action: 'api_key.issue', subject: id, data: { name } });
  return { id, apiKey };
}

/** One more key for a tenant. @param by - who, for the audit log */
export function issueKey(deps: Pick<Deps, 'db'>, tenantId: string, name: string, by: string): Promise<{ id: string; apiKey: string }> {
  return deps.db.withTenant(tenantId, (tx) => insertKey(tx, tenantId, name, by));
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

/** The oldest first, revoked ones too. */
export function listApiKeys(
  deps: Pick<Deps, 'db'>,
  tenantId: string,
  { limit, after }: { limit: number; after: string | null },
): Promise<Page<ApiKeyView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(apiKeys)
      .where(after === null ? undefined : gt(apiKeys.id, after))
      .orderBy(asc(apiKeys.id))
      .limit(limit + 1);
    const views = rows.map(({ id, name, createdAt, revokedAt }) => ({ id, name, createdAtMs: createdAt, revokedAtMs: revokedAt }));
    return pageOf(views, limit, (key) => key.id);
  });
}
