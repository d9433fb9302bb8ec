import type { Integration } from '../port.ts';
import { newToken } from '../shared-token.ts';
import { keitaroConfig } from './config.ts';
import { keitaroReceiver } from './receive.ts';

/** Conversions from a Keitaro tracker. */
export const keitaro: Integration = {
  name: 'keitaro',
  title: 'Keitaro',
  purpose: 'leads',
  config: keitaroConfig,
  newSecret: newToken,
  receiver: keitaroReceiver,
};
