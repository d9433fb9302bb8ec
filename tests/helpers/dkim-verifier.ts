import { createHash, createVerify, type KeyObject } from 'node:crypto';

/** What a signature claims, and whether it holds. */
export interface DkimVerdict {
  tags: Record<string, string>;
  bodyHolds: boolean;
  signatureHolds: boolean;
}

/**
 * Check the first DKIM-Signature of a message as a receiver does, from its bytes alone. Written after RFC 6376, apart from the signer.
 * Only rsa-sha256 with relaxed/relaxed, which is what the product writes.
 */
export function verifyDkim(raw: Buffer, publicKey: KeyObject): DkimVerdict {
  const text = raw.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const fields = text.slice(0, end).split(/\r\n(?![ \t])/);
  const signature = fields.find((field) => /^dkim-signature:/i.test(field));
  if (signature === undefined) throw new Error('the message carries no DKIM-Signature');
  const tags = Object.fromEntries(
    signature
      .slice(signature.indexOf(':') + 1)
      .split(';')
      .map((tag) => [tag.slice(0, tag.indexOf('=')).trim(), tag.slice(tag.indexOf('=') + 1).replace(/\s+/g, '')]),
  );
  if (tags['a'] !== 'rsa-sha256' || tags['c'] !== 'relaxed/relaxed') throw new Error(`not checked here: ${tags['a']}, ${tags['c']}`);

  const body = createHash('sha256')
    .update(relaxedBody(text.slice(end + 4)), 'latin1')
    .digest('base64');
  // Each name takes the lowest field of that name that is still left. Section 5.4.2.
  const left = [...fields];
  const signed = (tags['h'] ?? '').split(':').map((name) => {
    const at = left.findLastIndex((field) => field.slice(0, field.indexOf(':')).trim().toLowerCase() === name.trim().toLowerCase());
    return at < 0 ? '' : `${relaxedField(left.splice(at, 1)[0] ?? '')}\r\n`;
  });
  const unsigned = relaxedField(signature.replace(/([;\s]b=)[^;]*/, '$1'));
  const holds = createVerify('sha256')
    .update(signed.join('') + unsigned, 'latin1')
    .verify(publicKey, tags['b'] ?? '', 'base64');
  return { tags, bodyHolds: body === tags['bh'], signatureHolds: holds };
}

/** Section 3.4.2. */
function relaxedField(field: string): string {
  const colon = field.indexOf(':');
  const value = field
    .slice(colon + 1)
    .replaceAll('\r\n', '')
    .replace(/[ \t]+/g, ' ')
    .trim();
  return `${field.slice(0, colon).trim().toLowerCase()}:${value}`;
}

/** Section 3.4.4. */
function relaxedBody(body: string): string {
  const lines = body.split('\r\n').map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''));
  while (lines.at(-1) === '') lines.pop();
  return lines.length === 0 ? '' : `${lines.join('\r\n')}\r\n`;
}
