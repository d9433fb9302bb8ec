import { Faker, en } from '@faker-js/faker';
import { firstNames, lastNames } from '../demo-store/shopper.ts';

/** What somebody who filled in the form of an ad will do. Emails and calls are counted from 1. */
export type ProspectBehaviour =
  | { kind: 'buys_after_email'; onEmail: number }
  /** Takes the call, and buys. */
  | { kind: 'buys_after_call' }
  /** The tracker reports the sale, and later that it was taken back. */
  | { kind: 'takes_it_back'; onEmail: number }
  /** Asks in the call to be called back later, and buys then. */
  | { kind: 'asks_to_be_called_later' }
  | { kind: 'refuses_calls' }
  | { kind: 'answers_a_text'; text: string }
  | { kind: 'unsubscribes'; onEmail: number }
  | { kind: 'opens_and_ignores' }
  /** Does not even take the call. */
  | { kind: 'ignores' }
  /** Writes to the store's Telegram bot as well, and leaves in the middle of the chat. */
  | { kind: 'chats' };

/** Somebody who fills in the form of a lead ad. The names are invented, the numbers are kept for fiction, and the addresses lead nowhere. */
export interface Prospect {
  number: number;
  firstName: string;
  lastName: string;
  email: string;
  /** E.164. */
  phone: string;
  /** Of the click on the ad: the tracker reports the sale by it. */
  clickId: string;
  district: string;
  /** What the sale pays, US dollars, major units. */
  payout: string;
  behaviour: ProspectBehaviour;
}

const districts = ['Old Harbour', 'Mill Quarter', 'Orchard Hill', 'Lantern Street', 'Riverside'];
const answers = ['Yes, is it still free?', 'What would it cost a month?', 'Saturday would suit me.'];
/** 555-0100 to 555-0199 are kept for fiction in every area code of North America. */
const areaCodes = [
  ...[202, 205, 206, 207, 208, 209, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231, 234, 239, 240, 248, 251, 252, 253, 254, 256],
  ...[260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325],
];

// The first ones cover every behaviour, the most telling first.
const openingAct: ProspectBehaviour[] = [
  { kind: 'buys_after_email', onEmail: 1 },
  { kind: 'buys_after_call' },
  { kind: 'answers_a_text', text: 'Yes, is it still free?' },
  { kind: 'chats' },
  { kind: 'asks_to_be_called_later' },
  { kind: 'opens_and_ignores' },
  { kind: 'takes_it_back', onEmail: 2 },
  { kind: 'refuses_calls' },
  { kind: 'unsubscribes', onEmail: 2 },
  { kind: 'ignores' },
];

/**
 * The prospect with this number: always the same person with the same habits.
 * @param run - distinguishes the starts of the demo, so that nobody comes twice
 */
export function prospectNumber(number: number, run: string): Prospect {
  const faker = new Faker({ locale: en, seed: 31_337 + number });
  const pick = <T>(list: readonly T[]): T => faker.helpers.arrayElement(list);
  const [firstName, lastName] = [pick(firstNames), pick(lastNames)];
  return {
    number,
    firstName,
    lastName,
    email: `${firstName}.${lastName}.ad.${run}${number}@example.com`.toLowerCase(),
    phone: phoneOf(number, run),
    clickId: `click-${run}-${number}`,
    district: pick(districts),
    payout: faker.number.int({ min: 120, max: 900 }).toFixed(2),
    behaviour: openingAct[number] ?? anyBehaviour(faker),
  };
}

/** Another one for each of the thousands that come in a run. */
function phoneOf(number: number, run: string): string {
  const offset = Buffer.from(run).reduce((sum, byte) => (sum * 31 + byte) % 100_000, 7);
  const index = (offset + number) % (areaCodes.length * 100);
  return `+1${areaCodes[Math.floor(index / 100)] ?? 202}55501${String(index % 100).padStart(2, '0')}`;
}

function anyBehaviour(faker: Faker): ProspectBehaviour {
  const onEmail = faker.number.int({ min: 1, max: 3 });
  return faker.helpers.weightedArrayElement<ProspectBehaviour>([
    { value: { kind: 'ignores' }, weight: 25 },
    { value: { kind: 'opens_and_ignores' }, weight: 20 },
    { value: { kind: 'buys_after_email', onEmail }, weight: 14 },
    { value: { kind: 'buys_after_call' }, weight: 8 },
    { value: { kind: 'answers_a_text', text: faker.helpers.arrayElement(answers) }, weight: 10 },
    { value: { kind: 'asks_to_be_called_later' }, weight: 6 },
    { value: { kind: 'refuses_calls' }, weight: 5 },
    { value: { kind: 'takes_it_back', onEmail }, weight: 3 },
    { value: { kind: 'unsubscribes', onEmail }, weight: 5 },
    { value: { kind: 'chats' }, weight: 4 },
  ]);
}
