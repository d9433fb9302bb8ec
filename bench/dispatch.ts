import { randomUUID } from 'node:crypto';
import { and, eq, isNull } from 'drizzle-orm';
import { enrollments } from '../db/schema/index.ts';
import type { TenantSettings } from '../domain/tenant-settings.ts';
import type { BuiltDeps } from '../operations/create-deps.ts';
import { dispatchStep } from '../operations/dispatch-step.ts';
import { provisionTenant } from '../operations/provision-tenant.ts';
import { publishPreset } from '../operations/publish-sequence.ts';
import { mailsInARow, nullSender } from './five-mails.ts';
import { besideFloor, flood, type Measured, median } from './measure.ts';
import { accept, cartUpdated, emailOf, openDeps, sign } from './shop.ts';
import type { BenchStack } from './stack.ts';

const perSlice = 100;
const slices = 6;
const atOnce = 8;
const leftMs = 2.5 * 3_600_000;

/** Nothing in the way of anybody: the dispatch without its rules. */
const bare: Partial<TenantSettings> = { quietHours: null, legalHours: false, consentLaw: 'off', caps: [], catchUpPerMinute: null };

/** A zone in which it is about noon now. */
function noonZone(): string {
  const ahead = 12 - new Date().getUTCHours();
  return ahead === 0 ? 'UTC' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

/** Every rule on, each with something to look at, none of them closed. */
function guarded(): Partial<TenantSettings> {
  return {
    timeZone: noonZone(),
    quietHours: { fromMinute: 21 * 60, toMinute: 8 * 60 },
    quietHoursOn: { sms: { fromMinute: 20 * 60, toMinute: 9 * 60 } },
    legalHours: true,
    consentLaw: 'strict',
    requireConsent: ['email', 'sms'],
    blackoutDates: [{ from: '2020-12-24', to: '2020-12-26' }],
    caps: [
      { channel: null, most: 3, withinHours: 24 },
      { channel: null, most: 5, withinHours: 168 },
      { channel: 'email', most: 4, withinHours: 168 },
    ],
  };
}

/**
 * Dispatches a second of one process on real Postgres to a sender that takes everything at once, with every rule on, beside the same dispatches of a
 * store without rules. Both by turns, in slices of some hundred, so that what slows the machine slows both.
 */
export async function measureDispatch(stack: BenchStack, rounds: number): Promise<Measured> {
  const deps = openDeps(stack.databaseUrl, stack.masterKey, { defaultSenders: [nullSender] });
  try {
    const [free, ruled] = [await openStore(deps, 'bench-bare', bare, false), await openStore(deps, 'bench-ruled', guarded(), true)];
    const [floors, rates, ratios]: [number[], number[], number[]] = [[], [], []];
    // The first slices load code, fill caches and let Postgres count its tables.
    for (let slice = -2; slice < slices * rounds; slice++) {
      const [floor, rate] = [await free(), await ruled()];
      if (slice < 0) continue;
      floors.push(floor);
      rates.push(rate);
      ratios.push(rate / floor);
    }
    const figure = besideFloor('dispatch_all_gates', median(rates), 'dispatches/s', median(floors), '>= 0.8 of a dispatch without rules', () => true);
    return {
      figures: [{ ...figure, ratio: median(ratios), met: median(ratios) >= 0.8 }],
      notes: [
        `dispatch: medians of ${rates.length} slices of ${perSlice} first emails, ${atOnce} at once, one process; on: quiet hours, legal hours, the law of consent with consent on record, blackout dates and three caps`,
      ],
    };
  } finally {
    await deps.db.close();
  }
}

/** @param known - whether people have agreed and got a message before */
async function openStore(deps: BuiltDeps, slug: string, settings: Partial<TenantSettings>, known: boolean): Promise<() => Promise<number>> {
  const tenant = await provisionTenant(deps, { slug, name: slug, timeScale: 1, synthetic: true, settings });
  await publishPreset(deps, tenant.tenantId, await mailsInARow(2));
  return async () => {
    await flood(perSlice, 16, async () => {
      const cart = randomUUID();
      const contact = {
        email: emailOf(cart),
        first_name: 'Ada',
        ...(known ? { country: 'US', region: 'NY', phone: '+12125550123', time_zone: noonZone() } : {}),
      };
      if (known) await accept(deps, sign(tenant, { type: 'contact.opted_in', data: { contact: { email: emailOf(cart) }, channel: 'email' } }));
      const left = cartUpdated(cart, Date.now() - leftMs);
      await accept(deps, sign(tenant, { ...left, data: { ...left.data, contact } }));
    });
    const due = await deps.db.withTenant(tenant.tenantId, (tx) =>
      tx
        .select({ id: enrollments.id })
        .from(enrollments)
        .where(and(isNull(enrollments.endedAt), isNull(enrollments.activatedAt), eq(enrollments.tenantId, tenant.tenantId))),
    );
    if (due.length !== perSlice) throw new Error(`${due.length} are due, not ${perSlice}`);
    const ids = due.map(({ id }) => id);
    const { seconds } = await flood(perSlice, atOnce, async () => {
      const enrollmentId = ids.pop();
      if (enrollmentId === undefined) throw new Error('nobody is left');
      const result = await dispatchStep(deps, { tenantId: tenant.tenantId, enrollmentId, stepId: 'mail_1' });
      if (result.kind !== 'done' || result.progress.settled['mail_1']?.outcome !== 'sent') throw new Error(`not sent: ${JSON.stringify(result)}`);
    });
    return perSlice / seconds;
  };
}
