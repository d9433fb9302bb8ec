import { and, asc, eq, ne, sql } from 'drizzle-orm';
import { CommitUnclearError, isLockFailure, type Tx } from '../../db/client.ts';
import { campaignLeads, campaigns, contacts, leadRoutings, subjects } from '../../db/schema/index.ts';
import { takesFrom } from '../../domain/campaigns/campaign.ts';
import { lead } from '../../domain/subjects/lead/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beginInCampaign, type CampaignEntry, type CampaignRefusal } from '../effects/rules/begin-by-hand.ts';
import { draftOf } from '../enroll-by-hand.ts';
import type { Draft } from '../intake/draft.ts';
import { MovedError } from '../intake/found.ts';
import { writesOf, writeWorld } from '../intake/writes.ts';
import type { CampaignRow } from './campaigns.ts';

/** Why a lead of a campaign is not in its sequence. `no_sequence`: the campaign has none, or it takes nobody now. */
export type NotInSequence = CampaignRefusal | 'no_sequence' | 'no_owner';

export type Entered =
  | { kind: 'entered'; enrollmentId: string | null; reason: NotInSequence | null }
  /** It has as many leads as it takes. */
  | { kind: 'full' }
  | { kind: 'not_active' }
  | { kind: 'unknown_lead' }
  | { kind: 'unknown_campaign' };

/**
 * Route one new lead to every active campaign that takes its source and has a place left. A person who is a lead already is not routed again.
 * The person's locks first, then the rows of campaigns in the order of their ids: everybody who takes both takes them in this order.
 * Source: docs/rules.md#rule-49
 */
export async function routeLead(deps: Deps, tenantId: string, subjectId: string): Promise<void> {
  const begun = await again(() =>
    deps.db.withTenant(tenantId, async (tx) => {
      const draft = await draftOf(tx, deps, { tenantId, subjectId });
      const [open] = await tx
        .select({ id: leadRoutings.subjectId })
        .from(leadRoutings)
        .where(and(eq(leadRoutings.subjectId, subjectId), sql`routed_at is null`))
        .for('no key update');
      if (open === undefined) return false;
      const routed = draft === null ? ({ outcome: 'gone', begun: false } as const) : await routeLocked(tx, draft, tenantId, subjectId);
      await tx.update(leadRoutings).set({ routedAt: sql`clock_timestamp()`, outcome: routed.outcome }).where(eq(leadRoutings.subjectId, subjectId));
      return routed.begun;
    }),
  );
  if (begun) deps.kickRelay();
}

type Outcome = NonNullable<typeof leadRoutings.$inferSelect.outcome>;

async function routeLocked(tx: Tx, draft: Draft, tenantId: string, subjectId: string): Promise<{ outcome: Outcome; begun: boolean }> {
  const subject = draft.subject(subjectId);
  const owner = draft.findContact(subject.contactId);
  if (owner === null) return { outcome: 'gone', begun: false };
  if (await isLeadAlready(tx, owner.personId, subjectId)) return { outcome: 'duplicate', begun: false };
  const origin = lead.details.parse(subject.details);
  const active = await tx.select().from(campaigns).where(eq(campaigns.status, 'ACTIVE')).orderBy(asc(campaigns.id)).for('no key update');
  const taking = active.filter((campaign) => takesFrom(campaign.autoAssign, origin) && hasPlace(campaign));
  if (taking.length === 0) return { outcome: 'no_campaign', begun: false };
  const entered = taking.map((campaign) => ({ campaign, begun: beginFor(draft, campaign, subjectId, { campaignId: campaign.id, by: 'routing' }) }));
  const ran = entered.some(({ begun }) => 'begun' in begun);
  if (ran) draft.changeSubject(subjectId, { noSequence: null });
  // Awaited: the campaign's lead refers to the enrollment.
  writeWorld(tx, writesOf(draft));
  for (const { campaign, begun } of entered) await note(tx, campaign, subjectId, { cameBy: 'routing', actor: null }, begun);
  return { outcome: 'routed', begun: ran };
}

/** Another lead of the person, under whatever name, was there first. */
async function isLeadAlready(tx: Tx, personId: string, subjectId: string): Promise<boolean> {
  const earlier = await tx
    .select({ id: subjects.id })
    .from(subjects)
    .innerJoin(contacts, eq(contacts.id, subjects.contactId))
    .where(and(eq(contacts.personId, personId), eq(subjects.kind, lead.kind), ne(subjects.id, subjectId), sql`${subjects.id} < ${subjectId}`))
    .limit(1);
  return earlier.length > 0;
}

const hasPlace = ({ autoAssign, leads }: CampaignRow) => autoAssign === null || autoAssign.maxLeads === null || leads < autoAssign.maxLeads;

type Begun = { begun: string } | { reason: NotInSequence };

function beginFor(draft: Draft, campaign: CampaignRow, subjectId: string, entry: CampaignEntry): Begun {
  const sequence = draft.world.sequences.find(({ id }) => id === campaign.sequenceId);
  if (sequence === undefined) return { reason: 'no_sequence' };
  const subject = draft.subject(subjectId);
  const owner = draft.findContact(subject.contactId);
  return owner === null ? { reason: 'no_owner' } : beginInCampaign(draft, { subject, owner }, sequence, entry);
}

/** The lead takes a place of the campaign, if it has none yet. Under the lock of the campaign's row. */
async function note(
  tx: Tx,
  { tenantId, id: campaignId }: CampaignRow,
  subjectId: string,
  came: { cameBy: 'routing' | 'hand' | 'bulk'; actor: string | null },
  begun: Begun,
): Promise<void> {
  const outcome = 'begun' in begun ? { enrollmentId: begun.begun, reason: null } : { reason: begun.reason };
  const made = await tx
    .insert(campaignLeads)
    .values({ tenantId, campaignId, subjectId, ...came, ...outcome })
    .onConflictDoNothing()
    .returning({ id: campaignLeads.subjectId });
  if (made.length > 0) {
    await tx.update(campaigns).set({ leads: sql`leads + 1` }).where(eq(campaigns.id, campaignId));
    return;
  }
  // A lead that is already in the campaign's sequence does not enter it again, and the refusal must not be stored as the reason why it is in none.
  const isOut = sql`not exists (select from enrollments e where e.id = ${campaignLeads.enrollmentId} and e.ended_at is null)`;
  await tx
    .update(campaignLeads)
    .set(outcome)
    .where(and(eq(campaignLeads.campaignId, campaignId), eq(campaignLeads.subjectId, subjectId), 'begun' in begun ? undefined : isOut));
}

export interface Entry {
  tenantId: string;
  campaignId: string;
  subjectId: string;
  by: 'hand' | 'bulk';
  actor: string;
  /** Why, for the story of the enrollment and the audit log; absent: nobody says. */
  note?: string | undefined;
}

/**
 * Put a lead into a campaign, or begin its sequence anew for one that is in it already: by hand, by a program, or from a list. The steps count from
 * now; what is refused by hand is refused here, and the rules of re-entry hold.
 * @throws what withTenant throws, and a lock failure where the person is locked for long
 */
export async function enterCampaign(deps: Deps, entry: Entry): Promise<Entered> {
  const { tenantId, campaignId, subjectId, by, actor, note: why } = entry;
  const said = why === undefined ? {} : { note: why };
  const entered = await again(() =>
    deps.db.withTenant(tenantId, async (tx): Promise<Entered> => {
      const draft = await draftOf(tx, deps, { tenantId, subjectId });
      if (draft === null || draft.subject(subjectId).kind !== lead.kind) return { kind: 'unknown_lead' };
      const [campaign] = await tx.select().from(campaigns).where(eq(campaigns.id, campaignId)).for('no key update');
      if (campaign === undefined) return { kind: 'unknown_campaign' };
      if (campaign.status !== 'ACTIVE') return { kind: 'not_active' };
      const [known] = await tx
        .select()
        .from(campaignLeads)
        .where(and(eq(campaignLeads.campaignId, campaignId), eq(campaignLeads.subjectId, subjectId)));
      if (known === undefined && !hasPlace(campaign)) return { kind: 'full' };
      const begun = beginFor(draft, campaign, subjectId, { campaignId, by, actor, ...said });
      if ('begun' in begun) {
        draft.changeSubject(subjectId, { noSequence: null });
        writeWorld(tx, writesOf(draft));
      }
      await note(tx, campaign, subjectId, { cameBy: by, actor }, begun);
      await recordAudit(tx, { tenantId, actor, action: 'campaign.enter', subject: campaignId, data: { lead: subjectId, ...begun, ...said } });
      return { kind: 'entered', enrollmentId: 'begun' in begun ? begun.begun : null, reason: 'reason' in begun ? begun.reason : null };
    }),
  );
  if (entered.kind === 'entered' && entered.enrollmentId !== null) deps.kickRelay();
  return entered;
}

/** Somebody else is changing this person, or it is not known whether COMMIT took effect: the next attempt finds out. */
async function again<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      const mayHelp = error instanceof MovedError || error instanceof CommitUnclearError || isLockFailure(error);
      if (!mayHelp || attempts === 10) throw error;
    }
  }
}
