import { describe, expect, test } from 'vitest';
import { Confirmations } from '../../mcp/confirmations.ts';
import { mask } from '../../mcp/masking.ts';

const minute = 60_000;

describe('a token', () => {
  test('gives back what was seen, once', () => {
    const tokens = new Confirmations();
    const { token } = tokens.issue('ada', 'stop 1', { version: 3 });
    expect(tokens.take(token, 'ada', 'stop 1')).toEqual({ version: 3 });
    expect(() => tokens.take(token, 'ada', 'stop 1')).toThrow('not known');
  });

  test('is for one action only, and is used up by another one', () => {
    const tokens = new Confirmations();
    const { token } = tokens.issue('ada', 'stop 1', null);
    expect(() => tokens.take(token, 'ada', 'stop 2')).toThrow('another action');
    expect(() => tokens.take(token, 'ada', 'stop 1')).toThrow('not known');
  });

  test('is for one caller only, and others cannot use it up', () => {
    const tokens = new Confirmations();
    const { token } = tokens.issue('ada', 'stop 1', null);
    expect(() => tokens.take(token, 'mallory', 'stop 1')).toThrow('not known');
    expect(tokens.take(token, 'ada', 'stop 1')).toBeNull();
  });

  test('holds for five minutes', () => {
    let nowMs = 0;
    const tokens = new Confirmations(() => nowMs);
    const [first, second] = [tokens.issue('ada', 'a', null), tokens.issue('ada', 'b', null)];
    expect(first.expiresAt).toBe(new Date(5 * minute).toISOString());
    nowMs = 5 * minute - 1;
    expect(tokens.take(first.token, 'ada', 'a')).toBeNull();
    nowMs += 1;
    expect(() => tokens.take(second.token, 'ada', 'b')).toThrow('expired');
  });

  test('pushes out the oldest where there are too many', () => {
    const tokens = new Confirmations();
    const issued = Array.from({ length: 1_001 }, () => tokens.issue('ada', 'a', null).token);
    expect(() => tokens.take(issued[0] ?? '', 'ada', 'a')).toThrow('not known');
    expect(tokens.take(issued[1] ?? '', 'ada', 'a')).toBeNull();
  });
});

test('addresses and numbers are masked wherever they stand, and nothing else is', () => {
  const given = {
    sentence: 'Sent to ada.lovelace+x@mail.example.com (and Zoë <zoe@exämple.org>), called +43 660 1234567.',
    'ada@example.com': [{ phone: '+436601234567', id: '01920000-0000-7000-8000-000000000000', at: '2026-11-29T15:00:00.000Z', count: 3, none: null }],
    rate: '12 + 30 @ 5',
  };
  expect(mask(given)).toEqual({
    sentence: 'Sent to a…@… (and Zoë <z…@…>), called +43…67.',
    'a…@…': [{ phone: '+43…67', id: '01920000-0000-7000-8000-000000000000', at: '2026-11-29T15:00:00.000Z', count: 3, none: null }],
    rate: '12 + 30 @ 5',
  });
});
