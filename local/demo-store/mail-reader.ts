import PostalMime from 'postal-mime';
import { z } from 'zod';

/** The links of an email, as its reader's mail program finds them. */
export interface ReadMail {
  subject: string;
  /** Addresses of all pictures: fetching them is what "opened" means. */
  pictures: string[];
  /** Addresses of all links but those to unsubscribe. */
  links: string[];
  /** For the one-click POST of RFC 8058; null: the email has none. */
  unsubscribe: string | null;
}

const listShape = z.object({ messages: z.array(z.object({ ID: z.string(), To: z.array(z.object({ Address: z.string() })) })) });

/** Find links and pictures in an email's source. */
export async function readMail(raw: string | Uint8Array): Promise<ReadMail> {
  const mail = await PostalMime.parse(raw);
  const html = mail.html ?? '';
  const header = mail.headers.find(({ key }) => key === 'list-unsubscribe')?.value ?? '';
  const unsubscribe = /<(https?:[^>]+)>/.exec(header)?.[1] ?? null;
  const path = unsubscribe === null ? null : new URL(unsubscribe).pathname.split('/').slice(0, -1).join('/');
  const links = attribute(html, 'a', 'href').filter((link) => link.startsWith('http') && (path === null || !new URL(link).pathname.startsWith(path)));
  return { subject: mail.subject ?? '', pictures: attribute(html, 'img', 'src').filter((src) => src.startsWith('http')), links, unsubscribe };
}

function attribute(html: string, tag: string, name: string): string[] {
  const pattern = new RegExp(`<${tag}\\b[^>]*?\\s${name}="([^"]+)"`, 'gi');
  return [...html.matchAll(pattern)].map((match) => (match[1] ?? '').replaceAll('&amp;', '&'));
}

/**
 * Polls the mailbox and hands each new email to its addressee.
 * Polls, since Mailpit in the mailbox's place must do as well.
 */
export class MailReader {
  readonly #mailboxUrl: string;
  readonly #seen = new Set<string>();
  readonly #waiting = new Map<string, { mails: string[]; wake: () => void }>();

  constructor(mailboxUrl: string) {
    this.#mailboxUrl = mailboxUrl.replace(/\/+$/, '');
  }

  /** Poll once. Errors are passed on: the mailbox may be restarting. */
  async poll(): Promise<void> {
    const response = await fetch(`${this.#mailboxUrl}/api/v1/messages?limit=100`, { signal: AbortSignal.timeout(5_000) });
    for (const { ID, To } of listShape.parse(await response.json()).messages.toReversed()) {
      if (this.#seen.has(ID)) continue;
      this.#seen.add(ID);
      for (const { Address } of To) {
        const box = this.#waiting.get(Address.toLowerCase());
        box?.mails.push(ID);
        box?.wake();
      }
    }
    // Ids come back only while they are among the newest hundred.
    for (const id of [...this.#seen].slice(0, -1_000)) this.#seen.delete(id);
  }

  /** From now on keep the ids of this address's emails, in order. */
  register(address: string): void {
    this.#waiting.set(address.toLowerCase(), { mails: [], wake: () => {} });
  }

  forget(address: string): void {
    this.#waiting.delete(address.toLowerCase());
  }

  /** The address's nth email (from 1). @returns null when it did not come in time */
  async nth(address: string, n: number, withinMs: number, signal: AbortSignal): Promise<ReadMail | null> {
    const box = this.#waiting.get(address.toLowerCase());
    const endMs = performance.now() + withinMs;
    while (box !== undefined && box.mails.length < n && performance.now() < endMs && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, endMs - performance.now()));
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        box.wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    const id = box?.mails[n - 1];
    if (id === undefined || signal.aborted) return null;
    // The source, not the message: reading it there would mark it as read on the mailbox page.
    const response = await fetch(`${this.#mailboxUrl}/api/v1/message/${id}/raw`, { signal: AbortSignal.timeout(5_000) });
    return response.ok ? readMail(new Uint8Array(await response.arrayBuffer())) : null;
  }
}
