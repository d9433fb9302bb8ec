import { outboundFetch } from '../http/outbound.ts';
import { answerFields } from '../http/answer-fields.ts';
import type { HttpAnswer } from '../http/judge.ts';
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
 * The id of the contact of an address, kept or asked for. Nothing is sent.
 * @param leftMs - how long the questions may take
 */
export async function contactFor(
  config: GoHighLevelConfig,
  token: string,
  ids: ContactIds,
  who: Addressee,
  leftMs: () => number,
): Promise<FoundContact> {
  const address = who.email ?? who.phone ?? '';
  const known = ids.get(address, Date.now());
  if (known !== null) return { kind: 'found', id: known };
  // What is there keeps the name that it has there.
  const isNamed = who.firstName != null || who.lastName != null;
  const there = isNamed ? await findContact(config, token, who, leftMs()) : null;
  const found = there ?? (await findOrMakeContact(config, token, who, leftMs()));
  if (found.kind === 'found') ids.keep(address, found.id, Date.now());
  return found;
}

/** @returns null where the location has none, or does not say */
async function findContact(config: GoHighLevelConfig, token: string, { email, phone }: Addressee, timeoutMs: number): Promise<FoundContact | null> {
  const url = urlOf(config, '/contacts/search/duplicate');
  url.search = new URLSearchParams({
    locationId: config.locationId,
    ...(email === undefined ? {} : { email }),
    ...(phone === undefined ? {} : { number: phone }),
  }).toString();
  const { status, headers, answer } = await request(url, token, timeoutMs);
  if (status === null) return { kind: 'refused', outcome: outage('looking for the contact: no answer in time') };
  const id = readFields(answer['contact'], 'contact', [])?.['id'];
  if (status >= 200 && status < 300) return isId(id) ? { kind: 'found', id } : null;
  return { kind: 'refused', outcome: judgeRefusal({ status, headers }, answer, lookingFor) ?? outage(`${lookingFor}HTTP ${status}`) };
}

/**
 * The contact of an address in the location; one that is not there is made. It is found or made, and nothing is sent: a repeat changes nothing.
 * Source: marketplace.gohighlevel.com/docs/ghl/contacts/upsert-contact
 */
async function findOrMakeContact(config: GoHighLevelConfig, token: string, who: Addressee, timeoutMs: number): Promise<FoundContact> {
  const { firstName = null, lastName = null, ...addresses } = who;
  const { status, headers, answer } = await request(urlOf(config, '/contacts/upsert'), token, timeoutMs, {
    locationId: config.locationId,
    ...addresses,
    ...(firstName === null ? {} : { firstName }),
    ...(lastName === null ? {} : { lastName }),
  });
  if (status === null) return { kind: 'refused', outcome: outage('looking for the contact: no answer in time') };
  const id = readFields(answer['contact'], 'contact', [])?.['id'];
  if (status >= 200 && status < 300)
    return isId(id) ? { kind: 'found', id } : { kind: 'refused', outcome: outage(`${lookingFor}the answer names none`) };
  // Nothing was sent, whatever happened to the question.
  return { kind: 'refused', outcome: judgeRefusal({ status, headers }, answer, lookingFor) ?? outage(`${lookingFor}HTTP ${status}`) };
}

const lookingFor = 'looking for the contact: ';

/** @returns status null where there was no answer */
async function request(
  url: URL,
  token: string,
  timeoutMs: number,
  body?: object,
): Promise<Pick<HttpAnswer, 'headers'> & { status: number | null; answer: Readonly<Record<string, unknown>> }> {
  try {
    const response = await outboundFetch(url, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: headersOf(token),
      redirect: 'manual',
      signal: AbortSignal.timeout(Math.max(1, Math.round(timeoutMs))),
    });
    return { status: response.status, headers: Object.fromEntries(response.headers), answer: answerFields(await response.text()) };
  } catch {
    return { status: null, headers: {}, answer: {} };
  }
}
