import type { Socket } from 'node:net';
import type { Deadline, EmailPayload, Sender, SenderSession, SendOutcome } from '../port.ts';
import { buildMail } from './build-mail.ts';
import type { SmtpConfig } from './connection.ts';
import type { DkimKey } from './dkim-key.ts';
import { GuardedBody } from './guarded-body.ts';
import { forLedger, judgeFailure } from './judge-reply.ts';
import { type OpenSmtp, openSmtp } from './open-session.ts';

// Both clocks count towards the deadline and a timer follows only one of them: check at least this often.
const lookAgainMs = 250;

/**
 * Email by SMTP. Slower than an HTTP call, so with times of its own (docs/fence.md#times-in-order). There is no way to ask an SMTP server about
 * a message, so an unknown outcome stays unknown.
 * @param deps.openTimeoutMs - for connecting, TLS and login together
 * @param deps.dkim - signs every message; absent or null: they leave unsigned, or the server signs them
 */
export function createSmtpSender(config: SmtpConfig, deps: { openTimeoutMs?: number; dkim?: DkimKey | null } = {}): Sender<'email'> {
  return {
    channel: 'email',
    account: `smtp:${config.login?.user ?? ''}@${config.host}:${config.port}`,
    times: { deadlineMs: 8_000, leaseMs: 8_500, deadLeaseMs: 15_000 },
    reconciliation: { kind: 'none' },
    open: async () => openSession(await openSmtp(config, deps.openTimeoutMs ?? 4_000), deps.dkim ?? null),
  };
}

function openSession(smtp: OpenSmtp, dkim: DkimKey | null): SenderSession<'email'> {
  let used = false;
  return {
    async send(payload, _sendKey, deadline, begun) {
      if (used) throw new Error('An SMTP session sends one message.');
      used = true;
      return sendOnce(smtp, payload, deadline, dkim, begun);
    },
    // No polite end is needed: QUIT is sent after an accepted message, and every other session is broken.
    close: () => smtp.connection.close(),
  };
}

async function sendOnce(
  smtp: OpenSmtp,
  payload: EmailPayload,
  deadline: Deadline,
  dkim: DkimKey | null,
  begun: () => void = () => undefined,
): Promise<SendOutcome> {
  const mail = await buildMail(payload, dkim);
  if (mail.kind === 'unusable') return { kind: 'refused', severity: mail.part === 'address' ? 'hard' : 'soft', response: mail.reason };
  if (deadline.remainingMs() <= 0) return { kind: 'refused', severity: 'soft', outage: true, response: 'the deadline came before the call' };

  const body = new GuardedBody(
    mail.raw,
    () => liveSocket(smtp),
    () => deadline.remainingMs() > 0,
  );
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    let finished = false;
    const finish = (outcome: SendOutcome): void => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      // No byte of the message may follow its outcome.
      body.destroy();
      if (outcome.kind === 'accepted') smtp.connection.quit();
      else smtp.destroy();
      resolve(outcome);
    };
    const watch = (): void => {
      const remainingMs = deadline.remainingMs();
      if (remainingMs > 0) timer = setTimeout(watch, Math.min(remainingMs, lookAgainMs));
      else finish(judgeFailure(body.complete, { message: 'the deadline came before an answer' }));
    };
    watch();
    smtp.connection.once('error', (error) => finish(judgeFailure(body.complete, error)));
    smtp.connection.once('end', () => finish(judgeFailure(body.complete, { message: 'the connection ended before an answer' })));
    smtp.connection.send({ ...mail.envelope, size: mail.raw.length }, body, (error, info) => {
      if (error) finish(judgeFailure(body.complete, error));
      // An answer to a message that was not given out whole is no answer to it.
      else if (!body.complete) finish(judgeFailure(false, { message: `answered too early: ${info.response}` }));
      else finish({ kind: 'accepted', providerMessageId: info.serverMessageId ?? payload.messageId, response: forLedger(info.response) });
    });
    begun();
  });
}

function liveSocket(smtp: OpenSmtp): Socket | null {
  // After STARTTLS this is the TLS socket.
  return smtp.connection._socket || null;
}
