import type { Words } from '../kind.ts';

export const words: Words = {
  noun: 'cart',
  person: 'shopper',
  source: 'shop',
  because: 'you left something in your cart at {{ store.name }}',
  activity: 'activity on the cart',
  item: 'product',
  begun: 'counts as abandoned: the sequence has begun',
  notBegun: 'The cart does not count as abandoned yet',
  atActivation: 'when it was left',
  figures: { begun: 'Abandoned', none: 'none abandoned yet', won: 'Bought afterwards', revenue: 'Recovered revenue' },
  stop: {
    not_abandoned: 'the cart was bought before it counted as abandoned',
    expired: 'the cart was left longer ago than the sequence allows, or its last step came too late to be sent',
  },
  defer: {
    // The shopper came back, or not enough time has passed since they left.
    activity: 'the cart had not been left alone for long enough',
    active_now: 'the shopper had been active in the shop just before',
  },
  stations: { enrolled: 'Filling a cart', abandoned: 'Abandoned', not_abandoned: 'Bought without an email' },
  stillOpen: 'Still open?',
  alias: 'shopper',
};
