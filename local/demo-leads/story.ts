import { setTimeout as sleep } from 'node:timers/promises';
import type { MailReader } from '../demo-store/mail-reader.ts';
import { openMail, type ReaderDeps, followLink, oneClickUnsubscribe } from '../demo-store/visit.ts';
import type { CallEnd } from '../providers/calls.ts';
import type { Prospect } from './prospect.ts';

/** What a prospect can do, each by the stand-in of the provider that reports it. */
export interface AdWorld {
  /** Somebody fills in the form of the ad. */
  fillIn(answers: Readonly<Record<string, string>>): Promise<unknown>;
  /** From now on a call to the number ends like this: the first one, the second one …; those beyond are not taken. */
  takesCalls(phone: string, ends: readonly CallEnd[]): void;
  /** When the nth call (from 1) to the number has ended. @returns false when none came in time */
  called(phone: string, n: number, withinMs: number): Promise<boolean>;
  /** When the first text has come. @returns false when none came in time */
  texted(phone: string, withinMs: number): Promise<boolean>;
  answersText(phone: string, text: string): Promise<void>;
  /** The tracker reports a conversion of the click. */
  postback(conversion: { clickId: string; status: string; payout: string; tid: string }): Promise<void>;
  /** What somebody says to the store's bot, presses there, or shares. */
  chat(prospect: Prospect, turn: { text: string } | { press: string } | { phone: string }): void;
  forget(prospect: Prospect): void;
}

export interface StoryDeps extends ReaderDeps {
  world: AdWorld;
  mails: MailReader;
}

const wholeStoryHours = 9 * 24;
const yes: CallEnd = {
  endedReason: 'customer-ended-call',
  transcript: 'AI: Do you have a minute?\nUser: Yes. I will take it, please send me the papers.',
};
const later: CallEnd = { endedReason: 'customer-ended-call', transcript: 'AI: Do you have a minute?\nUser: Please call me back in three hours.' };
const never: CallEnd = { endedReason: 'customer-ended-call', transcript: 'AI: Do you have a minute?\nUser: Please do not call me again.' };

/** Live through one prospect's story, from the ad to whatever they make of it. Ends early when the demo stops. */
export async function live(prospect: Prospect, deps: StoryDeps): Promise<void> {
  const { world, mails, signal } = deps;
  const { firstName, lastName, email, phone, clickId, district, behaviour } = prospect;
  mails.register(email);
  world.takesCalls(phone, callsOf(prospect));
  try {
    await world.fillIn({ full_name: `${firstName} ${lastName}`, email, phone_number: phone, click_id: clickId, 'which_district?': district });
    await act(prospect, deps);
    if (behaviour.kind === 'ignores') await sleep(3 * 24 * deps.hourMs, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    mails.forget(email);
    world.forget(prospect);
  }
}

function callsOf({ behaviour }: Prospect): CallEnd[] {
  switch (behaviour.kind) {
    case 'buys_after_call':
      return [yes];
    case 'asks_to_be_called_later':
      return [later, yes];
    case 'refuses_calls':
      return [never];
    default:
      return [];
  }
}

async function act(prospect: Prospect, deps: StoryDeps): Promise<void> {
  const { world, hourMs, signal } = deps;
  const { behaviour, phone, clickId, payout } = prospect;
  const pause = (hours: number) => sleep(hours * hourMs, undefined, { signal });
  const withinMs = wholeStoryHours * hourMs + 60_000;
  const buys = (status = 'sale') => world.postback({ clickId, status, payout, tid: `T-${clickId}` });
  switch (behaviour.kind) {
    case 'ignores':
      return;
    case 'opens_and_ignores':
      for (let n = 1; n <= 3; n += 1) if ((await openMail(prospect, n, deps)) === null) return;
      return;
    case 'buys_after_email':
    case 'takes_it_back': {
      const mail = await openMail(prospect, behaviour.onEmail, deps);
      if (mail === null) return;
      await pause(0.5);
      await followLink(mail, deps);
      await pause(1);
      await buys();
      if (behaviour.kind === 'buys_after_email') return;
      await pause(20);
      return buys('rejected');
    }
    case 'unsubscribes': {
      const mail = await openMail(prospect, behaviour.onEmail, deps);
      if (mail === null) return;
      await pause(1);
      return oneClickUnsubscribe(mail, deps);
    }
    case 'buys_after_call':
    case 'asks_to_be_called_later': {
      if (!(await world.called(phone, behaviour.kind === 'buys_after_call' ? 1 : 2, withinMs))) return;
      await pause(2);
      return buys();
    }
    case 'refuses_calls':
      await world.called(phone, 1, withinMs);
      return;
    case 'answers_a_text':
      if (!(await world.texted(phone, withinMs))) return;
      await pause(1);
      return world.answersText(phone, behaviour.text);
    case 'chats':
      await pause(1);
      for (const turn of [{ text: '/start' }, { text: `A flat in ${prospect.district}` }, { phone }, { text: 'Something with a balcony' }]) {
        world.chat(prospect, turn);
        await pause(0.5);
      }
  }
}
