import { createHmac, timingSafeEqual } from 'node:crypto';
import { and, asc, eq, isNull } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { connections, contactIdentities, contacts, subjects } from '../../db/schema/index.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { lead } from '../../domain/subjects/lead/index.ts';
import type { Deps } from '../deps.ts';

// A link leads a known lead into the chat with the bot: `https://t.me/<bot>?start=<token>`. The token is a lead's id and the time at which it ends,
// signed for one tenant; Telegram gives it back as it is, up to 64 characters of A–Z a–z 0–9 _ -.

const validMs = 7 * 86_400_000;
const idBytes = 16;
const timeBytes = 4;
const macBytes = 16;

export type ChatLink =
  | { kind: 'made'; url: string; expiresAtMs: number }
  | { kind: 'unknown' }
  /** The lead is anonymous, so the chat has no person to belong to. */
  | { kind: 'anonymous' }
  | { kind: 'no_bot'; reason: string };

/** A link for one lead. Whoever opens it joins their chat to the lead's person: it belongs in messages to that person alone. */
export async function createChatLink(deps: Deps, tenantId: string, leadId: string): Promise<ChatLink> {
  const found = await deps.db.withTenant(tenantId, async (tx) => ({ lead: await personOfLead(tx, leadId), bot: await oldestBot(deps, tx) }));
  if (found.lead === null) return { kind: 'unknown' };
  if (found.lead.email === null && found.lead.phone === null) return { kind: 'anonymous' };
  if (found.bot === null) return { kind: 'no_bot', reason: 'The store has no connected bot: npx rekindle connections create telegram.' };
  const bot = deps.integrations[found.bot.integration]?.bot?.(JSON.parse(deps.sealing.open(found.bot.sealed)));
  try {
    const name = (await bot?.check())?.replace(/^@/, '') ?? '';
    if (!/^\w{3,64}$/.test(name)) return { kind: 'no_bot', reason: 'The bot has no name that a link could lead to.' };
    const expiresAtMs = Math.floor((deps.clock.nowMs() + validMs) / 1_000) * 1_000;
    return { kind: 'made', url: `https://t.me/${name}?start=${signed(deps, tenantId, leadId, expiresAtMs)}`, expiresAtMs };
  } catch (error) {
    return { kind: 'no_bot', reason: `The bot does not answer: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function signed(deps: Pick<Deps, 'sealing'>, tenantId: string, leadId: string, expiresAtMs: number): string {
  const body = Buffer.alloc(idBytes + timeBytes);
  Buffer.from(leadId.replaceAll('-', ''), 'hex').copy(body);
  body.writeUInt32BE(expiresAtMs / 1_000, idBytes);
  return Buffer.concat([body, macOf(deps, tenantId, body)]).toString('base64url');
}

const macOf = ({ sealing }: Pick<Deps, 'sealing'>, tenantId: string, body: Buffer) =>
  createHmac('sha256', sealing.deriveKey('chat-links')).update(tenantId).update(body).digest().subarray(0, macBytes);

/** @returns the lead that the token names; null: it is none of this tenant's, or over */
export function readChatToken(deps: Pick<Deps, 'sealing' | 'clock'>, tenantId: string, token: string): string | null {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== idBytes + timeBytes + macBytes || bytes.toString('base64url') !== token) return null;
  const body = bytes.subarray(0, idBytes + timeBytes);
  if (!timingSafeEqual(bytes.subarray(idBytes + timeBytes), macOf(deps, tenantId, body))) return null;
  if (body.readUInt32BE(idBytes) * 1_000 <= deps.clock.nowMs()) return null;
  return body
    .subarray(0, idBytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Whom a lead belongs to. */
export interface LinkedPerson {
  name: string | null;
  email: string | null;
  phone: string | null;
  language: string | null;
}

/** @returns null: there is no such lead, or it has no contact */
export async function personOfLead(tx: Tx, leadId: string): Promise<LinkedPerson | null> {
  const [row] = await tx
    .select({ subject: subjects, contact: contacts })
    .from(subjects)
    .innerJoin(contacts, eq(contacts.id, subjects.contactId))
    .where(and(eq(subjects.id, leadId), eq(subjects.kind, lead.kind)));
  if (row === undefined) return null;
  const known = await tx.select().from(contactIdentities).where(eq(contactIdentities.contactId, row.contact.id)).orderBy(asc(contactIdentities.id));
  const identity = (kind: string) => known.find((one) => one.kind === kind)?.value ?? null;
  return {
    name: row.contact.firstName,
    email: identity('email') ?? null,
    phone: identity('phone') ?? row.subject.phone,
    language: row.contact.locale,
  };
}

/**
 * Who opens a chat by a link is the person of its lead: the event names them too, so that the same rules join the chat to them as join any two addresses
 * (docs/rules.md#rule-10). A token that is over or of another tenant changes nothing.
 */
export async function withLinkedPerson(
  deps: Pick<Deps, 'sealing' | 'clock'>,
  tenantId: string,
  events: DomainEvent[],
  read: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>,
): Promise<DomainEvent[]> {
  const joined: DomainEvent[] = [];
  for (const event of events) {
    const act = event.type === 'message.received' ? event.chat?.act : undefined;
    const leadId = act?.kind === 'start' && act.token !== null ? readChatToken(deps, tenantId, act.token) : null;
    const person = leadId === null ? null : await read((tx) => personOfLead(tx, leadId));
    if (person === null || event.type !== 'message.received') joined.push(event);
    else joined.push({ ...event, person: { ...event.person, email: person.email, phone: person.phone } });
  }
  return joined;
}

async function oldestBot(deps: Pick<Deps, 'integrations'>, tx: Tx): Promise<{ integration: string; sealed: string } | null> {
  const rows = await tx
    .select()
    .from(connections)
    .where(and(eq(connections.state, 'connected'), isNull(connections.removedAt)))
    .orderBy(asc(connections.id));
  const row = rows.find(({ integration, sealedConfig }) => sealedConfig !== null && deps.integrations[integration]?.bot !== undefined);
  return row?.sealedConfig == null ? null : { integration: row.integration, sealed: row.sealedConfig };
}
