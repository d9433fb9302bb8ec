/**
 * A mailbox as a header names it, e.g. `"Tea & Tin" <hello@shop.example.com>`: for APIs that take it as one text. The name is quoted, so that nothing in
 * it can begin another mailbox.
 */
export function mailbox({ name, address }: { name: string | null; address: string }): string {
  const clean = (name ?? '').replace(/[\p{Cc}"\\<>\s]+/gu, ' ').trim();
  return clean === '' ? address : `"${clean}" <${address}>`;
}

/** RFC 8058: the two headers by which a mail program unsubscribes with one click. @param url - null: there is nothing to unsubscribe from, and no header */
export const unsubscribeHeaders = (url: string | null): Record<string, string> =>
  url === null ? {} : { 'List-Unsubscribe': `<${url}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' };
