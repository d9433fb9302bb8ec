import { expect, test } from 'vitest';
import { leadSourceOf, takesFrom } from '../../domain/campaigns/campaign.ts';
import { fold } from '../../domain/subjects/lead/fold.ts';

test.each([
  [{ source: 'meta' }, 'META'],
  [{ source: 'website' }, 'API'],
  [{ source: null }, 'API'],
  [{ source: 'fair', via: 'BULK' }, 'BULK'],
] as const)('a lead of %o came in by %s', (origin, way) => {
  expect(leadSourceOf(origin)).toBe(way);
});

test('a campaign takes a way in, or a label; a list that is labelled as another way in stays a list', () => {
  const takes = (wanted: string, origin: Parameters<typeof takesFrom>[1]) => takesFrom({ sources: [wanted], maxLeads: null }, origin);
  expect(takes('bulk', { source: 'fair', via: 'BULK' })).toBe(true);
  expect(takes('Fair', { source: 'fair', via: 'BULK' })).toBe(true);
  expect(takes('API', { source: 'fair', via: 'BULK' })).toBe(false);
  expect(takes('META', { source: 'META', via: 'BULK' })).toBe(false);
  expect(takesFrom(null, { source: 'META' })).toBe(false);
});

test('the way in and its label are kept from one report, the newest that has them, in whatever order they arrive', () => {
  const report = (occurredAtMs: number, more: object) => ({
    occurredAtMs,
    report: { createdAtMs: 0, currency: null, valueMinor: null, source: null, interest: null, message: null, url: null, ...more },
  });
  const nowhere = { email: null, phone: null };
  const reports = [report(1, { source: 'fair', via: 'BULK' as const }), report(2, { source: 'website' }), report(3, { interest: 'a flat' })];
  for (const order of [reports, reports.toReversed()]) {
    const details = order.reduce<ReturnType<typeof fold> | null>(
      (known, one) => fold(known === null ? null : { ...known, state: 'open' }, one, nowhere),
      null,
    )?.details;
    expect(details).toMatchObject({ source: 'website' });
    expect(details?.via).toBeUndefined();
  }
});
