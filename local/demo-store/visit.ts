import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoLead } from './lead.ts';
import type { MailReader, ReadMail } from './mail-reader.ts';
import type { ShopEvents } from './shop-events.ts';
import type { Shopper } from './shopper.ts';

/** What it takes to read emails and to follow their links. */
export interface ReaderDeps {
  mails: MailReader;
  /** Real milliseconds that an hour of the demo tenant takes. */
  hourMs: number;
  /** Links in emails begin with the first; the second is how this machine reaches the same server. */
  publicUrl: string;
  apiUrl: string;
  signal: AbortSignal;
}

export interface VisitDeps extends ReaderDeps {
  shop: ShopEvents;
}

const lastMailHours = 7 * 24;
const patienceHours = 6;
// Opens and clicks by programs do not count; these are people.
const browser = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36';

/** Live through one shopper's story: fill a cart, leave, then do what this shopper does. Ends early when the demo stops. */
export async function visit(shopper: Shopper, deps: VisitDeps): Promise<void> {
  const { shop, mails, signal } = deps;
  const pause = (hours: number) => sleep(hours * deps.hourMs, undefined, { signal });
  mails.register(shopper.email);
  try {
    await shop.cartBegun(shopper);
    await pause(0.1);
    await shop.cartFilled(shopper);
    await act(shopper, deps, pause);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    mails.forget(shopper.email);
  }
}

async function act(shopper: Shopper, deps: VisitDeps, pause: (hours: number) => Promise<void>): Promise<void> {
  const { behaviour } = shopper;
  const { shop } = deps;
  switch (behaviour.kind) {
    case 'ignores':
      return;
    case 'buys_before_any_mail':
      await pause(0.8);
      return shop.orderPlaced(shopper);
    case 'only_reads':
      for (let n = 1; n <= behaviour.opens; n += 1) if ((await openMail(shopper, n, deps)) === null) return;
      return;
    default: {
      const mail = await openMail(shopper, behaviour.onMail, deps);
      if (mail === null) return;
      await pause(1);
      if (behaviour.kind === 'replies') return shop.messageReceived(shopper, behaviour.text);
      if (behaviour.kind === 'unsubscribes') return oneClickUnsubscribe(mail, deps);
      await followLink(mail, deps);
      await shop.cartFilled(shopper);
      await pause(1.5);
      if (behaviour.kind === 'buys') await shop.orderPlaced(shopper);
    }
  }
}

/** Live through the story of somebody who fills in the form. Ends early when the demo stops. */
export async function inquire(lead: DemoLead, deps: VisitDeps): Promise<void> {
  const { shop, mails, signal } = deps;
  const pause = (hours: number) => sleep(hours * deps.hourMs, undefined, { signal });
  mails.register(lead.email);
  try {
    await shop.leadCreated(lead);
    await answer(lead, deps, pause);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    mails.forget(lead.email);
  }
}

async function answer(lead: DemoLead, deps: VisitDeps, pause: (hours: number) => Promise<void>): Promise<void> {
  const { behaviour } = lead;
  if (behaviour.kind === 'ignores') return;
  if (behaviour.kind === 'is_contacted') {
    await pause(behaviour.afterHours);
    return deps.shop.leadContacted(lead, behaviour.by);
  }
  const mail = await openMail(lead, behaviour.onMail, deps);
  if (mail === null) return;
  await pause(1);
  if (behaviour.kind === 'replies') return deps.shop.messageReceived(lead, behaviour.text);
  if (behaviour.kind === 'unsubscribes') return oneClickUnsubscribe(mail, deps);
  await followLink(mail, deps);
  await pause(1.5);
  await deps.shop.leadBought(lead);
}

/** Wait for the nth email (from 1) to somebody, and open it after a while. @returns null when it did not come in time */
export async function openMail(reader: { email: string; number: number }, n: number, deps: ReaderDeps): Promise<ReadMail | null> {
  const withinMs = (lastMailHours + patienceHours) * deps.hourMs + 60_000;
  const mail = await deps.mails.nth(reader.email, n, withinMs, deps.signal);
  if (mail === null) return null;
  await sleep((1 + (reader.number % 3)) * deps.hourMs, undefined, { signal: deps.signal });
  for (const picture of mail.pictures) await get(picture, deps);
  return mail;
}

/** Click the link back to the cart: the first link that the server counts. */
export async function followLink(mail: ReadMail, deps: ReaderDeps): Promise<void> {
  const link = mail.links.find((href) => href.startsWith(deps.publicUrl)) ?? mail.links[0];
  if (link !== undefined) await get(link, deps);
}

/** By the one click of RFC 8058. */
export async function oneClickUnsubscribe(mail: ReadMail, deps: ReaderDeps): Promise<void> {
  if (mail.unsubscribe === null) return;
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': browser };
  await fetch(local(mail.unsubscribe, deps), { method: 'POST', headers, body: 'List-Unsubscribe=One-Click', signal: AbortSignal.timeout(10_000) });
}

async function get(url: string, deps: ReaderDeps): Promise<void> {
  const response = await fetch(local(url, deps), { headers: { 'user-agent': browser }, signal: AbortSignal.timeout(10_000) });
  await response.arrayBuffer();
}

function local(url: string, deps: ReaderDeps): string {
  return url.startsWith(deps.publicUrl) ? `${deps.apiUrl}${url.slice(deps.publicUrl.length)}` : url;
}
