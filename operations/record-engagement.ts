import { and, eq, gt, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../db/client.ts';
import { enrollmentEvents, enrollments, messages, subjects, tenants } from '../db/schema/index.ts';
import type { ChannelTraits } from '../domain/channels/channel.ts';
import { channels, isChannel } from '../domain/channels/index.ts';
import { type EngagementType, severalLinksMs, type Suspicion, suspicionOf } from '../domain/engagement/suspicion.ts';
import { tenantSettings } from '../domain/tenant-settings.ts';
import type { Deps } from './deps.ts';
import { recordProof } from './dispatch/fence.ts';
import { readSubject } from './subject-row.ts';

/** What a person did with a message, as our own picture and links report it. */
export interface Engagement {
  tenantId: string;
  messageId: string;
  type: EngagementType;
  /** A scanner or a mail client's prefetch that says so: recorded as such, and nothing counts it. */
  machine: boolean;
}

/**
 * Record an open, a click, or a visit to the unsubscribe page. What looks like a scanner under a browser's name is recorded as suspected and
 * counts for nothing, until a sign of life follows (the trigger `suspected_clicks`). What counts also proves that the message was accepted;
 * what is suspected does not, because gateways follow links before they accept an email.
 * @returns where a click leads: the subject's own link, else the store; null: no such message
 */
export async function recordEngagement(deps: Pick<Deps, 'db' | 'subjects'>, engagement: Engagement): Promise<string | null> {
  const { tenantId, messageId, type, machine } = engagement;
  return deps.db.withTenant(tenantId, async (tx) => {
    const found = await lockMessage(tx, messageId);
    if (found === null) return null;
    const otherLinkJustNow = type !== 'opened' && (await otherLinkFollowed(tx, messageId, type));
    const traits: ChannelTraits | null = isChannel(found.channel) ? channels[found.channel] : null;
    const suspicion =
      machine || traits?.onlyReaderSees === true ? null : suspicionOf({ type, sinceSentMs: found.sinceSentMs, otherLinkJustNow }, found.timeScale);
    const data = suspicion === null ? {} : { suspected: suspicion };
    await tx.execute(sql`
      insert into message_events (tenant_id, id, occurred_at, message_id, enrollment_id, type, machine, data)
      values (${tenantId}, ${uuidv7()}, clock_timestamp(), ${messageId}, ${found.enrollmentId}, ${type}, ${machine || suspicion !== null},
        ${JSON.stringify(data)}::jsonb)`);
    const story = (event: string, more: Record<string, unknown> = {}) =>
      tx
        .insert(enrollmentEvents)
        .values({ tenantId, id: uuidv7(), enrollmentId: found.enrollmentId, type: event, data: { step: found.stepId, ...more } });
    if (otherLinkJustNow && (await withdrawClick(tx, messageId)))
      await story('message.click_withdrawn', { reason: 'several_links' satisfies Suspicion });
    if (suspicion !== null) await keepSuspected(tx, messageId, type);
    if (!machine && suspicion === null && type !== 'unsubscribe_opened') {
      const first = await count(tx, messageId, type);
      await recordProof(tx, messageId);
      if (first) await story(`message.${type}`);
    }
    const { kind, subject } = readSubject(deps.subjects, found.subject);
    return withSubId(kind.link(subject.details), messageId) ?? tenantSettings.parse(found.settings).storeUrl;
  });
}

/** A link of the subject may ask for the id of the attempt that it is followed from, as trackers' macros do: `?external_id={sub_id}`. */
const withSubId = (url: string | null, messageId: string): string | null => url?.replace(/(?:\{|%7b)sub_?id(?:\}|%7d)/gi, messageId) ?? null;

/** Reports of one message wait for each other: of two links that are followed at once, the second finds the first. */
async function lockMessage(tx: Tx, messageId: string) {
  const [found] = await tx
    .select({
      stepId: messages.stepId,
      channel: messages.channel,
      enrollmentId: messages.enrollmentId,
      timeScale: enrollments.timeScale,
      subject: subjects,
      settings: tenants.settings,
      sinceSentMs: sql<
        number | null
      >`(extract(epoch from clock_timestamp() - coalesce(${messages.settledAt}, ${messages.claimedAt})) * 1000)::float8`,
    })
    .from(messages)
    .innerJoin(enrollments, eq(enrollments.id, messages.enrollmentId))
    .innerJoin(subjects, eq(subjects.id, enrollments.subjectId))
    .innerJoin(tenants, eq(tenants.id, messages.tenantId))
    .where(eq(messages.id, messageId))
    .for('no key update', { of: messages });
  return found ?? null;
}

/** Programs that say so count as well: a gateway changes its name between links. */
async function otherLinkFollowed(tx: Tx, messageId: string, type: EngagementType): Promise<boolean> {
  const { rows } = await tx.execute(sql`
    select from message_events where message_id = ${messageId} and type in ('clicked', 'unsubscribe_opened') and type <> ${type}
      and occurred_at > now() - make_interval(secs => ${severalLinksMs / 1000}) limit 1`);
  return rows.length > 0;
}

/** A click that was counted just now, before the other link was followed, was no person's. @returns whether there was one */
async function withdrawClick(tx: Tx, messageId: string): Promise<boolean> {
  const withdrawn = await tx
    .update(messages)
    .set({
      clickedAt: null,
      suspectedClickAt: sql`clicked_at`,
      // Opened before the click is opened all the same.
      openedAt: sql`case when opened_at < clicked_at then opened_at end`,
    })
    .where(and(eq(messages.id, messageId), gt(messages.clickedAt, sql`now() - make_interval(secs => ${severalLinksMs / 1000})`)))
    .returning({ id: messages.id });
  return withdrawn.length > 0;
}

/** The latest suspected report: the person's next sign of life is compared with it. */
async function keepSuspected(tx: Tx, messageId: string, type: EngagementType): Promise<void> {
  if (type === 'unsubscribe_opened') return;
  const at = sql`clock_timestamp()`;
  await tx
    .update(messages)
    .set(type === 'opened' ? { suspectedOpenAt: at } : { suspectedClickAt: at })
    .where(eq(messages.id, messageId));
}

/** @returns whether it is the first of its kind */
async function count(tx: Tx, messageId: string, type: 'opened' | 'clicked'): Promise<boolean> {
  const column = type === 'opened' ? messages.openedAt : messages.clickedAt;
  // `now()` is the same in both columns, so that a withdrawn click takes along the open that it stands for, and no other.
  const first = await tx
    .update(messages)
    .set(type === 'opened' ? { openedAt: sql`now()` } : { clickedAt: sql`now()`, openedAt: sql`coalesce(opened_at, now())` })
    .where(and(eq(messages.id, messageId), sql`${column} is null`))
    .returning({ id: messages.id });
  return first.length > 0;
}
