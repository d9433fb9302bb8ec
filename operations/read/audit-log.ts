import { and, eq, sql } from 'drizzle-orm';
import { apiKeys, auditLog } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted, readList, since } from './page.ts';

export interface AuditSearch {
  actor?: string | undefined;
  /** Exactly, or all of a thing where it ends with a full stop: `connection.`. */
  action?: string | undefined;
  /** The id of what it was done to. */
  subject?: string | undefined;
  /** Epoch milliseconds: nothing before. */
  sinceMs?: number | undefined;
  requestId?: string | undefined;
}

export interface AuditRow {
  id: string;
  atMs: number;
  actor: string;
  /** Of the API key that did it; null: it was none. */
  keyName: string | null;
  action: string;
  subject: string | null;
  data: Record<string, unknown>;
  /** Of the request by which it was done; null: it was none, or an earlier build noted it. */
  requestId: string | null;
}

/** Who changed what, the latest first. */
export function listAudit(
  { db }: Pick<Deps, 'db'>,
  tenantId: string,
  { actor, action, subject, sinceMs, requestId }: AuditSearch,
  page: PageWanted,
): Promise<Page<AuditRow>> {
  return readList({ db }, tenantId, async (tx) => {
    const rows = await tx
      .select({
        id: auditLog.id,
        atMs: auditLog.at,
        actor: auditLog.actor,
        keyName: apiKeys.name,
        action: auditLog.action,
        subject: auditLog.subject,
        data: auditLog.data,
        requestId: auditLog.requestId,
      })
      .from(auditLog)
      .leftJoin(apiKeys, and(eq(apiKeys.tenantId, auditLog.tenantId), sql`${auditLog.actor} = 'api_key:' || ${apiKeys.id}::text`))
      .where(
        and(
          beyond(auditLog.id, 'newest', page),
          actor === undefined ? undefined : eq(auditLog.actor, actor),
          action === undefined ? undefined : action.endsWith('.') ? beginsWith(action) : eq(auditLog.action, action),
          subject === undefined ? undefined : eq(auditLog.subject, subject),
          sinceMs === undefined ? undefined : since(auditLog.at, auditLog.id, sinceMs),
          requestId === undefined ? undefined : eq(auditLog.requestId, requestId),
        ),
      )
      .orderBy(byAge(auditLog.id, 'newest', page))
      .limit(page.limit + 1);
    return pageOf(rows, page.limit, ({ id }) => id);
  });
}

/** As a range, which the index serves whatever the plan: a plan that is kept knows no pattern. @param prefix - ends with a full stop, behind which `/` comes */
const beginsWith = (prefix: string) => sql`(${auditLog.action} ~>=~ ${prefix} and ${auditLog.action} ~<~ ${`${prefix.slice(0, -1)}/`})`;
