import PostalMime from 'postal-mime';
import type { MailStore, MailSummary } from './mail-store.ts';

/** Without case, accents and special spaces, which people do not type. */
function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Mn}+/gu, '')
    .replace(/\s+/gu, ' ')
    .toLowerCase();
}

/**
 * A search over the emails of a store. It keeps the texts that it has read once, so that the next letter of a query costs no file.
 * @returns finds the emails in which every word of the query stands: in names, addresses, subject, Message-ID or text, a phrase in quotes
 * being one word; all of them for an empty query
 */
export function createMailSearch(store: MailStore): (query: string) => Promise<MailSummary[]> {
  const texts = new Map<string, string>();

  async function textOf(id: string): Promise<string> {
    const known = texts.get(id);
    if (known !== undefined) return known;
    // Deleted while it was searched: then there is nothing to be found in it.
    const raw = await store.raw(id).catch(() => null);
    const text = raw === null ? '' : await readText(raw);
    texts.set(id, text);
    return text;
  }

  return async (query) => {
    const words = [...plain(query).matchAll(/"([^"]+)"|([^\s"]+)/g)].map(([, phrase, word]) => phrase ?? word ?? '');
    const fitting: MailSummary[] = [];
    const mails = store.list();
    for (const mail of mails) {
      const summary = summaryText(mail);
      const missing = words.filter((word) => !summary.includes(word));
      if (missing.length === 0) {
        fitting.push(mail);
        continue;
      }
      const text = await textOf(mail.ID);
      if (missing.every((word) => text.includes(word))) fitting.push(mail);
    }
    for (const id of texts.keys()) if (store.get(id) === null) texts.delete(id);
    return fitting;
  };
}

function summaryText({ From, To, Cc, Bcc, ReplyTo, Subject, Snippet, MessageID }: MailSummary): string {
  const people = [From, ...To, ...Cc, ...Bcc, ...ReplyTo].flatMap(({ Name, Address }) => [Name, Address]);
  return plain([...people, Subject, Snippet, MessageID].join('\n'));
}

async function readText(raw: Buffer): Promise<string> {
  const { text, html } = await PostalMime.parse(raw);
  return plain(text ?? html?.replace(/<(style|head)[\s\S]*?<\/\1>/gi, '').replace(/<[^>]+>/g, ' ') ?? '');
}
