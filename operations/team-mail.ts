import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { TeamEmail } from '../content/team-emails.ts';
import { tenants } from '../db/schema/index.ts';
import { settingsOf } from '../domain/tenant-settings.ts';
import type { Sender, SendOutcome } from '../integrations/port.ts';
import type { Deps } from './deps.ts';
import { startDeadline } from './dispatch/fence.ts';
import type { MailFrom } from './mail-from.ts';
import { readConfigured, toOutlets } from './outlets.ts';

/** `detail`: what the sender answered; no personal data. */
export type TeamMailSent = { kind: 'sent' } | { kind: 'failed'; detail: string } | { kind: 'not_configured' };

interface Way {
  sender: Sender;
  from: MailFrom;
  replyTo: string | null;
}

type MailDeps = Pick<Deps, 'clock' | 'defaultSenders' | 'mailFrom' | 'publicUrl'>;

/** The installation's own: SMTP_URL, from REKINDLE_MAIL_FROM. */
function ownWay({ defaultSenders, mailFrom }: MailDeps): Way | null {
  const sender = defaultSenders.find(({ channel }) => channel === 'email');
  return sender === undefined || mailFrom === null ? null : { sender, from: mailFrom, replyTo: null };
}

/** Whether the installation can send emails of its own. */
export const hasOwnSender = (deps: MailDeps): boolean => ownWay(deps) !== null;

/** Send by the installation's own sender. Makes one attempt, because the recipient can ask again. Never throws. */
export async function sendInstallationMail(deps: MailDeps, to: string, mail: TeamEmail): Promise<TeamMailSent> {
  const way = ownWay(deps);
  return way === null ? { kind: 'not_configured' } : handOver(deps, way, to, mail);
}

/** By an account that the store has connected, from the store's address; else by the installation's own. Never throws. */
export async function sendStoreMail(deps: Deps, tenantId: string, to: string, mail: TeamEmail): Promise<TeamMailSent> {
  try {
    const way = await deps.db.withTenant(tenantId, async (tx): Promise<Way | null> => {
      const outlet = toOutlets(deps, await readConfigured(tx)).forChannel('email');
      if (outlet === null || outlet.connectionId === null) return null;
      const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
      const { senderName: name, senderAddress: address, replyTo } = settingsOf(tenant ?? { settings: {} });
      return { sender: outlet.sender, from: { name, address }, replyTo };
    });
    return way === null ? await sendInstallationMail(deps, to, mail) : await handOver(deps, way, to, mail);
  } catch (error) {
    deps.log.error({ tenantId, err: error }, 'an email to somebody of a store could not be sent');
    return { kind: 'failed', detail: 'the log of the API says why' };
  }
}

async function handOver({ clock, publicUrl }: MailDeps, { sender, from, replyTo }: Way, to: string, mail: TeamEmail): Promise<TeamMailSent> {
  const id = randomUUID();
  const payload = {
    ...{ channel: 'email' as const, ...mail, from, replyTo, to: { name: null, address: to }, unsubscribeUrl: null, dateMs: clock.nowMs() },
    messageId: `<team.${id}@${new URL(publicUrl).hostname}>`,
  };
  let session;
  let outcome: SendOutcome;
  try {
    session = await sender.open();
    outcome = await session.send(payload, `team-${id}`, startDeadline(clock, sender.times.deadlineMs));
  } catch (error) {
    outcome = { kind: 'refused', severity: 'soft', response: error instanceof Error ? error.message : String(error) };
  } finally {
    session?.close();
  }
  return outcome.kind === 'accepted' ? { kind: 'sent' } : { kind: 'failed', detail: outcome.response.slice(0, 200) };
}
