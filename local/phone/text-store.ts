import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A text, in either direction. */
export interface Text {
  sid: string;
  direction: 'outbound-api' | 'inbound';
  from: string;
  to: string;
  body: string;
  status: string;
  atMs: number;
}

/** How replies from a number are delivered: the sender's webhook address, and the token that signs them. */
export interface Line {
  accountSid: string;
  authToken: string;
  webhookUrl: string;
  /** The number that the person knows. */
  from: string;
}

interface Stored {
  texts: Text[];
  /** By the person's number. */
  lines: Record<string, Line>;
  /** Numbers that answered STOP. */
  optedOut: string[];
}

const mostTexts = 2_000;

/** Texts, the newest last, kept in one file. */
export class TextStore {
  readonly #file: string;
  #stored: Stored = { texts: [], lines: {}, optedOut: [] };
  readonly #watchers = new Set<() => void>();

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    this.#file = join(dir, 'texts.json');
    if (existsSync(this.#file)) this.#stored = JSON.parse(readFileSync(this.#file, 'utf8')) as Stored;
  }

  list(): readonly Text[] {
    return this.#stored.texts;
  }

  lineOf(number: string): Line | null {
    return this.#stored.lines[number] ?? null;
  }

  isOptedOut(number: string): boolean {
    return this.#stored.optedOut.includes(number);
  }

  add(text: Text): void {
    this.#stored.texts = [...this.#stored.texts, text].slice(-mostTexts);
    this.#changed();
  }

  setLine(number: string, line: Line): void {
    this.#stored.lines[number] = line;
    this.#changed();
  }

  setStatus(sid: string, status: string): void {
    this.#stored.texts = this.#stored.texts.map((text) => (text.sid === sid ? { ...text, status } : text));
    this.#changed();
  }

  setOptedOut(number: string, optedOut: boolean): void {
    const others = this.#stored.optedOut.filter((one) => one !== number);
    this.#stored.optedOut = optedOut ? [...others, number] : others;
    this.#changed();
  }

  /** Deletes the texts, but not the opt-outs. */
  clear(): void {
    this.#stored.texts = [];
    this.#changed();
  }

  /** @returns how to stop watching */
  watch(listener: () => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  #changed(): void {
    // Written aside first, so that a crash leaves the old file or the new one.
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#stored), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
    for (const listener of this.#watchers) listener();
  }
}
