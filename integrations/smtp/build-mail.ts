import { createHash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import { unsubscribeHeaders } from '../email-headers.ts';
import type { EmailPayload } from '../port.ts';
import { signMail } from './dkim.ts';
import type { DkimKey } from './dkim-key.ts';
import { HeaderFieldError, mailboxField, parsedField, textField, wireAddress } from './header-fields.ts';

/** An email ready to be sent, or why it cannot be built. `address`: the recipient's address will never work. */
export type BuiltMail =
  | { kind: 'mail'; envelope: { from: string; to: string }; raw: Buffer }
  | { kind: 'unusable'; part: 'address' | 'other'; reason: string };

/**
 * Write the MIME message: the same payload gives the same bytes. All of it is 7 bit (names and subject as encoded words, bodies as
 * quoted-printable or base64), so neither 8BITMIME nor SMTPUTF8 matters.
 * @param dkim - signs the message; null: it leaves unsigned, or the relay signs it
 */
export async function buildMail(payload: EmailPayload, dkim: DkimKey | null = null): Promise<BuiltMail> {
  const to = wireAddress(payload.to.address);
  if (to === null) return { kind: 'unusable', part: 'address', reason: 'the recipient address cannot be written in SMTP' };
  const from = wireAddress(payload.from.address);
  if (from === null) return other('the sender address cannot be written in SMTP');
  const replyTo = payload.replyTo === null ? null : wireAddress(payload.replyTo);
  if (payload.replyTo !== null && replyTo === null) return other('the reply address cannot be written in SMTP');
  if (!/^<[\x21-\x3b\x3d\x3f-\x7e]{1,480}@[\x21-\x3b\x3d\x3f-\x7e]{1,480}>$/.test(payload.messageId)) return other('the Message-ID is malformed');
  if (payload.unsubscribeUrl !== null && !/^https?:\/\/[\x21-\x3b\x3d\x3f-\x7e]{1,900}$/.test(payload.unsubscribeUrl))
    return other('the unsubscribe URL cannot stand in a header');

  try {
    const body = await buildBody(payload);
    const header = [
      mailboxField('From', { name: payload.from.name, address: from }),
      mailboxField('To', { name: payload.to.name, address: to }),
      ...(replyTo === null ? [] : [mailboxField('Reply-To', { name: null, address: replyTo })]),
      textField('Subject', payload.subject),
      parsedField('Date', new Date(payload.dateMs).toUTCString().replace('GMT', '+0000')),
      parsedField('Message-ID', payload.messageId),
      ...Object.entries(unsubscribeHeaders(payload.unsubscribeUrl)).map(([name, value]) => parsedField(name, value)),
      parsedField('MIME-Version', '1.0'),
      parsedField('Content-Type', body.contentType),
    ];
    const unsigned = Buffer.concat([Buffer.from(`${header.join('\r\n')}\r\n\r\n`, 'latin1'), body.bytes]);
    const raw = dkim === null ? unsigned : await signMail(unsigned, dkim);
    // Receivers expect a signature where the domain publishes one, so an unsigned message is not sent at all.
    return raw === null ? other('the message could not be signed with the DKIM key') : { kind: 'mail', envelope: { from, to }, raw };
  } catch (error) {
    if (error instanceof HeaderFieldError) return other(error.message);
    throw error;
  }
}

function other(reason: string): BuiltMail {
  return { kind: 'unusable', part: 'other', reason };
}

/** Both parts as nodemailer writes them, without its header: that one is written here, field by field. */
async function buildBody({ messageId, text, html }: EmailPayload): Promise<{ contentType: string; bytes: Buffer }> {
  const message = new MailComposer({
    text,
    html,
    // From the whole content: nothing that a shop writes into a title can contain its own boundary.
    baseBoundary: createHash('sha256')
      .update(JSON.stringify([messageId, text, html]))
      .digest('hex')
      .slice(0, 32),
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile();
  const built = await message.build();
  const end = built.indexOf('\r\n\r\n');
  const fields = built
    .subarray(0, end)
    .toString('latin1')
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const contentType = fields.find((field) => field.startsWith('Content-Type: '))?.slice('Content-Type: '.length);
  if (end < 0 || contentType?.startsWith('multipart/alternative') !== true) throw new Error('nodemailer wrote no multipart message');
  return { contentType, bytes: built.subarray(end + 4) };
}
