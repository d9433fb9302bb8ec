import { and, eq, ne } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { members } from '../../db/schema/index.ts';
import type { Role } from '../../domain/access/permissions.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import type { Identity } from './identity.ts';

export interface MemberView {
  /** The person's. */
  id: string;
  name: string;
  email: string;
  role: Role;
  invitedBy: string;
  sinceMs: number;
}

export async function listMembers(
  deps: Pick<Deps, 'db'> & { identity: Pick<Identity, 'people'> },
  tenantId: string,
  page: PageWanted,
): Promise<Page<MemberView>> {
  const rows = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select()
      .from(members)
      .where(beyond(members.userId, 'oldest', page))
      .orderBy(byAge(members.userId, 'oldest', page))
      .limit(page.limit + 1),
  );
  const people = await deps.identity.people(rows.map(({ userId }) => userId));
  const views = rows.map(({ userId, role, invitedBy, createdAt }) => {
    const person = people.get(userId);
    return { id: userId, name: person?.name ?? '', email: person?.email ?? '', role, invitedBy, sinceMs: createdAt };
  });
  return pageOf(views, page.limit, (member) => member.id);
}

export type MemberChanged = 'done' | 'unknown' | 'last_owner';

/** Changes of one store's members wait for each other, so that two owners cannot take each other's role at once. */
const lockMembers = (tx: Tx) => tx.select({ role: members.role }).from(members).where(eq(members.role, 'owner')).for('update');

const ownersBeside = (tx: Tx, userId: string) => tx.$count(members, and(eq(members.role, 'owner'), ne(members.userId, userId)));

/** The last owner stays: somebody has to be able to let others in. */
export function changeMember(deps: Pick<Deps, 'db'>, tenantId: string, userId: string, role: Role | null, by: string): Promise<MemberChanged> {
  return deps.db.withTenant(tenantId, async (tx) => {
    await lockMembers(tx);
    const [before] = await tx.select({ role: members.role }).from(members).where(eq(members.userId, userId)).for('update');
    if (before === undefined) return 'unknown';
    if (before.role === 'owner' && role !== 'owner' && (await ownersBeside(tx, userId)) === 0) return 'last_owner';
    if (role === null) await tx.delete(members).where(eq(members.userId, userId));
    else await tx.update(members).set({ role }).where(eq(members.userId, userId));
    const action = role === null ? 'member.remove' : 'member.change';
    await recordAudit(tx, { tenantId, actor: by, action, subject: userId, data: { before: before.role, after: role } });
    return 'done';
  });
}
