import { createHash } from 'node:crypto';
import { domainToASCII } from 'node:url';
import MailComposer from 'nodemailer/lib/mail-composer';
import type { EmailPayload } from '../port.ts';

/** A mail ready for the wire, or why it cannot be one. `address`: the recipient's address will never work. */
export type BuiltMail =
  | { kind: 'mail'; envelope: { from: string; to: string }; raw: Buffer }
  | { kind: 'unusable'; part: 'address' | 'other'; reason: string };

/**
 * Write the MIME message: the same payload gives the same bytes. All of it is 7 bit (names and subject as encoded words, bodies as
 * quoted-printable or base64), so neither 8BITMIME nor SMTPUTF8 matters.
 */
export async function buildMail(payload: EmailPayload): Promise<BuiltMail> {
  const to = envelopeAddress(payload.to.address);
  if (to === null) return { kind: 'unusable', part: 'address', reason: 'the recipient address cannot be written in SMTP' };
  const from = envelopeAddress(payload.from.address);
  if (from === null) return other('the sender address cannot be written in SMTP');
  const replyTo = payload.replyTo === null ? null : envelopeAddress(payload.replyTo);
  if (payload.replyTo !== null && replyTo === null) return other('the reply address cannot be written in SMTP');
  if (!/^<[\x21-\x3b\x3d\x3f-\x7e]{1,480}@[\x21-\x3b\x3d\x3f-\x7e]{1,480}>$/.test(payload.messageId)) return other('the Message-ID is malformed');
  // Prepared headers are written as they are: what comes in must be one printable word.
  if (!/^https?:\/\/[\x21-\x3b\x3d\x3f-\x7e]{1,900}$/.test(payload.unsubscribeUrl)) return other('the unsubscribe URL cannot stand in a header');

  const composer = new MailComposer({
    messageId: payload.messageId,
    date: new Date(payload.dateMs),
    from: { name: headerText(payload.from.name), address: from },
    to: { name: headerText(payload.to.name ?? ''), address: to },
    ...(replyTo === null ? {} : { replyTo: { name: '', address: replyTo } }),
    subject: headerText(payload.subject),
    text: payload.text,
    html: payload.html,
    // Unfolded: folding long URLs breaks DKIM (nodemailer issues 1654 and 1694).
    headers: {
      'List-Unsubscribe': { prepared: true, value: `<${payload.unsubscribeUrl}>` },
      'List-Unsubscribe-Post': { prepared: true, value: 'List-Unsubscribe=One-Click' },
    },
    // From the whole content: nothing that a shop writes into a title can contain its own boundary.
    baseBoundary: createHash('sha256').update(JSON.stringify(payload)).digest('hex').slice(0, 32),
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return { kind: 'mail', envelope: { from, to }, raw: await composer.compile().build() };
}

function other(reason: string): BuiltMail {
  return { kind: 'unusable', part: 'other', reason };
}

const atoms = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const atomsAndDots = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+$/;

/**
 * The address as RCPT TO takes it: the domain in ASCII. A local part beyond ASCII would need SMTPUTF8 on every server of the way;
 * most do not have it.
 * @returns null where there is no such form
 */
function envelopeAddress(address: string): string | null {
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at);
  // Old Japanese mailboxes have dots where no dot may be; they exist, quoted.
  const written = atoms.test(local) ? local : atomsAndDots.test(local) ? `"${local}"` : null;
  const domain = at < 1 ? '' : domainToASCII(address.slice(at + 1));
  if (written === null || written.length > 64 || domain.length > 253) return null;
  return /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(domain) && !domain.includes('..') ? `${written}@${domain}` : null;
}

/** One line of well-formed text: a line break in a name would begin a new header. */
function headerText(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .trim();
}
