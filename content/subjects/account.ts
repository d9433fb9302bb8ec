import type { AccountDetails } from '../../domain/subjects/account/details.ts';
import { anyBlock } from './any.ts';
import type { SubjectContent } from './subject-content.ts';

const known: AccountDetails = { name: 'Lakeside Bakery', url: 'https://shop.example.com/accounts/1', area: 'flour and yeast', band: 'early' };

export const account: SubjectContent = {
  block: anyBlock,
  samples: [
    { name: 'an account of which everything is known', details: known, valueMinor: null, currency: null },
    { name: 'an account of which nothing is known', details: { name: null, url: null, area: null, band: 'early' }, valueMinor: null, currency: null },
  ],
};
