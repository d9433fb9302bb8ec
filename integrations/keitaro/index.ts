import type { Integration } from '../port.ts';
import { newToken } from '../shared-token.ts';
import { keitaroConfig } from './config.ts';
import { keitaroReceiver } from './receive.ts';

/** Conversions from a Keitaro tracker. */
export const keitaro: Integration = {
  name: 'keitaro',
  title: 'Keitaro',
  purpose: 'leads',
  guide: {
    before: [],
    after: [
      'In Keitaro, enter the address as a postback, with ?subid={subid}&sub_id={external_id}&status={status}&payout={revenue}&tid={tid} behind it.',
      'The address is the secret: show it to nobody else. Name the secret as token in it only where the connection asks for one.',
    ],
  },
  config: keitaroConfig,
  newSecret: newToken,
  receiver: keitaroReceiver,
};
