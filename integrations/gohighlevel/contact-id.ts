import { answerFields } from '../http/answer-fields.ts';
import type { SendOutcome } from '../port.ts';
import { readFields } from '../read/notes.ts';
import { type GoHighLevelConfig, headersOf, isId, urlOf } from './config.ts';
import { judgeRefusal, outage } from './judge.ts';

/** Who a message goes to, as a contact of the location is looked for. */
export interface Addressee {
  email?: string;
  phone?: string;
  firstName?: string | null;
  lastName?: string | null;
}

export type FoundContact = { kind: 'found'; id: string } | { kind: 'refused'; outcome: Extract<SendOutcome, { kind: 'refused' }> };

const keptMs = 10 * 60_000;
const mostKept = 5_000;

/**
 * The ids of contacts that were asked for lately. HighLevel alone knows who is who there: contacts are merged and deleted, so an id is kept for ten minutes
 * only, and forgotten where a message to it is refused.
 */
export class ContactIds {
  readonly #known = new Map<string, { id: string; untilMs: number }>();

  get(address: string, nowMs: number): string | null {
    const known = this.#known.get(address);
    return known === undefined || known.untilMs <= nowMs ? null : known.id;
  }

  keep(address: string, id: string, nowMs: number): void {
    this.#known.delete(address);
    this.#known.set(address, { id, untilMs: nowMs + keptMs });
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostKept && oldest !== undefined) this.#known.delete(oldest);
  }

  forget(address: string): void {
    this.#known.delete(address);
  }
}

/**
 * The contact of an address in the location; one that is not there is made. It is found or made, and nothing is sent: a repeat changes nothing.
 * Source: marketplace.gohighlevel.com/docs/ghl/contacts/upsert-contact
 */
export async function findOrMakeContact(config: GoHighLevelConfig, token: string, who: Addressee, timeoutMs: number): Promise<FoundContact> {
  const { firstName = null, lastName = null, ...addresses } = who;
  const body = {
    locationId: config.locationId,
    ...addresses,
    ...(firstName === null ? {} : { firstName }),
    ...(lastName === null ? {} : { lastName }),
  };
  try {
    const response = await fetch(urlOf(config, '/contacts/upsert'), {
      method: 'POST',
      headers: headersOf(token),
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(Math.max(1, timeoutMs)),
    });
    const answer = answerFields(await response.text());
    const id = readFields(answer['contact'], 'contact', [])?.['id'];
    if (response.ok)
      return isId(id) ? { kind: 'found', id } : { kind: 'refused', outcome: outage('the answer to a search for the contact names none') };
    const outcome = judgeRefusal(response.status, answer, 'looking for the contact: ');
    // Nothing was sent, whatever happened to the question.
    return { kind: 'refused', outcome: outcome ?? outage(`looking for the contact: HTTP ${response.status}`) };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    return { kind: 'refused', outcome: outage(timedOut ? 'looking for the contact: no answer in time' : 'looking for the contact: no connection') };
  }
}
