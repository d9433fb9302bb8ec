import type { Words } from '../kind.ts';

export const words: Words = {
  noun: 'lead',
  person: 'person',
  source: 'source',
  destination: 'the page that they asked about',
  because: 'you left your contact details with {{ store.name }}',
  activity: 'an inquiry',
  item: null,
  begun: 'was taken up: the sequence has begun',
  notBegun: 'The sequence has not begun yet',
  atActivation: 'when it came in',
  figures: { begun: 'Leads', none: 'none taken up yet', won: 'Became customers', revenue: 'Revenue from leads' },
  stop: {
    purchased: 'the person bought',
    purchased_elsewhere: 'an order came in under the person’s address or number',
    not_abandoned: 'the person bought before the sequence had begun',
    expired: 'the lead came in longer ago than the sequence allows',
    superseded: 'the sequence of a more recent lead of the person took over',
    contacted: 'a colleague has spoken with the person',
  },
  defer: {
    activity: 'the lead had only just been reported again',
    active_now: 'the person had been active just before',
  },
  happenings: {},
};
