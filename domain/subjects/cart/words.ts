import type { Words } from '../kind.ts';

export const words: Words = {
  noun: 'cart',
  person: 'shopper',
  source: 'shop',
  destination: 'the cart',
  because: 'you left something in your cart at {{ store.name }}',
  activity: 'activity on the cart',
  item: 'product',
  begun: 'counts as abandoned: the sequence has begun',
  notBegun: 'The cart does not count as abandoned yet',
  atActivation: 'when it was left',
  figures: { begun: 'Abandoned', none: 'none abandoned yet', won: 'Bought afterwards', revenue: 'Recovered revenue' },
  stop: {
    purchased: 'the cart was bought',
    // By address or number only. It may even be an order of this cart: it does not say.
    purchased_elsewhere: 'an order that does not name this cart came in under the shopper’s address or number',
    not_abandoned: 'the cart was bought before it counted as abandoned',
    expired: 'the cart was left longer ago than the sequence allows',
    emptied: 'the cart was emptied',
    cart_deleted: 'the shop deleted the cart',
  },
  defer: {
    // The shopper came back, or not enough time has passed since they left.
    activity: 'the cart had not been left alone for long enough',
    active_now: 'the shopper had been active in the shop just before',
  },
  happenings: {},
};
