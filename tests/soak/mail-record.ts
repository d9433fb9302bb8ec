import PostalMime from 'postal-mime';
import { type Fault as SmtpFault, type SmtpServer, startSmtpServer } from '../helpers/smtp-server.ts';
import type { MailTrouble } from './faults.ts';
import type { RunClock } from './run-clock.ts';
import { senderOf, type Store, stores } from './stores.ts';

/** A message that a far end accepted, by its own record. */
export interface Accepted {
  channel: 'email' | 'sms' | 'call';
  /** The cart or lead that it is about. */
  subject: string;
  /** By its sender; null: by nobody of this run. */
  store: Store | null;
  step: string;
  /** null: it does not say. */
  enrollmentId: string | null;
  to: string;
  /** When the far end had read it to its end (of an email the final dot), on the run's clock: from then on it would be delivered. */
  atMs: number;
}

/** An email that the mail server accepted. */
export interface AcceptedMail extends Accepted {
  unsubscribeUrl: string;
}

export interface MailRecord {
  smtpUrl: string;
  accepted: AcceptedMail[];
  /** Connections so far. */
  connections(): number;
  trouble(what: MailTrouble): void;
  behave(): void;
  /** Everything accepted so far has been read. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const faultOf: Record<MailTrouble, SmtpFault> = {
  // Eleven bytes.
  'is slow': { at: 'data', act: 'pass', byteDelayMs: 90 },
  'is going down': { at: 'greeting', act: { reply: '421 4.3.2 going down' } },
  'puts recipients off': { at: 'rcpt', act: { reply: '451 4.7.1 try again later' } },
  'resets while it reads': { at: 'body', act: 'reset', afterBytes: 200 },
  'puts messages off': { at: 'dot', act: { reply: '452 4.3.1 try again later' } },
  'takes and closes': { at: 'dot', act: 'close', taking: true },
  'takes and hangs': { at: 'dot', act: 'hang', taking: true },
  'hangs without taking': { at: 'dot', act: 'hang' },
};

/**
 * A real SMTP server whose record is the observer's: what it took counts, also where its answer was lost.
 * @param onMail - called for each accepted email
 */
export async function startMailRecord(clock: RunClock, onMail: (mail: AcceptedMail) => void): Promise<MailRecord> {
  const server = await startSmtpServer();
  const accepted: AcceptedMail[] = [];
  let reading: Promise<void> = Promise.resolve();
  // Called in the turn in which the dot was read, before the email is taken and before anything is answered.
  const onDot = () => {
    const atMs = clock.nowMs();
    const index = server.accepted.length;
    queueMicrotask(() => {
      const taken = server.accepted[index];
      if (taken === undefined) return;
      reading = reading.then(async () => {
        const mail = await read(taken.raw, taken.envelope.to[0] ?? '', atMs);
        accepted.push(mail);
        onMail(mail);
      });
    });
  };
  const usual: SmtpFault = { at: 'dot', act: 'pass', onReach: onDot };
  server.always(usual);
  return {
    smtpUrl: server.url,
    accepted,
    connections: () => server.connections(),
    trouble: (what) => setTrouble(server, faultOf[what], usual, onDot),
    behave: () => server.always(usual),
    settled: () => reading,
    close: () => server.close(),
  };
}

function setTrouble(server: SmtpServer, fault: SmtpFault, usual: SmtpFault, onDot: () => void): void {
  if (fault.at === 'dot') server.always({ ...fault, onReach: onDot });
  else server.always(fault, usual);
}

async function read(raw: Buffer, to: string, atMs: number): Promise<AcceptedMail> {
  const mail = await PostalMime.parse(raw);
  const [, enrollmentId, step] = /^<([^.@]+)\.([^@]+)@/.exec(mail.messageId ?? '') ?? [];
  const subject = /\(((?:cart|lead)-\d+-[ab])\)/.exec(mail.text ?? '')?.[1];
  const unsubscribeUrl = /<(https?:[^>]+)>/.exec(mail.headers.find(({ key }) => key === 'list-unsubscribe')?.value ?? '')?.[1];
  if (enrollmentId === undefined || step === undefined || subject === undefined || unsubscribeUrl === undefined)
    throw new Error(`a mail that says not what it is about:\n${raw.toString('utf8').slice(0, 2_000)}`);
  const store = stores.find((s) => senderOf(s) === mail.from?.address) ?? null;
  return { channel: 'email', subject, store, step, enrollmentId, to, atMs, unsubscribeUrl };
}
