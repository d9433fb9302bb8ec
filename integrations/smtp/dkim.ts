import DKIM from 'nodemailer/lib/dkim';
import type { DkimKey } from './dkim-key.ts';

/**
 * The fields that the signature covers. RFC 8058 demands both of one-click unsubscribe; nodemailer's own list has only the first.
 * Names that the message does not have are left out by nodemailer.
 */
const signedFields = [
  'From',
  'To',
  'Reply-To',
  'Subject',
  'Date',
  'Message-ID',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'MIME-Version',
  'Content-Type',
].join(':');

/**
 * Put a DKIM-Signature (rsa-sha256, relaxed/relaxed) in front of a message. The same message and key give the same bytes.
 * @returns null where no signature came out: nodemailer then passes the message on as it is
 */
export async function signMail(raw: Buffer, key: DkimKey): Promise<Buffer | null> {
  const signer = new DKIM({ domainName: key.domain, keySelector: key.selector, privateKey: key.privateKey, headerFieldNames: signedFields });
  const chunks: Buffer[] = [];
  for await (const chunk of signer.sign(raw)) chunks.push(chunk as Buffer);
  const signed = Buffer.concat(chunks);
  return signed.subarray(0, 15).toString('latin1') === 'DKIM-Signature:' ? signed : null;
}
