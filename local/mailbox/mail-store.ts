import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import PostalMime, { type Address, type Email } from 'postal-mime';

export interface MailAddress {
  Name: string;
  Address: string;
}

/** What a list shows of an email; the names are those of Mailpit's API, so that Mailpit can take this place. */
export interface MailSummary {
  ID: string;
  MessageID: string;
  Read: boolean;
  From: MailAddress;
  To: MailAddress[];
  Cc: MailAddress[];
  Bcc: MailAddress[];
  ReplyTo: MailAddress[];
  Subject: string;
  /** ISO 8601, when it was received. */
  Created: string;
  Tags: string[];
  /** Bytes. */
  Size: number;
  Attachments: number;
  Snippet: string;
}

const keptMails = 2_000;

/**
 * Emails as files: `<id>.eml` as it came over the wire, `<id>.json` what the list shows. Ids sort by arrival. The oldest go when there are
 * more than 2,000.
 */
export class MailStore {
  readonly #dir: string;
  readonly #kept: number;
  readonly #mails = new Map<string, MailSummary>();
  readonly #listeners = new Set<() => void>();
  #lastId = '';

  constructor(dir: string, kept = keptMails) {
    this.#dir = dir;
    this.#kept = kept;
    mkdirSync(dir, { recursive: true });
    const names = readdirSync(dir).filter((name) => name.endsWith('.json'));
    for (const name of names.toSorted()) {
      const mail = readSummary(join(dir, name));
      if (mail !== null) this.#mails.set(mail.ID, mail);
    }
  }

  /** Store an email. Resolves when it is on disk: only then may the SMTP server take responsibility for it. */
  async add(raw: Buffer, envelope: { from: string; to: string[] }): Promise<MailSummary> {
    const summary = summarise(this.#nextId(), raw.length, await PostalMime.parse(raw), envelope);
    await writeSafely(join(this.#dir, `${summary.ID}.eml`), raw);
    await writeSafely(join(this.#dir, `${summary.ID}.json`), JSON.stringify(summary));
    this.#mails.set(summary.ID, summary);
    for (const id of [...this.#mails.keys()].slice(0, -this.#kept)) this.#remove(id);
    this.#announce();
    return summary;
  }

  /** Newest first. */
  list(): MailSummary[] {
    return [...this.#mails.values()].reverse();
  }

  get(id: string): MailSummary | null {
    return this.#mails.get(id) ?? null;
  }

  /** The email as it was received; null when unknown. */
  async raw(id: string): Promise<Buffer | null> {
    return this.#mails.has(id) ? readFile(join(this.#dir, `${id}.eml`)) : null;
  }

  async markRead(id: string): Promise<void> {
    const mail = this.#mails.get(id);
    if (mail === undefined || mail.Read) return;
    mail.Read = true;
    await writeFile(join(this.#dir, `${id}.json`), JSON.stringify(mail));
    this.#announce();
  }

  /** @param ids - empty: all */
  remove(ids: readonly string[]): void {
    for (const id of ids.length === 0 ? [...this.#mails.keys()] : ids) this.#remove(id);
    this.#announce();
  }

  /** Watch for changes. @returns stops watching */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #remove(id: string): void {
    if (!this.#mails.delete(id)) return;
    for (const suffix of ['json', 'eml']) rmSync(join(this.#dir, `${id}.${suffix}`), { force: true });
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }

  // Two emails of one millisecond keep their order too.
  #nextId(): string {
    const time = Math.max(Date.now(), Number.parseInt(this.#lastId.slice(0, 9) || '0', 36) + 1);
    this.#lastId = `${time.toString(36).padStart(9, '0')}${randomBytes(6).toString('hex')}`;
    return this.#lastId;
  }
}

function summarise(id: string, size: number, mail: Email, envelope: { from: string; to: string[] }): MailSummary {
  const to = addresses(mail.to);
  const cc = addresses(mail.cc);
  const named = new Set([...to, ...cc].map(({ Address }) => Address.toLowerCase()));
  return {
    ID: id,
    MessageID: (mail.messageId ?? '').replace(/^<|>$/g, ''),
    Read: false,
    From: addresses(mail.from === undefined ? [] : [mail.from])[0] ?? { Name: '', Address: envelope.from },
    To: to,
    Cc: cc,
    Bcc: envelope.to.filter((address) => !named.has(address.toLowerCase())).map((Address) => ({ Name: '', Address })),
    ReplyTo: addresses(mail.replyTo),
    Subject: mail.subject ?? '',
    Created: new Date().toISOString(),
    Tags: [],
    Size: size,
    Attachments: mail.attachments.length,
    Snippet: (mail.text ?? mail.html?.replace(/<(style|head)[\s\S]*?<\/\1>/gi, '').replace(/<[^>]+>/g, ' ') ?? '')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 200),
  };
}

function addresses(list: readonly Address[] | undefined): MailAddress[] {
  return (list ?? []).flatMap((entry) =>
    entry.group === undefined
      ? [{ Name: entry.name, Address: entry.address }]
      : entry.group.map(({ name, address }) => ({ Name: name, Address: address })),
  );
}

function readSummary(file: string): MailSummary | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as MailSummary;
  } catch {
    // Cut off by a crash before the email was accepted: the sender got no answer, and sends it again.
    return null;
  }
}

async function writeSafely(file: string, content: string | Buffer): Promise<void> {
  const handle = await open(`${file}.partial`, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.partial`, file);
}
