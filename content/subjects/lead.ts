import type { LeadDetails } from '../../domain/subjects/lead/details.ts';
import { anyBlock } from './any.ts';
import type { SubjectContent } from './subject-content.ts';

const known: LeadDetails = {
  source: 'website',
  interest: 'a kitchen with an island',
  message: 'Can you come by next week?',
  url: 'https://shop.example.com/kitchens',
};

export const lead: SubjectContent = {
  block: anyBlock,
  samples: [
    { name: 'a lead of which everything is known', details: known, valueMinor: 450_000, currency: 'USD' },
    {
      name: 'a lead of which nothing is known',
      details: { source: null, interest: null, message: null, url: null },
      valueMinor: null,
      currency: null,
    },
    {
      name: 'a lead with a long interest',
      details: { ...known, interest: 'a fitted kitchen in solid oak with an island, a pantry and room for six at the table' },
      valueMinor: null,
      currency: null,
    },
  ],
};
