import { createHash, randomBytes } from 'node:crypto';
import { and, eq, gt, isNull } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { invitations, members } from '../../db/schema/index.ts';
import { type Role, roleNames } from '../../domain/access/permissions.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import type { Identity, Person } from './identity.ts';

export interface InvitationView {
  id: string;
  email: string;
  role: Role;
  invitedBy: string;
  createdAtMs: number;
  expiresAtMs: number;
  acceptedAtMs: number | null;
  revokedAtMs: number | null;
}

/** How long an invitation can be accepted. */
export const invitationDays = 7;

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

const isOpen = (nowMs: number) => and(isNull(invitations.acceptedAt), isNull(invitations.revokedAt), gt(invitations.expiresAt, nowMs));

/**
 * Invite somebody. An earlier invitation of the same address opens nothing any more, so that the role of the newest counts.
 * @returns the link's token, which is stored only as a hash; null: this person is a member already
 */
export async function invite(
  deps: Pick<Deps, 'db' | 'clock'> & { identity: Pick<Identity, 'findByEmail'> },
  tenantId: string,
  wish: { email: string; role: Role },
  by: string,
): Promise<{ id: string; token: string; expiresAtMs: number } | null> {
  const email = wish.email.trim().toLowerCase();
  const person = await deps.identity.findByEmail(email);
  const [id, token, nowMs] = [uuidv7(), `inv_${randomBytes(32).toString('base64url')}`, deps.clock.nowMs()];
  const expiresAtMs = nowMs + invitationDays * 24 * 3_600_000;
  return deps.db.withTenant(tenantId, async (tx) => {
    if (person !== null && (await tx.$count(members, eq(members.userId, person.id))) > 0) return null;
    await tx
      .update(invitations)
      .set({ revokedAt: nowMs })
      .where(and(eq(invitations.email, email), isOpen(nowMs)));
    await tx.insert(invitations).values({ tenantId, id, email, role: wish.role, tokenHash: hashOf(token), invitedBy: by, expiresAt: expiresAtMs });
    await recordAudit(tx, { tenantId, actor: by, action: 'member.invite', subject: id, data: { role: wish.role } });
    return { id, token, expiresAtMs };
  });
}

/** The oldest first, those that are over too. */
export function listInvitations(deps: Pick<Deps, 'db'>, tenantId: string, page: PageWanted): Promise<Page<InvitationView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(invitations)
      .where(beyond(invitations.id, 'oldest', page))
      .orderBy(byAge(invitations.id, 'oldest', page))
      .limit(page.limit + 1);
    const views = rows.map(({ id, email, role, invitedBy, createdAt, expiresAt, acceptedAt, revokedAt }) => ({
      ...{ id, email, role, invitedBy, createdAtMs: createdAt, expiresAtMs: expiresAt, acceptedAtMs: acceptedAt, revokedAtMs: revokedAt },
    }));
    return pageOf(views, page.limit, (one) => one.id);
  });
}

/** @returns false: there is none that could still be accepted */
export function revokeInvitation(deps: Pick<Deps, 'db' | 'clock'>, tenantId: string, id: string, by: string): Promise<boolean> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const nowMs = deps.clock.nowMs();
    const gone = await tx
      .update(invitations)
      .set({ revokedAt: nowMs })
      .where(and(eq(invitations.id, id), isOpen(nowMs)))
      .returning({ id: invitations.id });
    if (gone.length === 0) return false;
    await recordAudit(tx, { tenantId, actor: by, action: 'member.uninvite', subject: id });
    return true;
  });
}

export interface OpenInvitation {
  tenantId: string;
  id: string;
  slug: string;
  storeName: string;
  email: string;
  role: Role;
  expiresAtMs: number;
  /** Somebody has an account for this address: they sign in to accept. */
  hasAccount: boolean;
}

/** What a link leads to. @returns null: nothing, any more */
export async function readInvitation(
  deps: Pick<Deps, 'db'> & { identity: Pick<Identity, 'findByEmail'> },
  token: string,
): Promise<OpenInvitation | null> {
  if (!/^inv_[\w-]{43}$/.test(token)) return null;
  const found = await deps.db.resolveInvitation(hashOf(token));
  const role = roleNames.find((name) => name === found?.role);
  if (found === null || role === undefined) return null;
  const { tenantId, id, slug, name: storeName, email, expiresAtMs } = found;
  return { tenantId, id, slug, storeName, email, role, expiresAtMs, hasAccount: (await deps.identity.findByEmail(email)) !== null };
}

export type Accepted =
  | { kind: 'accepted'; invitation: OpenInvitation; person: Person }
  | { kind: 'unusable_link' | 'unusable_password' | 'sign_in_first' | 'another_person' };

/**
 * Accept an invitation: as who is signed in, where the address is theirs, or with a new account. Whoever has the link can make the account, so the address
 * counts as unproven until an identity provider says otherwise.
 * @param as - who is signed in; null: nobody
 * @param fresh - for a new account
 */
export async function acceptInvitation(
  deps: Pick<Deps, 'db' | 'clock'> & { identity: Pick<Identity, 'findByEmail' | 'createPerson'> },
  token: string,
  as: Person | null,
  fresh: { name: string; password: string } | null,
): Promise<Accepted> {
  const invitation = await readInvitation(deps, token);
  if (invitation === null) return { kind: 'unusable_link' };
  if (as !== null && as.email !== invitation.email) return { kind: 'another_person' };
  if (as === null && (fresh === null || invitation.hasAccount)) return { kind: 'sign_in_first' };
  const made = as ?? (fresh === null ? null : await deps.identity.createPerson(invitation.email, fresh.name, fresh.password));
  if (made === 'unusable_password') return { kind: 'unusable_password' };
  // Somebody was faster with the same link.
  if (made === null) return { kind: 'sign_in_first' };
  const { tenantId, id, role } = invitation;
  const accepted = await deps.db.withTenant(tenantId, async (tx) => {
    const nowMs = deps.clock.nowMs();
    const [mine] = await tx
      .update(invitations)
      .set({ acceptedAt: nowMs })
      .where(and(eq(invitations.id, id), isOpen(nowMs)))
      .returning({ invitedBy: invitations.invitedBy });
    if (mine === undefined) return false;
    await tx.insert(members).values({ tenantId, userId: made.id, role, invitedBy: mine.invitedBy }).onConflictDoNothing();
    await recordAudit(tx, { tenantId, actor: `person:${made.id}`, action: 'member.join', subject: made.id, data: { role } });
    return true;
  });
  return accepted ? { kind: 'accepted', invitation, person: made } : { kind: 'unusable_link' };
}
