import { and, asc, eq, gt, inArray, isNull, ne, or, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { type Tx, unawaited } from '../../db/client.ts';
import { enrollments, offerCodes, offers, sequences } from '../../db/schema/index.ts';
import type { OfferFacts } from '../../content/copy-facts.ts';
import type { Facts } from '../../domain/gates/facts.ts';
import { decideOffer, type OfferRecords, waitsForCodeUntil } from '../../domain/offers/decide-offer.ts';
import { cartsLeftDays, type OfferPolicy } from '../../domain/offers/policy.ts';
import type { EpochMs } from '../../domain/sequence/plan.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import { freeUnsent, lockGrants } from '../offers/locks.ts';
import { shopOf } from '../offers/minter.ts';
import type { EnrollmentRow } from './progress.ts';

type OfferRow = typeof offers.$inferSelect;

const dayMs = 24 * 3_600_000;
/** As far back as a policy may look. */
const longestDays = 366;

/** Who is asked about, under the person's lock. */
interface Asked {
  enrollment: EnrollmentRow;
  stepId: string;
  contactIds: readonly string[];
  policy: OfferPolicy | null;
  regularMinor: number | null;
  timeScale: number;
  nowMs: EpochMs;
}

/**
 * What the offer of a step is decided by. Waits for other grants of the store, because all of them share a budget and a pool: taken after every other lock,
 * and held until the end of the transaction.
 */
export async function readOffers(tx: Tx, asked: Asked): Promise<{ records: OfferRecords; own: OfferRow | null }> {
  await lockGrants(tx, asked.enrollment.tenantId);
  await freeUnsent(tx);
  return lookAtOffers(tx, asked);
}

/** The same without a lock, for a preview: what is granted to others meanwhile may change it. */
export async function lookAtOffers(
  tx: Tx,
  { enrollment, stepId, contactIds, policy, regularMinor, timeScale, nowMs }: Asked,
): Promise<{ records: OfferRecords; own: OfferRow | null }> {
  const [own] = await tx
    .select()
    .from(offers)
    .where(and(eq(offers.enrollmentId, enrollment.id), eq(offers.stepId, stepId)));
  const since = nowMs - scaled(longestDays * dayMs, timeScale);
  const stands = and(gt(offers.grantedAt, since), inArray(offers.state, ['granted', 'minted']));
  const others = and(stands, or(ne(offers.enrollmentId, enrollment.id), ne(offers.stepId, stepId)));
  const earlier = await tx
    .select({ atMs: offers.grantedAt, slug: sequences.slug, stepId: offers.stepId })
    .from(offers)
    .innerJoin(enrollments, and(eq(enrollments.tenantId, offers.tenantId), eq(enrollments.id, offers.enrollmentId)))
    .innerJoin(sequences, and(eq(sequences.tenantId, enrollments.tenantId), eq(sequences.id, enrollments.sequenceId)))
    .where(and(others, inArray(offers.contactId, [...contactIds])))
    .orderBy(sql`granted_at desc`)
    .limit(20);
  const budgetSince = policy?.budget == null ? nowMs : nowMs - scaled(policy.budget.withinDays * dayMs, timeScale);
  const spent =
    policy?.budget == null
      ? []
      : await tx
          .select({ atMs: offers.grantedAt })
          .from(offers)
          .where(and(others, gt(offers.grantedAt, budgetSince)))
          .limit(policy.budget.most);
  const [left] = await tx
    .select({ count: sql<number>`count(distinct subject_id)::int` })
    .from(enrollments)
    .where(
      and(
        inArray(enrollments.contactId, [...contactIds]),
        gt(enrollments.activatedAt, nowMs - scaled(cartsLeftDays * dayMs, timeScale)),
        ne(enrollments.subjectId, enrollment.subjectId),
      ),
    );
  const source = policy?.source ?? 'pool';
  const records: OfferRecords = {
    policy,
    own: own === undefined ? null : { percentOff: own.percentOff, endsAtMs: own.endsAt, state: own.state },
    earlier: earlier.map(({ atMs, slug, stepId: step }) => ({ atMs, step: `${slug}/${step}` })),
    spentAtMs: spent.map(({ atMs }) => atMs),
    cartsLeft: (left?.count ?? 0) + 1,
    regularMinor,
    codesLeft: policy?.source === 'pool' ? ((await freeCode(tx, nowMs)) === null ? 0 : 1) : null,
    ...(source !== 'pool' && (await shopOf(tx, source)) === null ? { noShop: true } : {}),
  };
  return { records, own: own ?? null };
}

/**
 * What a step does whose code could not be made yet, because its shop gave no clear answer. It waits while it would be sent at the end of the pause; else it
 * goes on without an offer, and the grant is given up.
 * @param sendsAt - whether every gate would be open then
 * @returns when the shop is asked again; `without`: the grant is given up; null: it need not wait
 * Source: docs/rules.md#rule-58
 */
export async function awaitCode(
  tx: Tx,
  own: OfferRow,
  { nowMs, timeScale, sendsAt }: { nowMs: EpochMs; timeScale: number; sendsAt(atMs: EpochMs): boolean },
): Promise<{ untilMs: EpochMs } | 'without' | null> {
  if (own.state !== 'granted' || own.shopFailures === 0) return null;
  const againMs = Math.max(nowMs, own.shopAfter ?? nowMs);
  if (againMs < waitsForCodeUntil(own.grantedAt, timeScale) && sendsAt(againMs)) return againMs > nowMs ? { untilMs: againMs } : null;
  await tx.update(offers).set({ state: 'refused', note: 'the shop could not be reached in time' }).where(eq(offers.id, own.id));
  return 'without';
}

async function freeCode(tx: Tx, endsAtMs: EpochMs): Promise<typeof offerCodes.$inferSelect | null> {
  const [code] = await tx
    .select()
    .from(offerCodes)
    .where(and(isNull(offerCodes.offerId), or(isNull(offerCodes.expiresAt), gt(offerCodes.expiresAt, endsAtMs))))
    .orderBy(asc(offerCodes.id))
    .limit(1);
  return code ?? null;
}

/** What a claim brings: an offer, none, or one whose code has to be made first. */
export type Granting =
  | { kind: 'none' }
  | { kind: 'offer'; facts: OfferFacts }
  /** Committed, but the shop does not know the code yet: make it without any lock, and decide again. */
  | { kind: 'mint'; offer: OfferRow };

/**
 * Grant what was decided, in the transaction of the claim: a crash leaves both or neither. An attempt after a refusal finds the grant of the one before, with
 * its code and its end.
 */
export async function grantOffer(
  tx: Tx,
  enrollment: EnrollmentRow,
  stepId: string,
  facts: Pick<Facts, 'offer' | 'subject' | 'plan' | 'person' | 'step'>,
  newCode: () => string,
  nowMs: EpochMs,
): Promise<Granting> {
  if (facts.offer === undefined || facts.step.offer === undefined) return { kind: 'none' };
  const decision = decideOffer(facts.offer, facts.subject, nowMs, facts.plan.timeScale);
  if (!decision.granted) return { kind: 'none' };
  const timeZone = facts.person.zones.timeZones[0] ?? 'UTC';
  const shown = (row: Pick<OfferRow, 'code' | 'percentOff' | 'endsAt'>): Granting => ({
    kind: 'offer',
    facts: { code: row.code, percentOff: row.percentOff, endsAtMs: row.endsAt, timeZone },
  });
  if (facts.offer.own !== null) {
    const [row] = await tx
      .select()
      .from(offers)
      .where(and(eq(offers.enrollmentId, enrollment.id), eq(offers.stepId, stepId)));
    if (row === undefined) return { kind: 'none' };
    return row.state === 'minted' ? shown(row) : { kind: 'mint', offer: row };
  }
  const source = facts.offer.policy?.source ?? 'pool';
  const fromPool = source === 'pool' ? await freeCode(tx, decision.endsAtMs) : null;
  // What is left of the pool ends before the offer would.
  if (source === 'pool' && fromPool === null) return { kind: 'none' };
  const row: OfferRow = {
    tenantId: enrollment.tenantId,
    id: uuidv7(),
    enrollmentId: enrollment.id,
    stepId,
    contactId: enrollment.contactId,
    code: fromPool?.code ?? newCode(),
    percentOff: decision.percentOff,
    source,
    state: fromPool === null ? 'granted' : 'minted',
    grantedAt: nowMs,
    endsAt: decision.endsAtMs,
    revokedAt: null,
    note: null,
    redeemedAt: null,
    redeemedOrder: null,
    connectionId: null,
    askedAt: null,
    shopFailures: 0,
    shopAfter: null,
    closedAtShop: null,
  };
  unawaited(tx, tx.insert(offers).values(row));
  if (fromPool === null) return { kind: 'mint', offer: row };
  unawaited(tx, tx.update(offerCodes).set({ offerId: row.id }).where(eq(offerCodes.id, fromPool.id)));
  return shown(row);
}
