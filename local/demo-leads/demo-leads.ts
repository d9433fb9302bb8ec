import { EventEmitter, once, setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MailReader } from '../demo-store/mail-reader.ts';
import type { TextStore } from '../phone/text-store.ts';
import type { CallEnd } from '../providers/calls.ts';
import type { Providers } from '../providers/providers.ts';
import { postUntilTaken } from '../webhook.ts';
import { type Prospect, prospectNumber } from './prospect.ts';
import { type AdWorld, live } from './story.ts';

export interface DemoLeads {
  stop(): Promise<void>;
}

/** Where the demo store for leads is reached, and how its bot is known. */
export interface LeadTargets {
  slug: string;
  tracker: { url: string };
  botToken: string;
}

const pollMs = 500;
const lively = { everyMs: 6_000, forMs: 3 * 60_000 };
// Later the pace drops, so that a demo left running for a week does not fill the disk.
const calmEveryMs = 30_000;
const mostAtOnce = 40;

/**
 * Synthetic leads, one every few seconds: they come by lead ads, read emails, answer texts, take calls and buy, each by the protocol of its provider.
 * @param timeScale - of the demo tenant; the leads live at its pace
 * @param seed - the number of the first lead; the same seed has the same people in the same order
 * @param say - called once when something keeps them from coming, and once when they continue
 */
export function startDemoLeads(options: {
  targets: LeadTargets;
  providers: Providers;
  texts: TextStore;
  phoneUrl: string;
  mailboxUrl: string;
  apiUrl: string;
  publicUrl: string;
  timeScale: number;
  seed?: number;
  say: (line: string) => void;
}): DemoLeads {
  const stopping = new AbortController();
  const { signal } = stopping;
  // Each lead listens for it with what they are waiting for.
  setMaxListeners(4 * mostAtOnce, signal);
  const { apiUrl, publicUrl, seed = 0 } = options;
  const mails = new MailReader(options.mailboxUrl);
  const hourMs = 3_600_000 / options.timeScale;
  const { world, close } = openWorld(options, hourMs, signal);
  const run = Date.now().toString(36).slice(-5);
  const active = new Set<Promise<void>>();
  let troubled = false;

  function report(error: unknown): void {
    if (signal.aborted || troubled) return;
    troubled = true;
    options.say(`The demo store for leads has trouble: ${error instanceof Error ? error.message : String(error)}. It goes on trying.`);
  }

  function welcome(number: number): void {
    const story: Promise<void> = live(prospectNumber(seed + number, run), { world, mails, hourMs, publicUrl, apiUrl, signal })
      .then(() => {
        if (troubled && !signal.aborted) options.say('Leads come in again.');
        troubled = false;
      }, report)
      .finally(() => active.delete(story));
    active.add(story);
  }

  const startedMs = performance.now();
  const again = async (round: (number: number) => Promise<number>) => {
    for (let number = 0; !signal.aborted; number += 1) await sleep(await round(number), undefined, { signal }).catch(() => {});
  };
  const arrivals = again(async (round) => {
    if (active.size < mostAtOnce) welcome(round);
    return performance.now() - startedMs < lively.forMs ? lively.everyMs : calmEveryMs;
  });
  const reading = again(async () => {
    await mails.poll().catch(report);
    return pollMs;
  });
  return {
    async stop() {
      stopping.abort();
      await Promise.all([arrivals, reading, ...active]);
      close();
    },
  };
}

/** What prospects do, by the stand-ins. */
function openWorld(
  { targets, providers, texts, phoneUrl }: { targets: LeadTargets; providers: Providers; texts: TextStore; phoneUrl: string },
  hourMs: number,
  signal: AbortSignal,
): { world: AdWorld; close: () => void } {
  // Nobody of an earlier start has them.
  const firstChat = Date.now();
  const lines = new Map<string, { ends: readonly CallEnd[]; calls: number }>();
  const news = new EventEmitter();
  news.setMaxListeners(4 * mostAtOnce);
  const unwatch = texts.watch(() => news.emit('news'));

  providers.calls.answer = ({ number }) => {
    const line = lines.get(number);
    if (line === undefined) return null;
    const end = line.ends[line.calls];
    line.calls += 1;
    news.emit('news');
    // A person speaks for some minutes; nobody waits longer than a minute for an answer.
    return { afterMs: hourMs / 20, ...(end ?? { endedReason: 'customer-did-not-answer', transcript: '' }) };
  };

  async function until(isTrue: () => boolean, withinMs: number): Promise<boolean> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.round(withinMs))]);
    while (!isTrue()) {
      try {
        await once(news, 'news', { signal: limit });
      } catch {
        signal.throwIfAborted();
        return false;
      }
    }
    return true;
  }

  const world: AdWorld = {
    fillIn: (answers) => providers.ads.fillIn(targets.slug, answers),
    takesCalls: (phone, ends) => void lines.set(phone, { ends, calls: 0 }),
    called: (phone, n, withinMs) => until(() => (lines.get(phone)?.calls ?? 0) >= n, withinMs),
    texted(phone, withinMs) {
      const before = texts.list().filter(({ to }) => to === phone).length;
      return until(() => texts.list().filter(({ to }) => to === phone).length > before, withinMs);
    },
    async answersText(phone, text) {
      const body = JSON.stringify({ number: phone, text });
      await postUntilTaken({ url: `${phoneUrl}/api/replies`, headers: { 'content-type': 'application/json' }, body }, signal);
    },
    async postback({ clickId, ...conversion }) {
      const query = new URLSearchParams({ subid: clickId, click_id: clickId, currency: 'USD', ...conversion });
      await postUntilTaken({ url: `${targets.tracker.url}?${query.toString()}`, headers: {}, body: '' }, signal);
    },
    chat({ number, firstName, lastName }, turn) {
      const user = { id: firstChat + number, first_name: firstName, last_name: lastName, language_code: 'en' };
      if ('text' in turn) providers.chats.says(targets.botToken, user, turn.text);
      else if ('press' in turn) providers.chats.presses(targets.botToken, user, turn.press);
      else providers.chats.shares(targets.botToken, user, turn.phone);
    },
    forget: ({ phone }: Prospect) => void lines.delete(phone),
  };
  return { world, close: unwatch };
}
