import { Faker, en } from '@faker-js/faker';
import { firstNames, lastNames } from './shopper.ts';

/** What somebody who filled in the form will do; `onMail` counts the emails to them from 1. */
export type LeadBehaviour =
  | { kind: 'replies'; onMail: number; text: string }
  /** A colleague of the store calls them. */
  | { kind: 'is_contacted'; afterHours: number; by: string }
  | { kind: 'buys'; onMail: number }
  | { kind: 'unsubscribes'; onMail: number }
  | { kind: 'ignores' };

/** Somebody who fills in the form of the demo store. The names are invented. */
export interface DemoLead {
  number: number;
  firstName: string;
  lastName: string;
  email: string;
  /** E.164, of a range that is kept for fiction. */
  phone: string;
  interest: string;
  message: string;
  /** Major units of `currency`. */
  value: string;
  currency: 'EUR' | 'GBP' | 'USD';
  behaviour: LeadBehaviour;
}

const interests = [
  { interest: 'a wedding list for forty guests', value: 1_900, message: 'We marry in June. Can you engrave?' },
  { interest: 'a workshop for our team', value: 640, message: 'We are twelve people, two of them left-handed.' },
  { interest: 'aprons with our logo', value: 820, message: 'Thirty pieces, moss green if possible.' },
  { interest: 'furnishing a guest house', value: 5_400, message: 'Eight rooms, and we open in spring.' },
];
const replies = ['Tuesday at ten would suit me.', 'Could you send me a quote?', 'Thank you, please call me in the evening.'];
const colleagues = ['Wren', 'Hazel', 'Moss'];

// The first ones cover every behaviour.
const openingAct: LeadBehaviour[] = [
  { kind: 'replies', onMail: 1, text: 'Tuesday at ten would suit me.' },
  { kind: 'is_contacted', afterHours: 30, by: 'Wren' },
  { kind: 'ignores' },
  { kind: 'buys', onMail: 2 },
];

/**
 * The lead with this number: always the same person with the same inquiry.
 * @param run - distinguishes the starts of the demo
 */
export function leadNumber(number: number, run: string): DemoLead {
  const faker = new Faker({ locale: en, seed: 90_210 + number });
  const pick = <T>(list: readonly T[]): T => faker.helpers.arrayElement(list);
  const [firstName, lastName] = [pick(firstNames), pick(lastNames)];
  const { interest, value, message } = pick(interests);
  return {
    number,
    firstName,
    lastName,
    email: `${firstName}.${lastName}.lead.${run}${number}@example.com`.toLowerCase(),
    phone: `+120255501${String(Buffer.from(`${run}${number}`).reduce((sum, byte) => (sum * 31 + byte) % 100, 7)).padStart(2, '0')}`,
    interest,
    message,
    value: value.toFixed(2),
    currency: pick(['EUR', 'GBP', 'USD'] as const),
    behaviour: openingAct[number] ?? anyBehaviour(faker),
  };
}

function anyBehaviour(faker: Faker): LeadBehaviour {
  const onMail = faker.number.int({ min: 1, max: 3 });
  return faker.helpers.weightedArrayElement<LeadBehaviour>([
    { value: { kind: 'ignores' }, weight: 35 },
    { value: { kind: 'replies', onMail, text: faker.helpers.arrayElement(replies) }, weight: 25 },
    { value: { kind: 'is_contacted', afterHours: 6 + onMail * 20, by: faker.helpers.arrayElement(colleagues) }, weight: 20 },
    { value: { kind: 'buys', onMail }, weight: 12 },
    { value: { kind: 'unsubscribes', onMail }, weight: 8 },
  ]);
}
