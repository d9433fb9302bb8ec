import { Faker, en } from '@faker-js/faker';

export interface DemoItem {
  title: string;
  variant: string;
  quantity: number;
  /** Of one, major units as a decimal string. */
  price: string;
}

/** The systems that the demo's carts come from, in turn. */
export const shopSystems = ['shopify', 'woocommerce', 'generic'] as const;

/** What a shopper will do; `onMail` counts the recovery emails from 1. */
export type Behaviour =
  | { kind: 'buys_before_any_mail' }
  | { kind: 'buys'; onMail: number }
  | { kind: 'replies'; onMail: number; text: string }
  | { kind: 'unsubscribes'; onMail: number }
  | { kind: 'returns_without_buying'; onMail: number }
  | { kind: 'only_reads'; opens: number }
  | { kind: 'ignores' };

export interface Shopper {
  number: number;
  firstName: string;
  lastName: string;
  email: string;
  locale: string;
  currency: string;
  items: DemoItem[];
  /** Sum of the items, major units. */
  total: string;
  /** Which shop system reports this cart. */
  via: (typeof shopSystems)[number];
  behaviour: Behaviour;
}

// The names are invented.
export const firstNames = [
  'Saffron',
  'Juniper',
  'Basil',
  'Clementine',
  'Sorrel',
  'Marigold',
  'Fennel',
  'Tansy',
  'Bramble',
  'Linden',
  'Poppy',
  'Sage',
  'Thistle',
  'Yarrow',
];
export const lastNames = [
  'Quill',
  'Teacup',
  'Lanternson',
  'Woolgather',
  'Pebbleton',
  'Marmalade',
  'Featherby',
  'Cobblewick',
  'Drizzle',
  'Hearthstone',
  'Mossbank',
  'Button',
];
const markets = [
  { locale: 'en-GB', currency: 'GBP' },
  { locale: 'en-US', currency: 'USD' },
  { locale: 'de-AT', currency: 'EUR' },
  { locale: 'fr-FR', currency: 'EUR' },
  { locale: 'ja-JP', currency: 'JPY' },
];
export const catalogue = [
  { title: 'Linen apron', variants: ['Moss', 'Rust', 'Chalk'], price: 59 },
  { title: 'Enamel mug', variants: ['Cream', 'Navy'], price: 18.5 },
  { title: 'Oak serving board', variants: ['Small', 'Large'], price: 42 },
  { title: 'Wool blanket', variants: ['Fog', 'Ochre'], price: 129.9 },
  { title: 'Brass watering can', variants: ['1 litre', '2 litres'], price: 74 },
  { title: 'Beeswax candles', variants: ['Set of 6'], price: 24.9 },
  { title: 'Stoneware teapot', variants: ['Speckled', 'Ink'], price: 88 },
];
const replies = [
  'Is the blanket washable?',
  'Could you hold this for me until Friday?',
  'I ordered elsewhere, thank you.',
  'Do you ship to an island?',
];

// The first ones cover every behaviour within a minute, the most important first: one buys because of an email, one before any.
const openingAct: Behaviour[] = [
  { kind: 'buys', onMail: 1 },
  { kind: 'buys_before_any_mail' },
  { kind: 'only_reads', opens: 2 },
  { kind: 'replies', onMail: 1, text: 'Is the mug safe for the dishwasher?' },
  { kind: 'unsubscribes', onMail: 1 },
  { kind: 'buys', onMail: 2 },
];

/**
 * The shopper with this number: always the same person with the same cart and the same habits.
 * @param run - distinguishes the starts of the demo, so that no address of an earlier run, which may have bought, is used again
 */
export function shopperNumber(number: number, run: string): Shopper {
  const faker = new Faker({ locale: en, seed: 4_711 + number });
  const pick = <T>(list: readonly T[]): T => faker.helpers.arrayElement(list);
  const firstName = pick(firstNames);
  const lastName = pick(lastNames);
  const market = pick(markets);
  const items = faker.helpers.arrayElements(catalogue, { min: 1, max: 3 }).map((product) => ({
    title: product.title,
    variant: pick(product.variants),
    quantity: faker.number.int({ min: 1, max: 2 }),
    price: market.currency === 'JPY' ? String(Math.round(product.price * 160)) : product.price.toFixed(2),
  }));
  const total = items.reduce((sum, item) => sum + Number(item.price) * item.quantity, 0);
  return {
    number,
    firstName,
    lastName,
    email: `${firstName}.${lastName}.${run}${number}@example.com`.toLowerCase(),
    ...market,
    items,
    total: total.toFixed(market.currency === 'JPY' ? 0 : 2),
    via: shopSystems[number % shopSystems.length] ?? 'generic',
    behaviour: openingAct[number] ?? anyBehaviour(faker),
  };
}

function anyBehaviour(faker: Faker): Behaviour {
  const onMail = faker.helpers.weightedArrayElement([
    { value: 1, weight: 6 },
    { value: 2, weight: 3 },
    { value: 3, weight: 1 },
  ]);
  return faker.helpers.weightedArrayElement<Behaviour>([
    { value: { kind: 'ignores' }, weight: 30 },
    { value: { kind: 'only_reads', opens: faker.number.int({ min: 1, max: 3 }) }, weight: 22 },
    { value: { kind: 'buys', onMail }, weight: 18 },
    { value: { kind: 'buys_before_any_mail' }, weight: 10 },
    { value: { kind: 'returns_without_buying', onMail }, weight: 8 },
    { value: { kind: 'replies', onMail, text: faker.helpers.arrayElement(replies) }, weight: 6 },
    { value: { kind: 'unsubscribes', onMail }, weight: 6 },
  ]);
}
