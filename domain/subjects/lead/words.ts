import type { Words } from '../kind.ts';

export const words: Words = {
  noun: 'lead',
  person: 'person',
  source: 'lead source',
  because: 'you left your contact details with {{ store.name }}',
  activity: 'an inquiry',
  item: null,
  begun: 'was taken up: the sequence has begun',
  notBegun: 'The sequence about the lead has not begun yet',
  atActivation: 'when it was taken up',
  figures: { begun: 'Leads', none: 'none taken up yet', won: 'Became customers', revenue: 'Revenue from leads' },
  stop: {
    purchased: 'the person bought',
    purchased_elsewhere: 'an order came in under the person’s address or number',
    not_abandoned: 'the person bought before the sequence had begun',
    expired: 'the lead came in longer ago than the sequence allows, or its last step came too late to be sent',
  },
  defer: {
    activity: 'the person had only just asked again',
    active_now: 'the person had been active just before',
  },
  stations: { enrolled: 'New lead', abandoned: 'Taken up' },
  stillOpen: 'Begins',
  alias: 'lead',
};
