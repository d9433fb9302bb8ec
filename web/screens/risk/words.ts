import type { Item } from '../../../sdk/index.ts';
import type { Tone } from '../../parts/badge.tsx';

export type Assessment = Item<'GET /api/risk/assessments'>;
export type Band = Assessment['band'];

/** From the worst to the best. */
export const bands: readonly { band: Band; name: string; tone: Tone; colour: string; means: string }[] = [
  { band: 'critical', name: 'critical', tone: 'bad', colour: 'bg-bad', means: 'About to leave: a person calls, and a manager may be asked.' },
  { band: 'active', name: 'at risk', tone: 'warn', colour: 'bg-warn', means: 'Clearly less active than before: offers and a call.' },
  {
    band: 'early',
    name: 'early signs',
    tone: 'accent',
    colour: 'bg-[var(--series-2)]',
    means: 'A little less active than usual: a friendly message.',
  },
  { band: 'none', name: 'low', tone: 'good', colour: 'bg-good', means: 'Below all bands: nothing is done.' },
];
export const bandOf = (band: Band) =>
  bands.find((one) => one.band === band) ?? { band, name: band, tone: 'neutral' as const, colour: 'bg-sunken', means: '' };

const features: Record<string, string> = {
  knownDays: 'how long you know them',
  daysSinceAny: 'days since they did anything',
  daysSinceOrder: 'days since their last order',
  daysSinceVisit: 'days since their last visit',
  daysSinceMessage: 'days since they last wrote',
  daysSinceOpen: 'days since they opened an email',
  activityChange: 'busier or quieter than a month ago',
  rhythmDays: 'how often they usually come',
  overdue: 'overdue by their own habit',
  supportsIn30Days: 'requests for help in 30 days',
  severeSupportIn90Days: 'serious problems in 90 days',
  callsAnsweredIn90Days: 'calls answered in 90 days',
  repeatOrders: 'repeat orders',
  meanOrder: 'their usual order',
  chanceAlive: 'whether they still buy, by their orders',
};

/** `daysSinceOrder` → `days since their last order`. What has no words of its own is written apart: `visitsIn30Days` → `visits in 30 days`. */
export const inWords = (feature: string): string =>
  features[feature] ??
  feature
    .replace(/^own\./, 'your own event ')
    .replaceAll(/(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])/g, ' ')
    .toLowerCase();
