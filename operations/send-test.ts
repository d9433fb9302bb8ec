import { randomUUID } from 'node:crypto';
import { and, count, eq, gt, inArray, sql } from 'drizzle-orm';
import { composeMessage } from '../content/channels/index.ts';
import type { Tx } from '../db/client.ts';
import { auditLog, suppressions } from '../db/schema/index.ts';
import { normaliseEmail, normalisePhone } from '../domain/people/identity.ts';
import type { SendOutcome } from '../integrations/port.ts';
import { recordAudit } from './audit.ts';
import type { Deps } from './deps.ts';
import { startDeadline } from './dispatch/fence.ts';
import { type Outlet, readConfigured, toOutlets } from './outlets.ts';
import { type Previewed, type PreviewWish, showStep } from './preview-step.ts';

export interface TestWish extends PreviewWish {
  /** An email address, or a telephone number for a text message: nobody else gets it. */
  to: string;
  actor: string;
}

export type TestSent =
  | { kind: 'sent'; channel: 'email' | 'sms'; outcome: SendOutcome }
  | Exclude<Previewed, { kind: 'previewed' }>
  | { kind: 'unreadable_address' | 'suppressed' | 'not_connected' | 'too_many' };

/** Of one store, in an hour: enough to look at a sequence, too few to write to anybody. */
export const mostTestsPerHour = 20;

const action = 'test.send';

/**
 * Send a step to one address, to look at it. Outside of the ledger: no enrollment, contact or message row knows of it, so it is in no figure, list or cap. Its
 * links count nothing. The store's suppressions hold, and the audit log has who sent it, without the address.
 */
export async function sendTest(deps: Deps, wish: TestWish): Promise<TestSent> {
  const { tenantId, to, actor } = wish;
  const channel = to.includes('@') ? 'email' : 'sms';
  const made = await deps.db.withTenant(tenantId, async (tx) => {
    const shown = await showStep(tx, deps, wish, channel);
    if (shown.kind !== 'shown') return shown;
    const address = channel === 'email' ? normaliseEmail(to) : normalisePhone(to, shown.facts.settings.country);
    if (address === null) return { kind: 'unreadable_address' as const };
    if (await isSuppressed(tx, deps, tenantId, channel, address)) return { kind: 'suppressed' as const };
    const outlet = toOutlets(deps, await readConfigured(tx)).forChannel(channel);
    if (outlet === null) return { kind: 'not_connected' as const };
    // Tests of one store wait for each other here, so that they are counted.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${action} ${tenantId}`}, 0))`);
    const [sent] = await tx
      .select({ n: count() })
      .from(auditLog)
      .where(and(eq(auditLog.action, action), gt(auditLog.at, deps.clock.nowMs() - 3_600_000)));
    if ((sent?.n ?? 0) >= mostTestsPerHour) return { kind: 'too_many' as const };
    await recordAudit(tx, { tenantId, actor, action, subject: null, data: { sequence: wish.slug, step: wish.stepId, channel } });
    return { kind: 'made' as const, shown, outlet, address };
  });
  if (made.kind !== 'made') return made;
  const { shown, outlet, address } = made;
  const id = randomUUID();
  const facts = { ...shown.facts, contact: { ...shown.facts.contact, lastName: null }, sendKey: { enrollmentId: `test-${id}`, stepId: wish.stepId } };
  const { payload } = composeMessage(shown.texts.stored, shown.content, channel, facts, address);
  const marked =
    payload.channel === 'email'
      ? { ...payload, subject: `[Test] ${payload.subject}`, to: { name: null, address } }
      : payload.channel === 'sms'
        ? { ...payload, text: `[Test] ${payload.text}` }
        : payload;
  return { kind: 'sent', channel, outcome: await handOver(deps, outlet, marked, `test-${id}`) };
}

/** One call, never repeated: a test that may have arrived is not worth a second one. */
async function handOver(
  deps: Deps,
  { sender }: Outlet,
  payload: Parameters<Awaited<ReturnType<typeof sender.open>>['send']>[0],
  key: string,
): Promise<SendOutcome> {
  let session;
  try {
    session = await sender.open();
    return await session.send(payload, key, startDeadline(deps.clock, sender.times.deadlineMs));
  } catch (error) {
    return { kind: 'unknown', response: error instanceof Error ? error.message : String(error) };
  } finally {
    session?.close();
  }
}

async function isSuppressed(tx: Tx, deps: Deps, tenantId: string, channel: 'email' | 'sms', address: string): Promise<boolean> {
  const hash = deps.sealing.addressHash(tenantId, channel === 'email' ? 'email' : 'phone', address);
  const found = await tx
    .select({ id: suppressions.id })
    .from(suppressions)
    .where(and(eq(suppressions.addressHash, hash), inArray(suppressions.channel, ['all', channel]), sql`lifted_at is null`))
    .limit(1);
  return found.length > 0;
}
