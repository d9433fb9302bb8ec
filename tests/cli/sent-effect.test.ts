import { describe, expect, test } from 'vitest';
import { effectLines, type SeenEnrollment } from '../../cli/sent-effect.ts';

// `rekindle send` reports what the API shows, never what the event should have done.

const running: SeenEnrollment = { id: 'one', summary: 'The sequence is running.', ended_at: null };
const ended: SeenEnrollment = { id: 'one', summary: 'The sequence was stopped: the cart was bought.', ended_at: '2026-11-28T04:00:00.000Z' };

describe('an event', () => {
  test('that ended a sequence says which, and how it stands', () => {
    expect(effectLines({ before: [running], after: [ended], quiet: null })).toEqual([
      'It ended a sequence (one): The sequence was stopped: the cart was bought.',
    ]);
  });

  test('that began one says so', () => {
    expect(effectLines({ before: [], after: [running], quiet: null })).toEqual(['It began a sequence (one): The sequence is running.']);
  });

  test('whose sequence had ended before claims nothing', () => {
    expect(effectLines({ before: [ended], after: [ended], quiet: null })).toEqual([
      'It began no sequence and ended none.',
      'The latest sequence (one): The sequence was stopped: the cart was bought.',
    ]);
  });

  test('that left one running says so: nothing was stopped', () => {
    expect(effectLines({ before: [running], after: [running], quiet: null })).toEqual([
      'It began no sequence and ended none.',
      'Still running (one): The sequence is running.',
    ]);
  });

  test('of a cart that begins nothing says why', () => {
    expect(effectLines({ before: [], after: [], quiet: 'No sequence was begun about this cart: it was bought.' })).toEqual([
      'No sequence was begun about this cart: it was bought.',
    ]);
  });
});
