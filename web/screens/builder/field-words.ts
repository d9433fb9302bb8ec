import { plain } from '../../parts/format.ts';

const names: Readonly<Record<string, string>> = {
  due: 'when it comes',
  at: 'when it comes',
  after: 'when it comes',
  on: 'what it reacts to',
  channels: 'by which way',
  channel: 'by which way',
  content: 'its text',
  text: 'what it says',
  texts: 'texts for variety',
  variants: 'variants',
  varied: 'texts for variety',
  model: 'the model that writes it',
  when: 'condition',
  lapsesWith: 'until which step it may go out',
  expires: 'how long it may go out',
  expiresAfterMs: 'how long it may go out',
  maxRetries: 'tries after a failure',
  onFailure: 'what follows a failure',
  bestHour: 'hour of the reader',
  requires: 'what it needs to be true',
  window: 'hours and days',
};

/** What a field of a step is called here. */
export const fieldName = (field: string): string => names[field] ?? plain(field);
