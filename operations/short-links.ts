import { between } from 'drizzle-orm';
import { messages } from '../db/schema/index.ts';
import type { Deps } from './deps.ts';
import type { LinkTarget } from './link-tokens.ts';

/** The message that a short link was signed for; null: none. */
export async function resolveShortLink(deps: Pick<Deps, 'db' | 'links'>, token: string): Promise<LinkTarget | null> {
  const link = deps.links.readShort(token);
  if (link === null) return null;
  for (const { id: tenantId } of await deps.db.listTenants()) {
    if (!link.mayBeOf(tenantId)) continue;
    const near = await deps.db.withTenant(tenantId, (tx) =>
      tx
        .select({ id: messages.id })
        .from(messages)
        .where(between(messages.id, link.from, link.to))
        .limit(50),
    );
    const found = near.find(({ id }) => link.isSignedFor({ tenantId, messageId: id }));
    if (found !== undefined) return { purpose: 'click', tenantId, messageId: found.id };
  }
  return null;
}
