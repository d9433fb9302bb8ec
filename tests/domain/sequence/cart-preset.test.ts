import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compilePlan } from '../../../domain/sequence/compile-plan.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import { describeFileErrors } from '../../../domain/yaml-file.ts';
import { cartUpdated, ms, rehearse } from '../../helpers/sequence-dsl.ts';

const parsed = parseSequence(readFileSync(new URL('../../../sequences/cart.yaml', import.meta.url), 'utf8'));
if (!parsed.ok) throw new Error(describeFileErrors('cart.yaml', parsed.errors));
const cart = parsed.definition;

test('the cart preset has its five steps at their times', () => {
  expect(cart.steps.map(({ id, due, channels, content }) => [id, due, channels, content])).toEqual([
    ['popup_1h', { from: 'anchor', delayMs: ms('1h') }, ['onsite'], 'cart/popup_1h'],
    ['email_2h', { from: 'anchor', delayMs: ms('2h') }, ['email'], 'cart/email_2h'],
    ['email_24h', { from: 'anchor', delayMs: ms('24h') }, ['email'], 'cart/email_24h'],
    ['email_48h', { from: 'anchor', delayMs: ms('48h') }, ['email'], 'cart/email_48h'],
    ['email_72h', { from: 'anchor', delayMs: ms('72h') }, ['email'], 'cart/email_72h'],
  ]);
  expect(cart).toMatchObject({
    sequence: 'cart',
    quietForMs: ms('1h'),
    stopOn: ['purchased', 'replied', 'opted_out'],
    maxAgeMs: ms('7d'),
    reentry: 'once-per-subject',
    priority: 3,
    goal: { event: 'order.placed', withinMs: ms('7d') },
  });
});

test('a cart left in the morning gets four emails; the pop-up waits for a channel that can show it', () => {
  const run = rehearse(cart, [cartUpdated('09:00')], { timeZones: ['Europe/Vienna'] });
  expect(run.skipped).toEqual([{ step: 'popup_1h', reason: 'not_connected' }]);
  expect(run.sent).toEqual([
    { step: 'email_2h', at: '11:00' },
    { step: 'email_24h', at: 'tomorrow 10:00' },
    { step: 'email_48h', at: 'day 3 10:00' },
    { step: 'email_72h', at: 'day 4 10:00' },
  ]);
  expect(run.finished).toEqual({ reason: 'completed', at: 'day 4 10:00' });
});

test('a cart without an address passes through with a stored reason for every email', () => {
  const email = { connected: true, hasAddress: false, suppressed: false, consent: 'unknown', requiresConsent: false, refused: false } as const;
  const run = rehearse(cart, [cartUpdated('09:00')], { channels: { email } });
  expect(run.skipped.slice(1)).toEqual(['email_2h', 'email_24h', 'email_48h', 'email_72h'].map((step) => ({ step, reason: 'no_address' })));
  expect(run.finished).toMatchObject({ reason: 'completed' });
});

test('under the scale of the demo 72 hours pass in 72 seconds', () => {
  const run = rehearse(cart, [cartUpdated('09:00')], { timeScale: 3600, quietHours: null });
  expect(run.sent.map(({ at }) => at)).toEqual(['09:00:02', '09:00:24', '09:00:48', '09:01:12']);
  expect(compilePlan(cart, 1, 3600).steps.map(({ expiresAfterMs }) => expiresAfterMs)).toEqual([1_000, null, null, null, null]);
});
