import type { Words } from '../kind.ts';

export const words: Words = {
  noun: 'account',
  person: 'customer',
  source: 'store system',
  because: 'you are a customer of {{ store.name }}',
  activity: 'something that the customer did',
  item: null,
  begun: 'was at risk: the sequence has begun',
  notBegun: 'The sequence about the account has not begun yet',
  atActivation: 'when it was at risk',
  figures: { begun: 'Accounts', none: 'none at risk yet', won: 'Bought again', revenue: 'Revenue from accounts' },
  stop: {
    purchased_elsewhere: 'the customer bought',
    expired: 'the account was at risk longer ago than the sequence allows, or its last step came too late to be sent',
  },
  defer: {
    activity: 'the customer had only just done something',
    active_now: 'the customer had been active just before',
  },
  stations: { enrolled: 'Account', abandoned: 'At risk' },
  stillOpen: 'Begins',
  alias: 'account',
};
